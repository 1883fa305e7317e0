//! `lint`: finds what loads and yet is probably not meant.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;

use super::{Context, Error, dockerfiles};
use crate::compose::{self, Diagnostic, LoadError, Severity, SourceMap, Written};
use crate::lint::{self, BuildFile, Input, RULES, Selection};
use crate::ui;
use crate::ui::diagnostics::Format;

/// Exit code where something was found that counts.
const FOUND: u8 = 1;

/// Options of `lint`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose lint
  rcompose lint --deny warning --format sarif
  rcompose lint --dockerfile ./Dockerfile    without a project
  rcompose lint --list                       all rules")]
pub struct Args {
    /// Rule to leave out; may be given several times
    #[arg(long, value_name = "RULE", value_parser = rules(), hide_possible_values = true)]
    pub allow: Vec<String>,

    /// Lowest severity that makes the command fail: note, warning or error
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "error")]
    pub deny: Severity,

    /// Dockerfile to look at instead of a project; may be given several times
    #[arg(long, value_name = "FILE")]
    pub dockerfile: Vec<PathBuf>,

    /// Format of the findings: human, json or sarif (default: that of --diagnostics)
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub format: Option<Format>,

    /// Lowest severity to show: note, warning or error
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "warning")]
    pub level: Severity,

    /// List the rules
    #[arg(long)]
    pub list: bool,

    /// Only rule to apply; may be given several times
    #[arg(long, value_name = "RULE", value_parser = rules(), hide_possible_values = true)]
    pub rule: Vec<String>,
}

fn rules() -> PossibleValuesParser {
    PossibleValuesParser::new(RULES.iter().map(|rule| rule.id))
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" | "notes" => Ok(Severity::Note),
        "warning" | "warnings" => Ok(Severity::Warning),
        "error" | "errors" => Ok(Severity::Error),
        _ => Err("use note, warning or error".to_owned()),
    }
}

fn format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| "use human, json or sarif".to_owned())
}

/// Prints the findings and how many there are.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    if args.list {
        let lines = RULES
            .iter()
            .map(|rule| (rule.id, rule.severity, rule.summary));
        ui::out::stdout(&ui::lint::rules(lines))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (written, dockerfiles) = match (read(context, &args)?, args.format) {
        (Ok(read), _) => read,
        (Err(error), None | Some(Format::Human)) => return Err(error.into()),
        (Err(error), Some(format)) => {
            ui::out::stdout(&text(format, &error.diagnostics, &error.sources, false))?;
            return Ok(ExitCode::from(FOUND));
        }
    };
    let input = Input {
        written: &written,
        dockerfiles: &dockerfiles,
        exists: &Path::exists,
    };
    let selection = Selection {
        only: args.rule.clone(),
        allowed: args.allow.clone(),
    };
    let found = lint::lint(&input, &selection);
    show(context, &args, &found, &lint::redacted(&input))?;
    let fails = found.iter().any(|finding| finding.severity >= args.deny);
    Ok(ExitCode::from(if fails { FOUND } else { 0 }))
}

/// The project with the Dockerfiles of its services, or the Dockerfiles that were named alone.
fn read(
    context: &Context,
    args: &Args,
) -> Result<Result<(Written, Vec<BuildFile>), LoadError>, Error> {
    if !args.dockerfile.is_empty() {
        let mut written = Written::empty();
        let files = dockerfiles::named(&mut written, &args.dockerfile);
        return Ok(Ok((written, files)));
    }
    let mut options = context.load_options(&[]);
    options.stdin = context.standard_input(&options)?;
    Ok(compose::load_written(&options).map(|mut written| {
        let files = dockerfiles::of_services(&mut written);
        (written, files)
    }))
}

