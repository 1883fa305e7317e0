//! Building the images of services.

mod agents;
mod archive;
mod check;
mod classic;
mod contexts;
mod failure;
pub(super) mod ignore;
mod kept;
mod key_agent;
mod manifest;
mod posted;
mod rebase;
mod recipe;
mod secrets;
mod session;
mod trace;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

pub use recipe::{BuildOptions, image_name};

use super::Error;
use super::registry_auth::RegistryAuth;
use super::{hijack, proxy};
use crate::compose::model::{Project, Service};
use crate::connect::Engine;
use crate::plan::observed::ApiVersion;
use crate::report::event::{Sender, Step, send};
use contexts::ContextImages;
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
    let mut outstanding: BTreeSet<String> = waiting.keys().map(|name| (*name).to_owned()).collect();
    let mut built = BTreeMap::new();
    let mut unusable = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    let mut failure: Option<Error> = None;
    let limit = options.parallel.unwrap_or(usize::MAX).max(1);
    loop {
        let room = limit - running.len();
        let ready = ready(project, &waiting, &outstanding).into_iter();
        for service in ready.take(room) {
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
        outstanding.remove(&service.name);
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
                outstanding.remove(*name);
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

/// Tells what [`build_services`] would build.
///
/// # Errors
/// When a service does not exist.
pub fn rehearse(
    project: &Project,
    services: &[String],
    options: &BuildOptions,
    sender: &Sender,
) -> Result<(), Error> {
    for name in choose(project, services, options)?.into_keys() {
        send(sender, Step::working(name, "Building"));
        send(sender, Step::done(name, "Built"));
    }
    Ok(())
}

/// Services of `waiting` that need nothing that is still to be built.
fn ready<'a>(
    project: &Project,
    waiting: &BTreeMap<&str, &'a Service>,
    outstanding: &BTreeSet<String>,
) -> Vec<&'a Service> {
    let services = waiting.values().copied();
    services
        .filter(|service| {
            let needed = services_needed(service).chain(project.named_bases(service));
            !needed
                .into_iter()
                .any(|needed| outstanding.contains(needed))
        })
        .collect()
}

/// The services to build, with those that they are built from, each under its name.
///
/// # Errors
/// When a service does not exist.
pub fn choose<'a>(
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

/// Since when engines have a builder that knows named contexts.
const NAMED_CONTEXTS: ApiVersion = ApiVersion::v1(42);

async fn try_build(
    engine: &Engine,
    project: &Project,
    service: &Service,
    options: &BuildOptions,
    auth: &RegistryAuth,
    sender: &Sender,
) -> Result<String, Error> {
    let Some(build) = &service.build else {
        return Err(Error::new(format!(
            "service {:?} has no build",
            service.name
        )));
    };
    let mut recipe = Recipe::new(project, service, build, options)?;
    for (name, value) in proxy::variables(&engine.address.url()) {
        recipe.args.entry(name).or_insert(value);
    }
    check::check_files(&recipe)?;
    // Neither Podman nor the bundled engine has a BuildKit.
    let classic = options.classic || engine.podman || engine.bundled;
    if !classic && recipe.memory.is_some_and(|memory| memory > 0) {
        return Err(Error::new("--memory is not supported by BuildKit")
            .remedy("leave it out, or build with DOCKER_BUILDKIT=0"));
    }
    let original = recipe.clone();
    let mut images = ContextImages::none(&engine.docker);
    if classic || engine.api < NAMED_CONTEXTS {
        images.import(&mut recipe).await?;
        recipe = recipe.without_image_contexts();
    }
    let recipes = (&recipe, &original);
    if !classic && hijack::is_possible(&engine.address) {
        session::build(&engine.address, recipes, auth, sender).await
    } else {
        let builder = if classic {
            Builder::Classic
        } else {
            Builder::BuildKit
        };
        posted::build(engine, recipes, builder, auth, sender).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_ready(text: &str, outstanding: &[&str]) -> Vec<String> {
        let project = crate::plan::testing::project(text);
        let services = project.services.iter();
        let waiting = services
            .map(|(name, service)| (name.as_str(), service))
            .collect();
        let outstanding = outstanding.iter().map(|name| (*name).to_owned()).collect();
        let ready = ready(&project, &waiting, &outstanding).into_iter();
        ready.map(|service| service.name.clone()).collect()
    }

    #[test]
    fn a_service_waits_for_what_it_is_built_from() {
        let text = "services: {a: {build: {additional_contexts: {b: 'service:b'}}}, b: {build: {context: .}}}";
        assert_eq!(names_ready(text, &["a", "b"]), ["b"]);
        assert_eq!(names_ready(text, &["a"]), ["a", "b"]);
    }

    #[test]
    fn a_service_waits_for_dependencies_whose_images_have_names() {
        let text = |image: &str| {
            format!(
                "services: {{a: {{build: {{context: .}}, depends_on: {{b: {{condition: service_started, required: true}}}}}}, b: {{build: {{context: .}}{image}}}}}"
            )
        };
        assert_eq!(names_ready(&text(", image: base"), &["a", "b"]), ["b"]);
        assert_eq!(names_ready(&text(""), &["a", "b"]), ["a", "b"]);
    }
}
