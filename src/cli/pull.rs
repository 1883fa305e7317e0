//! `pull`: pulls the images of services.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::session::with_place;
use super::{Context, Error};
use crate::compose::Project;
use crate::compose::model::Service;
use crate::run;
use crate::run::pull::{self, PullOptions};

/// Options of `pull`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose pull
  rcompose pull --policy missing --ignore-buildable")]
pub struct Args {
    /// Skip images that can be built
    #[arg(long)]
    pub ignore_buildable: bool,

    /// Pull what can be pulled and go on after failures
    #[arg(long)]
    pub ignore_pull_failures: bool,

    /// Also pull the images of services that these depend on
    #[arg(long)]
    pub include_deps: bool,

    /// When to pull: missing or always
    #[arg(long, value_name = "WHEN")]
    pub policy: Option<String>,

    /// Do not show progress
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Pull one image at a time (deprecated)
    #[arg(long, hide = true)]
    pub no_parallel: bool,

    /// Pull several images at once (deprecated)
    #[arg(long, hide = true)]
    pub parallel: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Pulls images.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let options = PullOptions {
        policy: policy(&args)?,
        ignore_buildable: args.ignore_buildable,
        ignore_failures: args.ignore_pull_failures,
        parallel: context.settings.parallel,
        default_platform: context.env.get("DOCKER_DEFAULT_PLATFORM").cloned(),
    };
    let loaded = context.load_for_images(context.load_options(&args.services))?;
    let project = &loaded.project;
    let services = chosen(&args.services, args.include_deps, project)?;
    let docker = context.connect().await?;
    let (sender, screen) = context.progress_unless(args.quiet, "Pulling");
    let result = if context.dry_run() {
        pull::rehearse(&services, &options, &sender);
        Ok(())
    } else {
        tokio::select! {
            result = pull::pull_services(&docker, &services, &options, &sender) => result,
            _ = tokio::signal::ctrl_c() => Err(run::Error::interrupted()),
        }
    };
    drop(sender);
    if let Some(screen) = screen {
        screen.finish().await;
    }
    result.map_err(|error| with_place(error, project, &loaded.sources))?;
    Ok(ExitCode::SUCCESS)
}

fn policy(args: &Args) -> Result<Option<String>, Error> {
    match args.policy.as_deref() {
        None | Some("") => Ok(None),
        Some(policy @ ("missing" | "always")) => Ok(Some(policy.to_owned())),
        Some(other) => Err(
            Error::user(format!("--policy: {other:?} is no pull policy"))
                .help("use missing or always"),
        ),
    }
}

/// The named services, or all of them, with what they depend on where asked for.
pub(super) fn chosen<'a>(
    names: &[String],
    include_deps: bool,
    project: &'a Project,
) -> Result<BTreeMap<String, &'a Service>, Error> {
    let mut queue: Vec<&str> = match names {
        [] => project.services.keys().map(String::as_str).collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    let mut chosen = BTreeMap::new();
    while let Some(name) = queue.pop() {
        let Some(service) = project.services.get(name) else {
            return Err(Error::no_such_service(name, project));
        };
        if chosen.insert(name.to_owned(), service).is_some() || !include_deps {
            continue;
        }
        let present = service.depends_on.keys().map(String::as_str);
        queue.extend(present.filter(|name| project.services.contains_key(*name)));
    }
    Ok(chosen)
}
