//! Builds by posting a tar to the engine: its first builder, other engines that have only that,
//! and BuildKit where no session can be opened.

use std::time::Instant;

use bollard::Docker;
use bollard::models::BuildInfoAux;
use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};
use futures::StreamExt as _;

use super::agents::agents;
use super::archive::{Archive, Extra};
use super::classic::Classic;
use super::failure::{self, Report};
use super::ignore::{Ignore, clean};
use super::kept;
use super::recipe::{Context, Dockerfile, INSECURE, Recipe, problem};
use super::trace::Trace;
use crate::connect::Engine;
use crate::report::event::{Event, Sender, send};
use crate::run::Error;
use crate::run::error::Kind;
use crate::run::registry_auth::RegistryAuth;

/// Which builder of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builder {
    /// The first one, or whatever the engine has.
    Classic,
    /// BuildKit.
    BuildKit,
}

/// Name of a Dockerfile in the archive that does not come from the context.
const ADDED_DOCKERFILE: &str = ".dockerfile.rcompose";

/// Tells which caches the builder will not use.
fn warn_of_caches(engine: &Engine, recipe: &Recipe, sender: &Sender) {
    let service = &recipe.service;
    let warn = |attribute: &str, why: &str| {
        let text = format!("service {service:?}: `build.{attribute}` has no effect: {why}");
        send(sender, Event::Warning(text));
    };
    if !recipe.cache_to.is_empty() {
        warn(
            "cache_to",
            "this engine's builder writes its cache nowhere else",
        );
    }
    if engine.bundled && !recipe.cache_from.is_empty() {
        warn(
            "cache_from",
            "this engine's builder asks its own cache only",
        );
    }
}

/// Builds an image and returns its id. The second recipe is that of the person: the first may have instructions that were
/// changed for the builder.
pub(super) async fn build(
    engine: &Engine,
    (recipe, original): (&Recipe, &Recipe),
    builder: Builder,
    auth: &RegistryAuth,
    sender: &Sender,
) -> Result<String, Error> {
    refuse_unsupported(recipe, engine.bundled)?;
    warn_of_caches(engine, recipe, sender);
    let docker = &engine.docker;
    let (dockerfile, mut archive) = archive(recipe, &original.dockerfile)?;
    let mut options = BuildImageOptionsBuilder::default()
        .dockerfile(&dockerfile)
        .t(&recipe.tags[0])
        .nocache(recipe.no_cache)
        .rm(true)
        .forcerm(true)
        .platform(recipe.platform.as_deref().unwrap_or_default())
        .target(recipe.target.as_deref().unwrap_or_default())
        .buildargs(&recipe.args.clone().into_iter().collect())
        .labels(&labels(recipe, builder));
    if let Context::Remote(url) = &recipe.context {
        options = options.remote(url);
    }
    if recipe.pull {
        options = options.pull("1");
    }
    if !recipe.cache_from.is_empty() {
        options = options.cachefrom(&recipe.cache_from);
    }
    if let Some(network) = &recipe.network {
        options = options.networkmode(network);
    }
    if let Some(size) = recipe.shm_size.and_then(|size| i32::try_from(size).ok()) {
        options = options.shmsize(size);
    }
    if let Some(memory) = recipe.memory.and_then(|memory| i32::try_from(memory).ok()) {
        options = options.memory(memory);
    }
    if !recipe.extra_hosts.is_empty() {
        let hosts = recipe.extra_hosts.iter();
        let hosts: Vec<String> = hosts.map(|(host, ip)| format!("{host}:{ip}")).collect();
        options = options.extrahosts(&hosts.join(","));
    }
    if builder == Builder::BuildKit {
        let id: [u8; 16] = rand::random();
        let id = crate::run::hex(&id);
        options = options
            .version(BuilderVersion::BuilderBuildKit)
            .session(&id);
    }
    let credentials = auth.all().await;
    let (sockets, _started) = if engine.bundled {
        agents(recipe).await?
    } else {
        Default::default()
    };
    if engine.bundled {
        let recipe = (recipe, dockerfile.as_str());
        let session = kept::offer(engine, recipe, &mut archive, &credentials, &sockets).await?;
        // It tells its progress as BuildKit does.
        options = options
            .version(BuilderVersion::BuilderBuildKit)
            .session(&session);
    }
    let (context, packing) = archive.stream();
    let body = bollard::body_try_stream(context);
    let credentials = Some(credentials);
    let mut messages = docker.build_image(options.build(), credentials, Some(body));
    let mut reader = Reader::new(recipe);
    while let Some(message) = messages.next().await {
        match message {
            Ok(message) => reader.take(message, sender),
            Err(error) => {
                return Err(packing
                    .take()
                    .unwrap_or_else(|| reader.failure(original, error, sender)));
            }
        }
    }
    for tag in &recipe.tags[1..] {
        tag_image(docker, &recipe.tags[0], tag).await?;
    }
    let image = docker.inspect_image(&recipe.tags[0]).await?;
    Ok(image.id.or(reader.image).unwrap_or_default())
}

