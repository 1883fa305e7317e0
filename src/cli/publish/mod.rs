//! `publish`: pushes the compose files to a registry as an OCI artifact, for others to run with `-f oci://…`.

mod consent;

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::config::digests;
use super::session::with_place;
use super::{Context, Error, push};
use crate::compose::artifact::{self, Kind, Part};
use crate::compose::{self, LoadError, Loaded, Project, Written, emit};
use crate::report::event::{Step, send};
use crate::run;
use crate::run::artifact::{OciVersion, Options};
use crate::run::push::Options as PushOptions;

/// Options of `publish`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose publish registry.example/team/shop:1.0
  rcompose -f oci://registry.example/team/shop:1.0 up -d    on another machine")]
pub struct Args {
    /// Also copy the images of the services to the repository
    #[arg(long)]
    pub app: bool,

    /// Version of the OCI specifications to follow: 1.0 or 1.1 (default: what the registry takes)
    #[arg(long, value_name = "VERSION")]
    pub oci_version: Option<String>,

    /// Pin the images of services to the digests that they have now
    #[arg(long)]
    pub resolve_image_digests: bool,

    /// Publish environment variables and env files too
    #[arg(long)]
    pub with_env: bool,

    /// Answer every question with yes
    #[arg(short = 'y', long, alias = "y")]
    pub yes: bool,

    /// What to publish to
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub target: String,
}

/// The version that was asked for, if any; an empty one is none.
fn version(text: Option<&str>) -> Result<Option<OciVersion>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let unknown = || Error::user(format!("unsupported OCI version: {text}")).help("use 1.0 or 1.1");
    OciVersion::parse(text).map(Some).ok_or_else(unknown)
}

/// Publishes the project.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let version = version(args.oci_version.as_deref())?;
    let mut options = context.load_options(&[]);
    options.profiles = vec!["*".to_owned()];
    options.stdin = context.standard_input(&options)?;
    let loaded = compose::load(&options)?;
    context.show_warnings(&loaded.warnings, &loaded.sources)?;
    let written = compose::load_written(&options)?;
    let parts = artifact::parts(&written, &context.working_dir, args.with_env);
    let mut parts = parts.map_err(|problem| placed(*problem, &written))?;
    let wanted = consent::Wanted {
        project: &loaded.project,
        written: &written,
        with_env: args.with_env,
    };
    if !wanted.checked(args.yes)? {
        return Ok(ExitCode::SUCCESS);
    }
    push_images(context, &loaded).await?;
    if args.resolve_image_digests || args.app {
        parts.push(digests_of(context, loaded.project.clone()).await?);
    }
    let images = args.app.then(|| images(&loaded.project));
    let options = Options {
        version,
        images: images.unwrap_or_default(),
        insecure: context.global.insecure_registries.iter().cloned().collect(),
    };
    push_artifact(context, &args.target, &parts, &options).await?;
    Ok(ExitCode::SUCCESS)
}

/// Pushes the images that the project builds, as far as that can be.
async fn push_images(context: &Context, loaded: &Loaded) -> Result<(), Error> {
    let services = loaded.project.services.iter();
    let built: BTreeMap<String, _> = services
        .filter(|(_, service)| service.build.is_some())
        .map(|(name, service)| (name.clone(), service))
        .collect();
    if built.is_empty() {
        return Ok(());
    }
    let options = PushOptions {
        ignore_failures: true,
        parallel: context.settings.parallel,
        dry_run: context.dry_run(),
    };
    let engine = context.engine().await?;
    push::push_images(context, &engine, &built, options, false)
        .await
        .map_err(|error| with_place(error, &loaded.project, &loaded.sources))
}

/// A compose file that gives each service its image by digest.
async fn digests_of(context: &Context, mut project: Project) -> Result<Part, Error> {
    digests::pin(context, &mut project).await?;
    digests::keep_images(&mut project);
    Ok(Part {
        kind: Kind::Compose,
        name: "image-digests.yaml".to_owned(),
        content: emit::escape_dollars(&emit::yaml(&project)).into_bytes(),
    })
}

/// The images of the services, each once.
fn images(project: &Project) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for image in project
        .services
        .values()
        .filter_map(|service| service.image.as_ref())
    {
        if !images.contains(image) {
            images.push(image.clone());
        }
    }
    images
}

async fn push_artifact(
    context: &Context,
    target: &str,
    parts: &[Part],
    options: &Options,
) -> Result<(), Error> {
    let (sender, screen) = context.progress("Publishing");
    send(&sender, Step::working(target, "publishing").detail(""));
    let pushed = if context.dry_run() {
        Ok(())
    } else {
        tokio::select! {
            pushed = run::artifact::push(target, parts, options) => pushed,
            _ = tokio::signal::ctrl_c() => Err(run::Error::interrupted()),
        }
    };
    send(
        &sender,
        match &pushed {
            Ok(()) => Step::done(target, "published").detail(""),
            Err(_) => Step::error(target, "publishing"),
        },
    );
    drop(sender);
    screen.finish().await;
    Ok(pushed?)
}

fn placed(problem: compose::Diagnostic, written: &Written) -> Error {
    LoadError {
        diagnostics: vec![problem],
        sources: written.sources.clone(),
    }
    .into()
}