/// Findings are what the command is asked for, so they go to standard output, unless the option
/// for every command sends problems elsewhere.
fn show(
    context: &Context,
    args: &Args,
    found: &[Diagnostic],
    sources: &SourceMap,
) -> Result<(), Error> {
    let shown = shown(args, found);
    let color = context.settings.color_stdout;
    match args.format {
        None if context.settings.diagnostics != Format::Human => {
            return context.show_warnings(&shown, sources);
        }
        None | Some(Format::Human) => {
            ui::out::stdout(&text(Format::Human, &shown, sources, color))?;
            ui::out::stderr(&ui::lint::summary(found, shown.len()))?;
        }
        Some(format) => ui::out::stdout(&text(format, &shown, sources, color))?,
    }
    Ok(())
}

fn text(format: Format, problems: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
    match format {
        Format::Human => ui::lint::findings(problems, sources, color),
        Format::Json => ui::diagnostics::json(problems, sources),
        Format::Sarif => {
            let mut report = ui::diagnostics::Sarif::default();
            report.add(problems, sources);
            report.document()
        }
    }
}

/// The findings to show: what fails is never hidden, nor what was asked for by name.
fn shown(args: &Args, found: &[Diagnostic]) -> Vec<Diagnostic> {
    let lowest = if args.rule.is_empty() {
        args.level.min(args.deny)
    } else {
        Severity::Note
    };
    let shown = found.iter().filter(|finding| finding.severity >= lowest);
    shown.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::LoadOptions;

    /// The output for a folder with these files.
    fn output(files: &[(&str, &str)], lowest: Severity) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().canonicalize().unwrap();
        let mut options = LoadOptions::new(path, std::collections::BTreeMap::new());
        options.project_name = Some("p".to_owned());
        let written = compose::load_written(&options).unwrap();
        let input = Input {
            written: &written,
            dockerfiles: &[],
            exists: &Path::exists,
        };
        let found = lint::lint(&input, &Selection::default());
        let shown: Vec<Diagnostic> = found
            .iter()
            .filter(|finding| finding.severity >= lowest)
            .cloned()
            .collect();
        let sources = lint::redacted(&input);
        text(Format::Human, &shown, &sources, false) + &ui::lint::summary(&found, shown.len())
    }

    const FILES: [(&str, &str); 2] = [
        (
            "compose.yaml",
            "services:
  web:
    image: nginx
    env_file: web.env
    ports: [80:80]
    depends_on: [db]
  admin:
    image: adminer:5
    ports: [127.0.0.1:80:8080]
  db:
    image: postgres:17
    environment:
      POSTGRES_PASSWORD: hunter2
      PGOPTIONS: 1_0
    healthcheck: {test: pg_isready}
volumes:
  data:
",
        ),
        ("web.env", "DB_PASSWORD=P@$$w0rd\n"),
    ];

    #[test]
    fn findings_for_people() {
        insta::assert_snapshot!(output(&FILES, Severity::Warning));
    }

    #[test]
    fn nothing_found() {
        let tidy = [("compose.yaml", "services: {a: {image: 'x:1'}}")];
        assert_eq!(output(&tidy, Severity::Note), "nothing found\n");
    }

    #[test]
    fn what_fails_is_shown() {
        let args = |level, deny| Args {
            allow: Vec::new(),
            deny,
            dockerfile: Vec::new(),
            format: None,
            level,
            list: false,
            rule: Vec::new(),
        };
        let found = [Diagnostic::note("n"), Diagnostic::warning("w")];
        let count = |level, deny| shown(&args(level, deny), &found).len();
        assert_eq!(count(Severity::Warning, Severity::Error), 1);
        assert_eq!(count(Severity::Error, Severity::Warning), 1);
        assert_eq!(count(Severity::Error, Severity::Note), 2);
    }

    #[test]
    fn every_rule_is_described() {
        let text = include_str!("../../docs/lint.md");
        for rule in RULES {
            assert!(
                text.contains(&format!("\n### {}\n", rule.id)),
                "{}",
                rule.id
            );
        }
        let sorted = RULES.windows(2).all(|pair| pair[0].id < pair[1].id);
        assert!(sorted, "rules are listed by id");
    }
}
