//! `build`: builds images.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::push::push_images;
use super::session::{until_signal, with_place};
use super::{Context, Error};
use crate::compose::model::SshKey;
use crate::run;
use crate::run::build::{self, BuildOptions};
use crate::run::push;

/// Options of `build`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose build                               all services that have a `build`
  rcompose build --no-cache --pull web
  rcompose build --build-arg VERSION=2 --push web")]
pub struct Args {
    /// Build argument; without a value it is taken from the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]")]
    pub build_args: Vec<String>,

    /// Builder to use
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,

    /// Check the build configuration without building
    #[arg(long)]
    pub check: bool,

    /// Memory limit of the build container; the engine's classic builder only
    #[arg(short = 'm', long, value_name = "BYTES")]
    pub memory: Option<String>,

    /// Do not use the build cache
    #[arg(long)]
    pub no_cache: bool,

    /// Print the build as a bake file instead of building
    #[arg(long)]
    pub print: bool,

    /// Attach a provenance attestation
    #[arg(long, value_name = "VALUE")]
    pub provenance: Option<String>,

    /// Look for newer versions of the base images
    #[arg(long)]
    pub pull: bool,

    /// Push the images of services that name one, under all their names
    #[arg(long)]
    pub push: bool,

    /// Do not show the output of the build
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Attach a software bill of materials
    #[arg(long, value_name = "VALUE")]
    pub sbom: Option<String>,

    /// SSH agent or keys to offer to the build ("default" for your agent)
    #[arg(long, value_name = "ID[=PATH]")]
    pub ssh: Option<String>,

    /// Also build the services that these depend on
    #[arg(long)]
    pub with_dependencies: bool,

    /// Compress the build context (deprecated)
    #[arg(long, hide = true)]
    pub compress: bool,

    /// Always remove intermediate containers (deprecated)
    #[arg(long, hide = true)]
    pub force_rm: bool,

    /// Keep intermediate containers (deprecated)
    #[arg(long, hide = true)]
    pub no_rm: bool,

    /// Build in parallel (deprecated)
    #[arg(long, hide = true)]
    pub parallel: bool,

    /// How to show progress (deprecated here, give it before the command)
    #[arg(long, value_name = "MODE", hide = true)]
    pub progress: Option<String>,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Builds the images of the chosen services.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    refuse_unsupported(&args)?;
    let options = options(context, &args)?;
    let mut load = context.load_options(&[]);
    load.all_resources = true;
    let loaded = context.load_for_images(load)?;
    let project = &loaded.project;
    let disabled = &project.disabled_services;
    for service in &args.services {
        if !project.services.contains_key(service) && !disabled.contains_key(service) {
            return Err(Error::no_such_service(service, project));
        }
    }
    let engine = context.engine().await?;
    let (sender, screen) = context.progress_of_builds(args.quiet);
    let result = if context.dry_run() {
        build::rehearse(project, &args.services, &options, &sender).map(|()| BTreeMap::new())
    } else {
        tokio::select! {
            result = build::build_services(&engine, project, &args.services, &options, &sender) => {
                result
            }
            () = until_signal().cancelled_owned() => Err(run::Error::interrupted()),
        }
    };
    drop(sender);
    if let Some(screen) = screen {
        screen.finish().await;
    }
    result.map_err(|error| with_place(error, project, &loaded.sources))?;
    if args.push {
        let services = build::choose(project, &args.services, &options)?;
        let services = services.into_iter();
        let services = services.map(|(name, service)| (name.to_owned(), service));
        let options = push::Options {
            ignore_failures: false,
            parallel: context.settings.parallel,
            dry_run: context.dry_run(),
        };
        push_images(context, &engine, &services.collect(), options, args.quiet)
            .await
            .map_err(|error| with_place(error, project, &loaded.sources))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is not supported is not passed over in silence.
fn refuse_unsupported(args: &Args) -> Result<(), Error> {
    let refused =
        |what: &str, help: &str| Err(Error::user(format!("{what} is not supported")).help(help));
    let is_off = |value: &Option<String>| matches!(value.as_deref(), None | Some("" | "false"));
    if args
        .builder
        .as_deref()
        .is_some_and(|name| name != "default")
    {
        return refused(
            "--builder",
            "images are built by the engine itself: leave it out",
        );
    }
    if args.check {
        return refused("--check", "leave it out to build");
    }
    if args.print {
        return refused(
            "--print",
            "rcompose builds without bake: leave it out to build",
        );
    }
    if !is_off(&args.provenance) {
        return refused(
            "--provenance",
            "leave it out to build without an attestation",
        );
    }
    if !is_off(&args.sbom) {
        return refused("--sbom", "leave it out to build without an attestation");
    }
    Ok(())
}

fn options(context: &Context, args: &Args) -> Result<BuildOptions, Error> {
    let build_args = args
        .build_args
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.clone(), None),
        });
    let ssh = args.ssh.as_deref().map(ssh_key).transpose()?;
    let memory = args.memory.as_deref().map(memory).transpose()?;
    let classic = matches!(
        context.env.get("DOCKER_BUILDKIT").map(String::as_str),
        Some("0" | "false")
    );
    Ok(BuildOptions {
        args: build_args.collect(),
        no_cache: args.no_cache,
        pull: args.pull,
        memory,
        ssh: ssh.into_iter().collect(),
        with_dependencies: args.with_dependencies,
        separator: context.compatibility().then_some('_'),
        default_platform: context.env.get("DOCKER_DEFAULT_PLATFORM").cloned(),
        single_platform: false,
        classic,
        parallel: context.settings.parallel,
    })
}

/// `default` or `ID=PATH`; nothing stands for `default`.
fn ssh_key(text: &str) -> Result<SshKey, Error> {
    match text.split_once('=') {
        Some((id, path)) => Ok(SshKey {
            id: id.to_owned(),
            path: Some(path.to_owned()),
        }),
        None if text.is_empty() || text == "default" => Ok(SshKey {
            id: "default".to_owned(),
            path: None,
        }),
        None => Err(Error::user(format!("invalid ssh key {text:?}"))
            .help("use default, or ID=PATH with the path of an agent's socket")),
    }
}

/// `512m` in bytes.
fn memory(text: &str) -> Result<i64, Error> {
    let lower = text.trim().to_lowercase();
    let lower = lower
        .strip_suffix("ib")
        .or(lower.strip_suffix('b'))
        .unwrap_or(&lower);
    let (digits, factor) = match lower.chars().last() {
        Some('k') => (&lower[..lower.len() - 1], 1_i64 << 10),
        Some('m') => (&lower[..lower.len() - 1], 1 << 20),
        Some('g') => (&lower[..lower.len() - 1], 1 << 30),
        Some('t') => (&lower[..lower.len() - 1], 1 << 40),
        _ => (lower, 1),
    };
    let bytes = digits
        .parse::<i64>()
        .ok()
        .and_then(|n| n.checked_mul(factor));
    bytes.ok_or_else(|| {
        Error::user(format!("--memory: {text:?} is not a size")).help("use a size such as 512m")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(memory("512m").ok(), Some(512 << 20));
        assert_eq!(memory("1GB").ok(), Some(1 << 30));
        assert_eq!(memory("100").ok(), Some(100));
        assert!(memory("lots").is_err());
    }

    #[test]
    fn ssh_keys_have_an_id_and_a_path() {
        assert_eq!(ssh_key("default").ok().and_then(|key| key.path), None);
        assert_eq!(ssh_key("a=/s").ok().map(|key| key.id).as_deref(), Some("a"));
        assert!(ssh_key("a").is_err());
    }
}