async fn tag_image(docker: &Docker, image: &str, tag: &str) -> Result<(), Error> {
    let reference = crate::run::reference::Reference::parse(tag);
    let options = bollard::query_parameters::TagImageOptionsBuilder::default()
        .repo(reference.name)
        .tag(reference.tag_or_digest())
        .build();
    Ok(docker.tag_image(image, Some(options)).await?)
}

/// What this way of building cannot do.
fn refuse_unsupported(recipe: &Recipe, bundled: bool) -> Result<(), Error> {
    // The bundled engine is handed more beside the request.
    let is_small = |size: i64| i32::try_from(size).is_ok();
    if !bundled && !recipe.memory.is_none_or(is_small) {
        let message = "--memory of 2 GiB or more is not supported by this engine's builder";
        return Err(Error::new(message).remedy("allow less, or leave it out"));
    }
    let is_known = |name: &str| name == "network.host" || bundled && name == INSECURE;
    let given = [
        ("secrets", !recipe.secrets.is_empty() && !bundled),
        ("ssh", !recipe.ssh.is_empty() && !bundled),
        ("additional_contexts", !recipe.contexts.is_empty()),
        (
            "no_cache_filter",
            !recipe.no_cache_filter.is_empty() && !bundled,
        ),
        ("ulimits", !recipe.ulimits.is_empty() && !bundled),
        (
            "shm_size",
            !bundled && !recipe.shm_size.is_none_or(is_small),
        ),
        ("privileged", recipe.privileged && !bundled),
        (
            "entitlements",
            !recipe.entitlements.iter().all(|name| is_known(name)),
        ),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(problem(
            &recipe.service,
            name,
            format!("`build.{name}` is not supported by this engine's builder"),
        )
        .remedy("use an engine with BuildKit over a local socket, or remove the attribute")),
        None => Ok(()),
    }
}

fn labels(recipe: &Recipe, builder: Builder) -> std::collections::HashMap<String, String> {
    let mut labels: std::collections::HashMap<_, _> = recipe.labels.clone().into_iter().collect();
    if builder == Builder::Classic {
        labels.insert(
            "com.docker.compose.image.builder".to_owned(),
            "classic".to_owned(),
        );
    }
    labels
}

/// The Dockerfile's name in the archive, and the archive; `written` is the Dockerfile before it was changed for the builder.
fn archive(recipe: &Recipe, written: &Dockerfile) -> Result<(String, Archive), Error> {
    let service = &recipe.service;
    let mut archive = Archive {
        root: None,
        ignore: Ignore::default(),
        always: None,
        extras: Vec::new(),
        scanned: None,
    };
    let root = match &recipe.context {
        Context::Local(root) => root.clone(),
        Context::Remote(_) => {
            let Dockerfile::Inside(name) = &recipe.dockerfile else {
                return Err(Error::new(format!(
                    "services.{service}.build: a Dockerfile from here cannot go with a remote \
                     context on this engine's builder"
                ))
                .remedy("put the Dockerfile into the remote context"));
            };
            return Ok((name.clone(), archive));
        }
    };
    archive.ignore = ignore_file(&root, written)?;
    let dockerfile = match &recipe.dockerfile {
        // The builder needs it, and `COPY` may not see it.
        Dockerfile::Inside(name) if archive.ignore.excludes(&clean(name)) => {
            archive.add_dockerfile(read_dockerfile(service, &root.join(name))?)
        }
        Dockerfile::Inside(name) => {
            archive.always = Some(name.clone());
            name.clone()
        }
        Dockerfile::Outside(path) => archive.add_dockerfile(read_dockerfile(service, path)?),
        Dockerfile::Inline(text) => archive.add_dockerfile(text.clone().into_bytes()),
    };
    archive.root = Some(root);
    Ok((dockerfile, archive))
}

