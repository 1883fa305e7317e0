//! `migrate`: rewrites a compose file of an older format in today's.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Context, Error};
use crate::compose::source::Source;
use crate::compose::{self, LoadError, LoadOptions, SourceMap};
use crate::migrate::{self, Migration};
use crate::ui;

/// Options of `migrate`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose migrate old.yml                   print the new file
  rcompose migrate --in-place old.yml")]
pub struct Args {
    /// The compose file; "-" for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Only tell what would change, and end with 1 if something would
    #[arg(long, conflicts_with_all = ["in_place", "output"])]
    pub check: bool,

    /// Write the result to the file itself
    #[arg(long, conflicts_with = "output")]
    pub in_place: bool,

    /// File to write to instead of standard output
    #[arg(short = 'o', long, value_name = "OUT")]
    pub output: Option<PathBuf>,
}

/// Rewrites the file, tells what changed, and loads the result.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let name = args.file.display().to_string();
    let old = read(&context.working_dir, &args.file)?;
    let migration = migrate::migrate(&name, &old)?;
    tell(context, &migration, &name)?;
    let changed = migration.text != old;
    if args.check {
        return Ok(ExitCode::from(u8::from(changed)));
    }
    let problem = changed
        .then(|| load(context, &args.file, &migration.text))
        .flatten();
    if let (Some(problem), true) = (&problem, args.in_place) {
        ui::out::stderr(&format!(
            "{name} is left as it is, the result does not load:\n"
        ))?;
        return Err(Box::new(clone(problem, &name)).into());
    }
    match &args.output {
        Some(path) => write(&context.working_dir.join(path), &migration.text)?,
        None if args.in_place && name != "-" => {
            if changed {
                write(&context.working_dir.join(&args.file), &migration.text)?;
            }
        }
        None => ui::out::stdout(&migration.text)?,
    }
    match problem {
        Some(problem) => {
            ui::out::stderr("the result does not load by itself:\n")?;
            Err(Box::new(clone(&problem, &name)).into())
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn read(folder: &Path, file: &Path) -> Result<String, Error> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(folder.join(file))
        .map_err(|error| Error::user(format!("cannot read {}: {error}", file.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text)
        .map_err(|error| Error::user(format!("cannot write {}: {error}", path.display())))
}

/// Each change on a line with its place, then the warnings.
fn tell(context: &Context, migration: &Migration, name: &str) -> Result<(), Error> {
    let mut text = String::new();
    for change in &migration.changes {
        let place = migration.sources.locate(change.span);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{place}: {}", change.message);
    }
    if text.is_empty() && migration.warnings.is_empty() {
        text = format!("{name}: nothing to migrate\n");
    }
    ui::out::stderr(&text)?;
    context.show_warnings(&migration.warnings, &migration.sources)
}

/// What is wrong with the result, loaded as the file that it replaces. Variables and env files
/// need not be there.
fn load(context: &Context, file: &Path, text: &str) -> Option<LoadError> {
    let file = context.working_dir.join(file);
    let options = LoadOptions {
        files: vec!["-".to_owned()],
        stdin: Some(text.to_owned()),
        project_directory: file.parent().map(Path::to_owned),
        project_name: Some("migrated".to_owned()),
        resolve_environment: false,
        profiles: vec!["*".to_owned()],
        ..context.load_options(&[])
    };
    compose::load(&options).err()
}

/// The problems, with a name for the text that is in no file yet.
fn clone(problem: &LoadError, name: &str) -> LoadError {
    let mut sources = SourceMap::default();
    for source in problem.sources.iter() {
        let renamed = match source.name.as_str() {
            "-" => format!("{name} (migrated)"),
            name => name.to_owned(),
        };
        sources.add(Source {
            name: renamed,
            ..source.clone()
        });
    }
    LoadError {
        diagnostics: problem.diagnostics.clone(),
        sources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::GlobalArgs;

    const OLD: &str = "web:\n  image: a # which\n  links: [db]\ndb:\n  image: b\n";

    fn context(folder: &Path) -> Context {
        let mut context = Context::new(GlobalArgs::default(), Vec::new()).unwrap();
        folder.clone_into(&mut context.working_dir);
        context
    }

    fn args(check: bool) -> Args {
        Args {
            file: PathBuf::from("old.yml"),
            check,
            in_place: !check,
            output: None,
        }
    }

    fn migrate(folder: &Path, args: Args) -> Result<ExitCode, Error> {
        futures::executor::block_on(run(&context(folder), args))
    }

    #[test]
    fn the_file_is_rewritten_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old.yml");
        std::fs::write(&file, OLD).unwrap();
        let code = migrate(folder.path(), args(true)).unwrap();
        assert_eq!(code, ExitCode::from(1), "there is something to do");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
        migrate(folder.path(), args(false)).unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "services:\n  web:\n    image: a # which\n    depends_on: [db]\n  db:\n    image: b\n"
        );
        let code = migrate(folder.path(), args(true)).unwrap();
        assert_eq!(code, ExitCode::SUCCESS, "there is nothing left");
    }

    #[test]
    fn a_file_whose_result_does_not_load_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old.yml");
        let text = "web: {image: a, unknown: b}\n";
        std::fs::write(&file, text).unwrap();
        let error = migrate(folder.path(), args(false)).unwrap_err();
        assert!(matches!(error, Error::Load(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}
