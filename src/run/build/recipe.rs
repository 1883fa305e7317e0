//! A service's `build` with the command's options → everything that a build needs. Pure but for
//! looking whether a Dockerfile lies inside its context.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compose::model::{Build, Environment, Project, Service, SshKey, Ulimit};
use crate::run::Error;

/// What `build` (or `up --build`) was asked for.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// `--build-arg`; `None` takes the value from the project's environment.
    pub args: Environment,
    /// `--no-cache`.
    pub no_cache: bool,
    /// `--pull`.
    pub pull: bool,
    /// `--memory`, in bytes; not with BuildKit.
    pub memory: Option<i64>,
    /// `--ssh`.
    pub ssh: Vec<SshKey>,
    /// `--with-dependencies`.
    pub with_dependencies: bool,
    /// Between the parts of image names: `-`, or `_` with `--compatibility`.
    pub separator: Option<char>,
    /// `DOCKER_DEFAULT_PLATFORM`.
    pub default_platform: Option<String>,
    /// Whether to build for one platform even where several are given (`up`).
    pub single_platform: bool,
    /// `DOCKER_BUILDKIT=0`: the engine's first builder.
    pub classic: bool,
    /// How many images are built at once; all that can be where absent.
    pub parallel: Option<usize>,
}

/// Everything that one build needs.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) service: String,
    /// Names of the image; at least one.
    pub(super) tags: Vec<String>,
    pub(super) context: Context,
    pub(super) dockerfile: Dockerfile,
    pub(super) args: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) target: Option<String>,
    pub(super) cache_from: Vec<String>,
    pub(super) cache_to: Vec<String>,
    pub(super) no_cache: bool,
    pub(super) no_cache_filter: Vec<String>,
    pub(super) pull: bool,
    pub(super) platform: Option<String>,
    pub(super) network: Option<String>,
    pub(super) shm_size: Option<i64>,
    pub(super) ulimits: Vec<(String, i64, i64)>,
    /// Host and address.
    pub(super) extra_hosts: Vec<(String, String)>,
    pub(super) secrets: BTreeMap<String, SecretSource>,
    pub(super) ssh: Vec<SshKey>,
    pub(super) contexts: BTreeMap<String, NamedContext>,
    /// With what `privileged` and `network` ask for.
    pub(super) entitlements: Vec<String>,
    pub(super) privileged: bool,
    pub(super) memory: Option<i64>,
}

/// Where the files of a build come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Context {
    /// A folder.
    Local(PathBuf),
    /// A URL that the engine fetches by itself.
    Remote(String),
}

/// Where the instructions of a build come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dockerfile {
    /// A path relative to the context.
    Inside(String),
    /// A file that is not in the context.
    Outside(PathBuf),
    /// The text itself.
    Inline(String),
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretSource {
    /// A file.
    File(PathBuf),
    /// The value itself.
    Value(Vec<u8>),
}

/// A further context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NamedContext {
    /// A folder.
    Local(PathBuf),
    /// The image of another service of the project, by its name.
    Image(String),
    /// Something that the builder understands by itself (`docker-image://`, `https://`, git …).
    Reference(String),
}

/// The name of a service's image: `image`, or project and service.
pub fn image_name(project: &Project, service: &Service, separator: char) -> String {
    service
        .image
        .clone()
        .unwrap_or_else(|| format!("{}{separator}{}", project.name, service.name))
}

/// The services whose images `service` is built from.
pub(super) fn services_needed(service: &Service) -> impl Iterator<Item = &str> {
    let contexts = service.build.iter();
    contexts
        .flat_map(|build| build.additional_contexts.values())
        .filter_map(|context| context.strip_prefix("service:"))
}

impl Recipe {
    pub(super) fn new(
        project: &Project,
        service: &Service,
        build: &Build,
        options: &BuildOptions,
    ) -> Result<Self, Error> {
        refuse_unsupported(service, build)?;
        let separator = options.separator.unwrap_or('-');
        let mut tags = vec![image_name(project, service, separator)];
        tags.extend(build.tags.iter().cloned());
        let context = context(project, build);
        let mut ssh = build.ssh.clone();
        for key in &options.ssh {
            ssh.retain(|other| other.id != key.id);
            ssh.push(key.clone());
        }
        Ok(Self {
            service: service.name.clone(),
            tags,
            dockerfile: dockerfile(build, &context),
            context,
            args: args(project, build, options),
            labels: labels(project, service, build),
            target: build.target.clone(),
            cache_from: build.cache_from.clone(),
            cache_to: build.cache_to.clone(),
            no_cache: build.no_cache || options.no_cache,
            no_cache_filter: build.no_cache_filter.clone(),
            pull: build.pull || options.pull,
            platform: platform(service, build, options)?,
            network: build.network.clone(),
            shm_size: build.shm_size.map(|size| size.0),
            ulimits: ulimits(build),
            extra_hosts: build
                .extra_hosts
                .iter()
                .flat_map(|(host, addresses)| {
                    addresses
                        .iter()
                        .map(|address| (host.clone(), address.clone()))
                })
                .collect(),
            secrets: secrets(project, service, build)?,
            ssh,
            contexts: contexts(project, build, separator),
            entitlements: entitlements(build),
            privileged: build.privileged,
            memory: options.memory,
        })
    }
}

