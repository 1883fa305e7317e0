//! `config`: prints the project in its canonical form, or parts of it.

mod args;
pub(super) mod digests;
mod lists;
mod variables;
mod why;

use std::process::ExitCode;

use super::{Context, Error};
use crate::compose::model::Service;
use crate::compose::node::{Node, Value};
use crate::compose::{self, LoadOptions, Loaded, LoadedTree, Project, emit};
use crate::ui;

pub use args::Args;

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
    let text = if !args.why.is_empty() {
        why::show(context, args)?
    } else if args.services && args.no_interpolate {
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
/// Env files do not count, other than in the label of a container: that is what docker compose 2
/// prints here.
fn hashes(context: &Context, args: &Args, names: &str) -> Result<String, Error> {
    let mut options = options(context, args)?;
    options.resolve_environment = false;
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
    // The tree of a large project takes more memory than what is written of it.
    project.tree = Node::new(Value::Null, project.tree.span);
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
    // docker compose 2 takes `--no-env-resolution` and resolves all the same.
    options.resolve_environment = true;
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
