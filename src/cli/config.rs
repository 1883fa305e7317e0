//! `config`: prints the project in its canonical form, or parts of it.

mod digests;
mod lists;
mod variables;

use std::process::ExitCode;

use super::{Context, Error};
use crate::compose::model::Service;
use crate::compose::{self, LoadOptions, Loaded, LoadedTree, Project, emit};
use crate::ui;

/// Options of `config`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Print the variables used for interpolation
    #[arg(long)]
    pub environment: bool,

    /// Format of the output: yaml or json
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Print the configuration hash of these services ("*" for all)
    #[arg(long, value_name = "SERVICES")]
    pub hash: Option<String>,

    /// Print the image names
    #[arg(long)]
    pub images: bool,

    /// Print an override file that pins images to their digests
    #[arg(long)]
    pub lock_image_digests: bool,

    /// Print the model names
    #[arg(long)]
    pub models: bool,

    /// Print the network names
    #[arg(long)]
    pub networks: bool,

    /// Do not check that references between parts of the project hold
    #[arg(long)]
    pub no_consistency: bool,

    /// Do not read the env files of services
    #[arg(long)]
    pub no_env_resolution: bool,

    /// Leave variables as they are written
    #[arg(long)]
    pub no_interpolate: bool,

    /// Leave defaults out
    #[arg(long)]
    pub no_normalize: bool,

    /// Leave paths as they are written
    #[arg(long)]
    pub no_path_resolution: bool,

    /// File to write to instead of standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,

    /// Print the profile names
    #[arg(long)]
    pub profiles: bool,

    /// Only check, print nothing
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Pin images to their digests
    #[arg(long)]
    pub resolve_image_digests: bool,

    /// Print the service names
    #[arg(long)]
    pub services: bool,

    /// Print the variables that the files use, with their defaults
    #[arg(long)]
    pub variables: bool,

    /// Print the volume names
    #[arg(long)]
    pub volumes: bool,

    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    pub selected: Vec<String>,
}

/// How the project is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Json,
}

