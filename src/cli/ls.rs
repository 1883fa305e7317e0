//! `ls`: lists the projects of the engine.

use std::process::ExitCode;

use regex::Regex;

use super::{Context, Error};
use crate::run::list::{self, Query};
use crate::ui;
use crate::ui::projects::{self, ProjectSummary};

/// Options of `ls`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose ls --all
  rcompose ls --format json --filter name=shop")]
pub struct Args {
    /// Also list projects that do not run
    #[arg(short = 'a', long)]
    pub all: bool,

    /// Only list projects for which this holds: name=PATTERN
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,

    /// Format of the output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Print the project names only
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

/// Lists projects.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let names = names(&args.filter)?;
    let as_json = json_asked(&args.format)?;
    let docker = context.connect().await?;
    let query = Query {
        stopped: args.all,
        one_offs: true,
        ..Query::default()
    };
    let listed = list::containers(&docker, query).await?;
    let mut projects = projects::group(&listed);
    projects.retain(|project| names.is_empty() || names.iter().any(|name| name.matches(project)));
    ui::out::stdout(&if args.quiet {
        ui::out::lines(projects.iter().map(|project| project.name.as_str()))
    } else if as_json {
        projects::json(&projects)
    } else {
        projects::table(&projects)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Whether JSON was asked for, where the choice is between it and a table.
pub(super) fn json_asked(format: &str) -> Result<bool, Error> {
    match format.to_lowercase().as_str() {
        "table" | "pretty" | "" => Ok(false),
        "json" => Ok(true),
        _ => Err(
            Error::user(format!("unsupported --format value \"{format}\""))
                .help("use table or json"),
        ),
    }
}

/// A name to look for: the text itself or a regular expression.
struct NamePattern {
    text: String,
    pattern: Regex,
}

impl NamePattern {
    fn matches(&self, project: &ProjectSummary) -> bool {
        self.text == project.name || self.pattern.is_match(&project.name)
    }
}

fn names(filters: &[String]) -> Result<Vec<NamePattern>, Error> {
    filters.iter().map(|filter| pattern(filter)).collect()
}

fn pattern(filter: &str) -> Result<NamePattern, Error> {
    let usage = "use --filter name=PATTERN";
    let (key, text) = filter
        .split_once('=')
        .ok_or_else(|| Error::user(format!("bad format of filter \"{filter}\"")).help(usage))?;
    if !key.trim().eq_ignore_ascii_case("name") {
        return Err(Error::user(format!("invalid filter '{key}'")).help(usage));
    }
    let text = text.trim();
    let pattern = Regex::new(text)
        .map_err(|_| Error::user(format!("\"{text}\" is no valid pattern")).help(usage))?;
    Ok(NamePattern {
        text: text.to_owned(),
        pattern,
    })
}