/// The entitlement of `RUN --security=insecure`.
pub(super) const INSECURE: &str = "security.insecure";

impl Recipe {
    /// Whether commands that ask for it get all that privileged containers have.
    pub(super) fn may_be_privileged(&self) -> bool {
        self.entitlements.iter().any(|name| name == INSECURE)
    }
}

/// A problem with an attribute of a service's `build`.
pub(super) fn problem(service: &str, attribute: &str, message: impl Into<String>) -> Error {
    let mut error = Error::new(message);
    error.path = ["services", service, "build", attribute]
        .map(str::to_owned)
        .to_vec();
    error
}

fn refuse_unsupported(service: &Service, build: &Build) -> Result<(), Error> {
    if let Some(isolation) = build
        .isolation
        .as_deref()
        .filter(|value| *value != "default")
    {
        return Err(problem(
            &service.name,
            "isolation",
            format!("isolation {isolation:?} of builds is not supported"),
        )
        .remedy("remove the attribute"));
    }
    let attestations = [("provenance", &build.provenance), ("sbom", &build.sbom)];
    for (name, value) in attestations {
        if !matches!(value.as_deref(), None | Some("" | "false")) {
            let message = format!("`build.{name}`: attestations are not supported");
            return Err(problem(&service.name, name, message).remedy("remove the attribute"));
        }
    }
    Ok(())
}

fn context(project: &Project, build: &Build) -> Context {
    let text = build.context.as_deref().unwrap_or(".");
    if is_remote(text) {
        return Context::Remote(text.to_owned());
    }
    Context::Local(project.working_dir.join(text))
}

/// Whether a context is a URL, or a git repository in short form.
pub(super) fn is_remote(text: &str) -> bool {
    const SCHEMES: [&str; 5] = ["https://", "http://", "git://", "ssh://", "git@"];
    SCHEMES.iter().any(|scheme| text.starts_with(scheme)) || text.starts_with("github.com/")
}

fn dockerfile(build: &Build, context: &Context) -> Dockerfile {
    if let Some(text) = &build.dockerfile_inline {
        return Dockerfile::Inline(text.clone());
    }
    let name = build.dockerfile.as_deref().unwrap_or("Dockerfile");
    let Context::Local(root) = context else {
        return Dockerfile::Inside(name.to_owned());
    };
    let path = normal(&root.join(name));
    match path.strip_prefix(normal(root)) {
        Ok(inside) => Dockerfile::Inside(slashes(inside)),
        Err(_) => Dockerfile::Outside(path),
    }
}

/// Takes `.` and `..` out of a path.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

fn slashes(path: &Path) -> String {
    let parts = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// The file's arguments under those of the command line; one without a value anywhere is left
/// out.
fn args(project: &Project, build: &Build, options: &BuildOptions) -> BTreeMap<String, String> {
    let given = build.args.iter().chain(&options.args);
    let mut args = BTreeMap::new();
    for (name, value) in given {
        let value = value
            .clone()
            .or_else(|| project.environment.get(name).cloned());
        if let Some(value) = value {
            args.insert(name.clone(), value);
        }
    }
    args
}

fn labels(project: &Project, service: &Service, build: &Build) -> BTreeMap<String, String> {
    let mut labels = build.labels.clone();
    let ours = [
        ("com.docker.compose.project", project.name.as_str()),
        ("com.docker.compose.service", service.name.as_str()),
        ("com.docker.compose.version", COMPATIBLE_VERSION),
    ];
    for (key, value) in ours {
        labels.insert(key.to_owned(), value.to_owned());
    }
    labels
}

/// The version of docker compose whose labels these are.
const COMPATIBLE_VERSION: &str = "2.40.3";

fn platform(
    service: &Service,
    build: &Build,
    options: &BuildOptions,
) -> Result<Option<String>, Error> {
    let name = &service.name;
    let wanted = service
        .platform
        .as_ref()
        .or(options.default_platform.as_ref());
    if let Some(wanted) = wanted {
        if !build.platforms.is_empty() && !build.platforms.contains(wanted) {
            return Err(problem(
                name,
                "platforms",
                format!("the service's platform {wanted} is not among those of its build"),
            )
            .remedy("add it to `build.platforms`, or change `platform`"));
        }
        return Ok(Some(wanted.clone()));
    }
    match build.platforms.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        // One container runs on one platform: the engine's own.
        _ if options.single_platform => Ok(None),
        many => Err(problem(
            name,
            "platforms",
            format!(
                "building service {name:?} for several platforms at once ({}) is not supported",
                many.join(", ")
            ),
        )
        .remedy("choose one with `platform` or DOCKER_DEFAULT_PLATFORM")),
    }
}

