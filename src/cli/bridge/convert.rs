//! `bridge convert`: runs transformations.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{DEFAULT, model};
use crate::cli::{Context, Error};
use crate::compose::Project;
use crate::connect::Engine;
use crate::plan::names;
use crate::report::event::{Step, send};
use crate::run::bridge::{self, Transformation};
use crate::run::streams::Streams;

/// Options of `bridge convert`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose bridge convert                    manifests for Kubernetes, in out
  rcompose bridge convert -t team/to-nomad -o nomad")]
pub struct Args {
    /// Folder for the files; what it holds is removed first
    #[arg(short = 'o', long, value_name = "DIR", default_value = "out")]
    pub output: PathBuf,

    /// Folder with templates in place of those of the transformation
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,

    /// Image of the transformation; may be given several times
    #[arg(short = 't', long = "transformation", value_name = "IMAGE")]
    pub transformations: Vec<String>,
}

/// Turns the project into files.
pub(super) async fn run(context: &Context, mut args: Args) -> Result<ExitCode, Error> {
    if args.transformations.is_empty() {
        args.transformations.push(DEFAULT.to_owned());
    }
    let output = context.working_dir.join(&args.output);
    let mut project = context.load_project(&[])?.project;
    check(&output, &project)?;
    if context.dry_run() {
        return rehearse(context, &args.transformations).await;
    }
    let engine = context.engine().await?;
    pull(context, &engine, &mut project, &args.transformations).await?;
    let input = Input::write(&model::text(&project)?)?;
    renew(&output)?;
    for image in args.transformations {
        let transformation = Transformation {
            image,
            input: input.folder.clone(),
            output: output.clone(),
            templates: args
                .templates
                .as_ref()
                .map(|folder| context.working_dir.join(folder)),
        };
        let streams = Streams {
            input: None,
            output: Box::new(tokio::io::stdout()),
            errors: Box::new(tokio::io::stderr()),
        };
        let code = bridge::transform(&engine, &transformation, streams).await?;
        if code != 0 {
            return Err(Error::exit(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The output must not be a folder that holds the project.
fn check(output: &Path, project: &Project) -> Result<(), Error> {
    let real = output.canonicalize();
    let real = real.unwrap_or_else(|_| output.to_owned());
    let holds = |folder: &Path| {
        folder
            .canonicalize()
            .is_ok_and(|folder| folder.starts_with(&real))
    };
    let files = project.compose_files.iter().map(Path::new);
    if files.chain([project.working_dir.as_path()]).any(holds) {
        return Err(Error::user(format!(
            "the output folder {} holds the project, and would be emptied",
            output.display()
        ))
        .help("name another folder with --output"));
    }
    Ok(())
}

async fn rehearse(context: &Context, images: &[String]) -> Result<ExitCode, Error> {
    let (sender, screen) = context.progress("Converting");
    for image in images {
        send(&sender, Step::working(image, "Converting"));
        send(&sender, Step::done(image, "Converted"));
    }
    drop(sender);
    screen.finish().await;
    Ok(ExitCode::SUCCESS)
}

/// Sees to it that all images are there, and tells services what theirs expose.
async fn pull(
    context: &Context,
    engine: &Engine,
    project: &mut Project,
    transformations: &[String],
) -> Result<(), Error> {
    let (sender, screen) = context.progress("Pulling");
    let separator = if context.compatibility() { '_' } else { '-' };
    let pulled = async {
        for service in project.services.values_mut() {
            let name = names::image(&project.name, service, separator);
            let image = bridge::image(engine, &name, &sender).await?;
            let mut ports = bridge::exposed(&image);
            ports.extend(service.expose.drain(..));
            let published = service.ports.iter();
            ports.extend(published.filter_map(|port| Some(port.target?.to_string())));
            service.expose = ports.into_iter().collect();
            service.image = Some(name);
        }
        for image in transformations {
            bridge::image(engine, image, &sender).await?;
        }
        Ok::<_, crate::run::Error>(())
    }
    .await;
    drop(sender);
    screen.finish().await;
    Ok(pulled?)
}

/// An empty folder, whatever was there.
fn renew(folder: &Path) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::user(format!("cannot create {}: {error}", folder.display()))
            .help("name another folder with --output")
    };
    if folder.is_dir() {
        std::fs::remove_dir_all(folder).map_err(failed)?;
    }
    std::fs::create_dir_all(folder).map_err(failed)
}

/// A folder for what transformations read; removed in the end.
struct Input {
    folder: PathBuf,
}

impl Input {
    fn write(model: &str) -> Result<Self, Error> {
        let name = format!("rcompose-bridge-{:016x}", rand::random::<u64>());
        let folder = std::env::temp_dir().join(name);
        let input = Self { folder };
        // Contents of secrets are in it.
        private(&input.folder)?;
        std::fs::write(input.folder.join("compose.yaml"), model)?;
        Ok(input)
    }
}

#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)
}

impl Drop for Input {
    fn drop(&mut self) {
        // There is nothing to do about what cannot be removed.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