/// Prints the project or the asked part of it.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let text = match part(context, &args)? {
        Some(part) => part,
        None => project(context, &args).await?,
    };
    match &args.output {
        _ if args.quiet => {}
        Some(path) if !text.is_empty() => std::fs::write(path, &text)
            .map_err(|error| Error::user(format!("cannot write {}: {error}", path.display())))?,
        _ => ui::out::stdout(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The text of the part that a flag asks for; the first flag in docker compose's order counts.
fn part(context: &Context, args: &Args) -> Result<Option<String>, Error> {
    let unresolved = |args: &Args| {
        let mut options = options(context, args)?;
        options.resolve_environment = false;
        Ok::<_, Error>(options)
    };
    let text = if args.services && args.no_interpolate {
        lists::services_of_tree(&load_tree(context, &options(context, args)?)?.tree)
    } else if args.services {
        lists::services(&load(context, &unresolved(args)?)?.project)
    } else if args.volumes {
        lists::lines(load(context, &unresolved(args)?)?.project.volumes.keys())
    } else if args.networks {
        lists::lines(load(context, &unresolved(args)?)?.project.networks.keys())
    } else if args.models {
        lists::models(&load(context, &unresolved(args)?)?.project)
    } else if let Some(names) = &args.hash {
        hashes(context, args, names)?
    } else if args.profiles {
        lists::profiles(&load(context, &selected(context, args)?)?.project)
    } else if args.images {
        lists::images(context, &load(context, &selected(context, args)?)?.project)
    } else if args.variables {
        let mut options = options(context, args)?;
        options.interpolate = false;
        variables::show(&load_tree(context, &options)?.tree, args.format.as_deref())?
    } else if args.environment {
        let mut options = selected(context, args)?;
        options.resolve_environment = true;
        lists::environment(&load(context, &options)?.project)
    } else {
        return Ok(None);
    };
    Ok(Some(text))
}

/// The hashes of the named services, or of all for `*`.
///
/// Env files count, as they do in the label of a container. docker compose 2 leaves them out
/// here, which makes its answer differ from its own label.
fn hashes(context: &Context, args: &Args, names: &str) -> Result<String, Error> {
    let mut options = options(context, args)?;
    options.resolve_environment = !context.strict();
    let mut project = load(context, &options)?.project;
    apply_default_platform(&mut project);
    if names == "*" {
        return Ok(lists::hashes(project.services.values()));
    }
    let mut names: Vec<&str> = names.split(',').collect();
    names.sort_unstable();
    let services: Result<Vec<&Service>, Error> = names
        .into_iter()
        .map(|name| {
            let service = project.services.get(name);
            service.ok_or_else(|| Error::no_such_service(name, &project))
        })
        .collect();
    Ok(lists::hashes(services?.into_iter()))
}

/// A built service without a platform gets that of `DOCKER_DEFAULT_PLATFORM`.
fn apply_default_platform(project: &mut Project) {
    let Some(platform) = project.environment.get("DOCKER_DEFAULT_PLATFORM") else {
        return;
    };
    if platform.is_empty() {
        return;
    }
    for service in project.services.values_mut() {
        if service.build.is_some() && service.platform.is_none() {
            service.platform = Some(platform.clone());
        }
    }
}

/// The whole project.
async fn project(context: &Context, args: &Args) -> Result<String, Error> {
    let format = match args.format.as_deref() {
        None | Some("" | "yaml") => Format::Yaml,
        Some("json") => Format::Json,
        Some(other) => {
            return Err(Error::user(format!("unsupported format \"{other}\""))
                .help("the formats are yaml and json"));
        }
    };
    if args.no_interpolate {
        return uninterpolated(context, args, format).await;
    }
    let mut project = load(context, &selected(context, args)?)?.project;
    if args.resolve_image_digests || args.lock_image_digests {
        digests::pin(context, &mut project).await?;
    }
    if args.lock_image_digests {
        digests::keep_images(&mut project);
    }
    Ok(emit::escape_dollars(&match format {
        Format::Yaml => emit::yaml(&project),
        Format::Json => emit::json(&project),
    }))
}

/// The merged files with their variables as written, every mapping sorted.
async fn uninterpolated(context: &Context, args: &Args, format: Format) -> Result<String, Error> {
    let mut tree = load_tree(context, &options(context, args)?)?.tree;
    if args.resolve_image_digests || args.lock_image_digests {
        digests::pin_tree(context, &mut tree).await?;
    }
    if args.lock_image_digests {
        digests::keep_images_of_tree(&mut tree);
    }
    Ok(match format {
        Format::Yaml => emit::node_yaml(&tree),
        Format::Json => emit::node_json(&tree),
    })
}

/// What the flags ask of the loader, for all services.
fn options(context: &Context, args: &Args) -> Result<LoadOptions, Error> {
    let mut options = context.load_options(&[]);
    options.stdin = context.standard_input(&options)?;
    options.interpolate = !args.no_interpolate;
    options.normalize = !args.no_normalize && !context.compatibility();
    options.resolve_paths = !args.no_path_resolution;
    options.check_consistency = !args.no_consistency;
    Ok(options)
}

/// What the flags ask of the loader, for the services on the command line.
fn selected(context: &Context, args: &Args) -> Result<LoadOptions, Error> {
    let mut options = options(context, args)?;
    options.services.clone_from(&args.selected);
    // docker compose 2 takes the flag and resolves all the same.
    options.resolve_environment = !args.no_env_resolution || context.strict();
    Ok(options)
}

fn load(context: &Context, options: &LoadOptions) -> Result<Loaded, Error> {
    let loaded = compose::load(options)?;
    context.show_warnings(&loaded.warnings, &loaded.sources)?;
    Ok(loaded)
}

fn load_tree(context: &Context, options: &LoadOptions) -> Result<LoadedTree, Error> {
    let loaded = compose::load_tree(options)?;
    context.show_warnings(&loaded.warnings, &loaded.sources)?;
    Ok(loaded)
}
