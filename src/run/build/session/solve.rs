//! A recipe → the request that BuildKit's Dockerfile frontend takes.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::moby::buildkit::v1::SolveRequest;

use super::caches::Caches;
use super::filesync::Folders;
use crate::run::Error;
use crate::run::build::recipe::{Context, Dockerfile, NamedContext, Recipe, problem};

/// What the frontend calls the folder of the Dockerfile.
const DOCKERFILE_FOLDER: &str = "dockerfile";

/// What it calls the build context.
const CONTEXT_FOLDER: &str = "context";

/// The folders that a recipe gives the builder access to.
pub(super) fn folders(recipe: &Recipe) -> Folders {
    let mut by_name = HashMap::new();
    let mut made_up = HashMap::new();
    if let Context::Local(root) = &recipe.context {
        by_name.insert(CONTEXT_FOLDER.to_owned(), root.clone());
    }
    match (&recipe.dockerfile, &recipe.context) {
        (Dockerfile::Inline(text), _) => {
            let file = ("Dockerfile".to_owned(), text.clone().into_bytes());
            made_up.insert(DOCKERFILE_FOLDER.to_owned(), file);
        }
        (Dockerfile::Outside(path), _) => {
            let folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
            by_name.insert(DOCKERFILE_FOLDER.to_owned(), folder);
        }
        (Dockerfile::Inside(_), Context::Local(root)) => {
            by_name.insert(DOCKERFILE_FOLDER.to_owned(), root.clone());
        }
        (Dockerfile::Inside(_), Context::Remote(_)) => {}
    }
    for (name, context) in &recipe.contexts {
        if let NamedContext::Local(path) = context {
            by_name.insert(folder_of(name), path.clone());
        }
    }
    Folders { by_name, made_up }
}

fn folder_of(context: &str) -> String {
    format!("context-{context}")
}

/// Stands for the address of the engine's host in `extra_hosts`.
pub(super) const HOST_GATEWAY: &str = "host-gateway";

/// The request for a build with the id `reference` in the session `session`; `gateway` takes the
/// place of [`HOST_GATEWAY`].
pub(super) fn request(
    recipe: &Recipe,
    caches: &Caches,
    reference: String,
    session: String,
    gateway: Option<&str>,
) -> Result<SolveRequest, Error> {
    Ok(SolveRequest {
        r#ref: reference,
        session,
        exporter_deprecated: "moby".to_owned(),
        exporter_attrs_deprecated: HashMap::from([("name".to_owned(), recipe.tags.join(","))]),
        frontend: "dockerfile.v0".to_owned(),
        frontend_attrs: attributes(recipe, caches, gateway)?,
        cache: Some(caches.options()),
        entitlements: recipe.entitlements.clone(),
        ..SolveRequest::default()
    })
}

fn attributes(
    recipe: &Recipe,
    caches: &Caches,
    gateway: Option<&str>,
) -> Result<HashMap<String, String>, Error> {
    let mut attributes = HashMap::new();
    let mut set = |key: &str, value: &str| {
        attributes.insert(key.to_owned(), value.to_owned());
    };
    set("filename", &filename(&recipe.dockerfile));
    if let Context::Remote(url) = &recipe.context {
        set("context", url);
        if !matches!(recipe.dockerfile, Dockerfile::Inside(_)) {
            set("dockerfilekey", DOCKERFILE_FOLDER);
        }
    }
    if let Some(target) = &recipe.target {
        set("target", target);
    }
    // An empty value means all stages.
    if recipe.no_cache {
        set("no-cache", "");
    } else if !recipe.no_cache_filter.is_empty() {
        set("no-cache", &recipe.no_cache_filter.join(","));
    }
    set(
        "image-resolve-mode",
        if recipe.pull { "pull" } else { "default" },
    );
    if let Some(platform) = &recipe.platform {
        set("platform", platform);
    }
    for (name, value) in &recipe.args {
        set(&format!("build-arg:{name}"), value);
    }
    for (name, value) in &recipe.labels {
        set(&format!("label:{name}"), value);
    }
    if let Some(network) = network(recipe)? {
        set("force-network-mode", network);
    }
    if let Some(size) = recipe.shm_size.filter(|size| *size > 0) {
        set("shm-size", &size.to_string());
    }
    if !recipe.ulimits.is_empty() {
        let limits = recipe.ulimits.iter();
        let limits = limits.map(|(name, soft, hard)| format!("{name}={soft}:{hard}"));
        set("ulimit", &limits.collect::<Vec<_>>().join(","));
    }
    if !recipe.extra_hosts.is_empty() {
        let hosts = recipe.extra_hosts.iter();
        let hosts = hosts.map(|(host, address)| match gateway {
            Some(gateway) if address == HOST_GATEWAY => format!("{host}={gateway}"),
            _ => format!("{host}={address}"),
        });
        set("add-hosts", &hosts.collect::<Vec<_>>().join(","));
    }
    if !recipe.contexts.is_empty() {
        set("frontend.caps", "moby.buildkit.frontend.contexts+forward");
    }
    for (name, context) in &recipe.contexts {
        let value = match context {
            NamedContext::Local(_) => format!("local:{}", folder_of(name)),
            NamedContext::Image(image) => format!("docker-image://{image}"),
            NamedContext::Reference(reference) => reference.clone(),
        };
        set(&format!("context:{name}"), &value);
    }
    if let Some(imports) = caches.imports() {
        set("cache-imports", &imports);
    }
    Ok(attributes)
}

fn filename(dockerfile: &Dockerfile) -> String {
    match dockerfile {
        Dockerfile::Inside(path) => path.clone(),
        Dockerfile::Outside(path) => path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        Dockerfile::Inline(_) => "Dockerfile".to_owned(),
    }
}

fn network(recipe: &Recipe) -> Result<Option<&str>, Error> {
    match recipe.network.as_deref() {
        None | Some("" | "default" | "bridge") => Ok(None),
        Some(mode @ ("host" | "none")) => Ok(Some(mode)),
        Some(other) => Err(problem(
            &recipe.service,
            "network",
            format!("the engine's BuildKit cannot build in network {other:?}"),
        )
        .remedy("use host or none, or build with DOCKER_BUILDKIT=0")),
    }
}