fn read_dockerfile(service: &str, path: &std::path::Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        let place = path.display();
        Error::new(format!(
            "cannot read the Dockerfile of service {service:?}: {place}: {error}"
        ))
        .remedy("create it, or name another one with `build.dockerfile`")
    })
}

impl Archive {
    fn add_dockerfile(&mut self, content: Vec<u8>) -> String {
        self.extras.push(Extra {
            path: ADDED_DOCKERFILE.to_owned(),
            content,
        });
        ADDED_DOCKERFILE.to_owned()
    }
}

/// The patterns beside the Dockerfile, otherwise those of the context.
fn ignore_file(root: &std::path::Path, dockerfile: &Dockerfile) -> Result<Ignore, Error> {
    let beside = match dockerfile {
        Dockerfile::Inside(path) => Some(root.join(format!("{path}.dockerignore"))),
        Dockerfile::Outside(path) => {
            let mut name = path.clone().into_os_string();
            name.push(".dockerignore");
            Some(name.into())
        }
        Dockerfile::Inline(_) => None,
    };
    for path in beside.into_iter().chain([root.join(".dockerignore")]) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ignore::parse(&text, &path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Error::new(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        }
    }
    Ok(Ignore::default())
}

/// The patterns of a folder that is no build context of its own.
pub(super) fn ignore_file_of(root: &std::path::Path) -> Result<Ignore, Error> {
    ignore_file(root, &Dockerfile::Inline(String::new()))
}

/// Reads the engine's messages.
struct Reader {
    trace: Trace,
    classic: Classic,
    image: Option<String>,
    /// Text without a line end yet.
    rest: String,
}

impl Reader {
    fn new(recipe: &Recipe) -> Self {
        Self {
            trace: Trace::new(&recipe.service),
            classic: Classic::new(&recipe.service),
            image: None,
            rest: String::new(),
        }
    }

    fn take(&mut self, message: bollard::models::BuildInfo, sender: &Sender) {
        match message.aux {
            Some(BuildInfoAux::BuildKit(status)) => {
                for event in self.trace.take(status) {
                    send(sender, event);
                }
            }
            Some(BuildInfoAux::Default(image)) => self.image = image.id,
            None => {}
        }
        let Some(text) = message.stream else {
            return;
        };
        self.rest.push_str(&text);
        let Some(end) = self.rest.rfind('\n') else {
            return;
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let now = Instant::now();
        for line in whole.lines().filter(|line| !line.trim().is_empty()) {
            for event in self.classic.take(line, now) {
                send(sender, event);
            }
        }
    }

    fn failure(
        &mut self,
        recipe: &Recipe,
        error: bollard::errors::Error,
        sender: &Sender,
    ) -> Error {
        let error = Error::from(error);
        let (event, failed) = self.classic.fail(&error.message, Instant::now());
        if let Some(event) = event {
            send(sender, event);
        }
        if error.kind == Kind::Connection {
            let service = &recipe.service;
            return error.while_doing(format!("cannot build the image of service {service:?}"));
        }
        let report = Report {
            text: error.message,
            lines: None,
            step: self.trace.failed().or(failed),
        };
        let mut located = failure::error(recipe, report);
        located.remedy = located.remedy.or(error.remedy);
        located.kind = error.kind;
        located
    }
}