fn ulimits(build: &Build) -> Vec<(String, i64, i64)> {
    let limits = |limit: &Ulimit| {
        let one = limit.single.unwrap_or(0);
        (limit.soft.unwrap_or(one), limit.hard.unwrap_or(one))
    };
    let named = build.ulimits.iter();
    named
        .map(|(name, limit)| {
            let (soft, hard) = limits(limit);
            (name.clone(), soft, hard)
        })
        .collect()
}

fn secrets(
    project: &Project,
    service: &Service,
    build: &Build,
) -> Result<BTreeMap<String, SecretSource>, Error> {
    let mut sources = BTreeMap::new();
    for reference in &build.secrets {
        let key = &reference.source;
        let wrong = |text: String| {
            problem(
                &service.name,
                "secrets",
                format!(
                    "secret {key:?} of the build of service {:?} {text}",
                    service.name
                ),
            )
        };
        let secret = project.secrets.get(key).ok_or_else(|| {
            wrong("is not defined".to_owned()).remedy("define it under `secrets`")
        })?;
        let from_environment = || {
            let name = secret.environment.as_ref()?;
            project.environment.get(name).cloned()
        };
        let source = if let Some(file) = &secret.file {
            SecretSource::File(project.working_dir.join(file))
        } else if let Some(value) = secret.content.clone().or_else(from_environment) {
            SecretSource::Value(value.into_bytes())
        } else if let Some(name) = &secret.environment {
            return Err(
                wrong(format!("needs the variable {name}, which is not set"))
                    .remedy(format!("set {name}")),
            );
        } else {
            return Err(wrong("is external, which builds cannot use".to_owned())
                .remedy("give it a `file` or an `environment` variable"));
        };
        let id = reference.target.as_ref().unwrap_or(key);
        sources.insert(id.clone(), source);
    }
    Ok(sources)
}

fn contexts(project: &Project, build: &Build, separator: char) -> BTreeMap<String, NamedContext> {
    let mut contexts = BTreeMap::new();
    for (name, text) in &build.additional_contexts {
        let context = if let Some(other) = text.strip_prefix("service:") {
            let service = project
                .services
                .get(other)
                .or_else(|| project.disabled_services.get(other));
            let image = service.map_or_else(
                || format!("{}{separator}{other}", project.name),
                |service| image_name(project, service, separator),
            );
            NamedContext::Image(image)
        } else if is_remote(text) || text.contains("://") {
            NamedContext::Reference(text.clone())
        } else {
            NamedContext::Local(project.working_dir.join(text))
        };
        contexts.insert(name.clone(), context);
    }
    contexts
}

fn entitlements(build: &Build) -> Vec<String> {
    let mut entitlements = build.entitlements.clone();
    let mut add = |name: &str| {
        if !entitlements.iter().any(|known| known == name) {
            entitlements.push(name.to_owned());
        }
    };
    if build.privileged {
        add(INSECURE);
    }
    if build.network.as_deref() == Some("host") {
        add("network.host");
    }
    entitlements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(context: &str, dockerfile_name: &str) -> Dockerfile {
        let build = Build {
            dockerfile: Some(dockerfile_name.to_owned()),
            ..Build::default()
        };
        dockerfile(&build, &Context::Local(PathBuf::from(context)))
    }

    #[test]
    fn dockerfiles_lie_inside_or_outside_the_context() {
        let inside = |path: &str| Dockerfile::Inside(path.to_owned());
        assert_eq!(local("/p/web", "Dockerfile"), inside("Dockerfile"));
        assert_eq!(local("/p/web", "./docker/prod"), inside("docker/prod"));
        assert_eq!(local("/p/web/.", "/p/web/D"), inside("D"));
        assert_eq!(
            local("/p/web", "../Dockerfile.web"),
            Dockerfile::Outside("/p/Dockerfile.web".into())
        );
    }

    #[test]
    fn remote_contexts_are_recognised() {
        for text in [
            "https://h/x.git#main",
            "git@h:a/b.git",
            "ssh://git@h/a",
            "github.com/a/b",
        ] {
            assert!(is_remote(text), "{text}");
        }
        for text in ["/abs/path", "./rel", "folder", "c:/x"] {
            assert!(!is_remote(text), "{text}");
        }
    }

    #[test]
    fn several_platforms_are_refused_unless_one_is_chosen() {
        let build = Build {
            platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
            ..Build::default()
        };
        let mut service = Service {
            name: "web".to_owned(),
            ..Service::default()
        };
        let options = BuildOptions::default();
        let error = platform(&service, &build, &options).err();
        assert!(error.is_some_and(|error| error.path.join(".") == "services.web.build.platforms"));
        service.platform = Some("linux/arm64".to_owned());
        let chosen = platform(&service, &build, &options).ok().flatten();
        assert_eq!(chosen.as_deref(), Some("linux/arm64"));
        service.platform = Some("linux/s390x".to_owned());
        assert!(platform(&service, &build, &options).is_err());
    }
}
