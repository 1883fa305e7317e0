//! `export`: writes all files of a service's container as an archive.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Context, Error};
use crate::report::event::{Status, Step, send};
use crate::run::export;

/// Options of `export`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose export -o web.tar web
  rcompose export web | tar -t")]
pub struct Args {
    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// File to write instead of standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Service whose container to use
    #[arg(value_name = "SERVICE")]
    pub service: String,
}

/// Exports a container.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let (engine, target) = context.running_container(&args.service, args.index).await?;
    let output = args.output.filter(|path| !path.as_os_str().is_empty());
    check(output.as_deref())?;
    let (sender, screen) = context.progress("Exporting");
    let shown = output.as_deref().unwrap_or(Path::new("")).display();
    let words = format!("export {} to {shown}", target.name);
    let tell = |status, detail| {
        send(
            &sender,
            Step::new(&target.name, status, &words).detail(detail),
        );
    };
    tell(Status::Working, "Exporting");
    let result = match &output {
        _ if context.dry_run() => Ok(()),
        Some(path) => {
            let path = context.working_dir.join(path);
            export::to_file(&engine, &target.id, &path).await
        }
        None => export::to_stream(&engine, &target.id, tokio::io::stdout()).await,
    };
    match &result {
        Ok(()) => tell(Status::Done, "Exported"),
        Err(_) => tell(Status::Error, "Error"),
    }
    drop(sender);
    screen.finish().await;
    result?;
    Ok(ExitCode::SUCCESS)
}

fn check(output: Option<&Path>) -> Result<(), Error> {
    match output {
        None if std::io::stdout().is_terminal() => Err(Error::user(
            "output option is required when exporting to terminal",
        )
        .help("name a file with -o, or pipe the archive to a program")),
        Some(path) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                Err(Error::user(format!(
                    "failed to export container: invalid output path: directory \"{}\" does not exist",
                    folder.display()
                ))
                .help("make the directory first"))
            }
            _ => Ok(()),
        },
        None => Ok(()),
    }
}
