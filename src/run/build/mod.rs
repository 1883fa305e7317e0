//! Building the images of services.

mod archive;
mod ignore;
mod posted;
mod recipe;
mod session;
mod trace;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

pub use recipe::{BuildOptions, image_name};

use super::Error;
use super::event::{Sender, Step, send};
use super::registry_auth::RegistryAuth;
use crate::compose::model::{Project, Service};
use crate::connect::Engine;
use posted::Builder;
use recipe::{Recipe, services_needed};

/// Builds the images of `services` (all that have a `build` where empty) and of the services that
/// they are built from: independent ones side by side, the others in order. Returns the ids of
/// the images, keyed by service.
///
/// # Errors
/// When something cannot be built; builds that do not depend on it are finished first.
pub async fn build_services(
    engine: &Engine,
    project: &Project,
    services: &[String],
    options: &BuildOptions,
    sender: &Sender,
) -> Result<BTreeMap<String, String>, Error> {
    let chosen = choose(project, services, options)?;
    let auth = RegistryAuth::load()?;
    let mut waiting: BTreeMap<&str, &Service> = chosen;
    let mut built = BTreeMap::new();
    let mut unusable = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    let mut failure: Option<Error> = None;
    loop {
        for service in ready(&waiting, &built, &unusable) {
            waiting.remove(service.name.as_str());
            let auth = &auth;
            running.push(async move {
                let result = build_one(engine, project, service, options, auth, sender).await;
                (service, result)
            });
        }
        let Some((service, result)) = running.next().await else {
            break;
        };
        match result {
            Ok(id) => {
                built.insert(service.name.clone(), id);
            }
            Err(error) => {
                unusable.insert(service.name.clone());
                failure.get_or_insert(error);
            }
        }
        // What is built from something that failed cannot be built.
        waiting.retain(|name, service| {
            let blocked = services_needed(service).any(|needed| unusable.contains(needed));
            if blocked {
                unusable.insert((*name).to_owned());
            }
            !blocked
        });
    }
    match (failure, waiting.keys().next()) {
        (Some(error), _) => Err(error),
        (None, Some(_)) => {
            let names: Vec<&str> = waiting.keys().copied().collect();
            Err(Error::new(format!(
                "services are built from each other in a circle: {}",
                names.join(", ")
            ))
            .remedy("take one of them out of `build.additional_contexts`"))
        }
        (None, None) => Ok(built),
    }
}

/// Services that wait for nothing that is still to be built.
fn ready<'a>(
    waiting: &BTreeMap<&str, &'a Service>,
    built: &BTreeMap<String, String>,
    unusable: &BTreeSet<String>,
) -> Vec<&'a Service> {
    waiting
        .values()
        .copied()
        .filter(|service| {
            services_needed(service).all(|needed| {
                built.contains_key(needed) || (!unusable.contains(needed) && !is_pending(needed, waiting))
            })
        })
        .filter(|service| !unusable.contains(&service.name))
        .collect()
}

fn is_pending(name: &str, waiting: &BTreeMap<&str, &Service>) -> bool {
    waiting.contains_key(name)
}

/// The services to build, with those that they are built from.
fn choose<'a>(
    project: &'a Project,
    services: &[String],
    options: &BuildOptions,
) -> Result<BTreeMap<&'a str, &'a Service>, Error> {
    let mut queue: Vec<&str> = match services {
        [] => project.services.keys().map(String::as_str).collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    let mut seen = BTreeSet::new();
    let mut chosen = BTreeMap::new();
    while let Some(name) = queue.pop() {
        if !seen.insert(name.to_owned()) {
            continue;
        }
        let service = project
            .services
            .get(name)
            .or_else(|| project.disabled_services.get(name))
            .ok_or_else(|| Error::new(format!("no such service: {name}")))?;
        queue.extend(services_needed(service));
        if options.with_dependencies {
            queue.extend(service.depends_on.keys().map(String::as_str));
        }
        if service.build.is_some() {
            chosen.insert(service.name.as_str(), service);
        }
    }
    Ok(chosen)
}

async fn build_one(
    engine: &Engine,
    project: &Project,
    service: &Service,
    options: &BuildOptions,
    auth: &RegistryAuth,
    sender: &Sender,
) -> Result<String, Error> {
    let id = service.name.as_str();
    send(sender, Step::working(id, "Building"));
    match try_build(engine, project, service, options, auth, sender).await {
        Ok(image) => {
            send(sender, Step::done(id, "Built"));
            Ok(image)
        }
        Err(error) => {
            send(sender, Step::error(id, "Error"));
            Err(error)
        }
    }
}

async fn try_build(
    engine: &Engine,
    project: &Project,
    service: &Service,
    options: &BuildOptions,
    auth: &RegistryAuth,
    sender: &Sender,
) -> Result<String, Error> {
    let Some(build) = &service.build else {
        return Err(Error::new(format!("service {:?} has no build", service.name)));
    };
    let recipe = Recipe::new(project, service, build, options)?;
    let classic = options.classic || engine.podman;
    if !classic && session::raw::is_possible(&engine.address) {
        return session::build(&engine.address, &recipe, auth, sender).await;
    }
    let builder = match classic {
        true => Builder::Classic,
        false => Builder::BuildKit,
    };
    posted::build(&engine.docker, &recipe, builder, auth, sender).await
}
