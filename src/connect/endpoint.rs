//! Where an engine may be, from options, environment and configuration files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{bundled, context};
use crate::run::Error;

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A Windows named pipe, as `npipe://` URL.
    Pipe(String),
    /// HTTP.
    Tcp {
        /// `tcp://host:port`.
        host: String,
        /// Certificates where the connection is encrypted.
        tls: Option<Tls>,
    },
    /// Over ssh, as `ssh://` URL.
    Ssh(String),
}

/// Files for an encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate authority.
    pub ca: PathBuf,
    /// The client's certificate.
    pub cert: PathBuf,
    /// The client's key.
    pub key: PathBuf,
}

impl Tls {
    /// `ca.pem`, `cert.pem` and `key.pem` of a folder.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}

impl Address {
    /// The address as `DOCKER_HOST` takes it.
    pub fn url(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{}", path.display()),
            Self::Pipe(url) | Self::Ssh(url) => url.clone(),
            Self::Tcp { host, .. } => host.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Pipe(url) | Self::Ssh(url) => f.write_str(url),
            Self::Tcp { host, .. } => f.write_str(host),
        }
    }
}

/// Places to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidates {
    /// The places.
    pub(super) addresses: Vec<Address>,
    /// What the person chose them with; nothing where they are the usual places.
    pub(super) chosen_by: Option<String>,
    /// Whether the bundled engine is the last place, and started if need be.
    pub(super) bundled: bool,
}

impl Candidates {
    fn chosen(address: Address, by: impl Into<String>) -> Self {
        Self {
            addresses: vec![address],
            chosen_by: Some(by.into()),
            bundled: false,
        }
    }
}

type Env = BTreeMap<String, String>;

/// Lists the places to try. `choice` is `--engine`.
pub(super) fn candidates(choice: Option<&str>, env: &Env) -> Result<Candidates, Error> {
    match choice.filter(|choice| !choice.is_empty()) {
        Some("docker") => Ok(docker_choice(env)?.unwrap_or_else(|| Candidates {
            addresses: docker_sockets(env),
            chosen_by: Some("--engine docker".to_owned()),
            bundled: false,
        })),
        Some("podman") => Ok(Candidates {
            addresses: podman_sockets(env),
            chosen_by: Some("--engine podman".to_owned()),
            bundled: false,
        }),
        Some("bundled") => match bundled::address(env) {
            Some(address) => Ok(Candidates {
                bundled: true,
                ..Candidates::chosen(address, "--engine bundled")
            }),
            None => Err(Error::new("the bundled engine runs on Linux only")
                .remedy("use --engine docker or --engine podman")),
        },
        Some(address) => Ok(Candidates::chosen(
            parse(address, env)?,
            format!("--engine {address}"),
        )),
        None => Ok(docker_choice(env)?.unwrap_or_else(|| {
            let mut addresses = docker_sockets(env);
            addresses.extend(podman_sockets(env));
            let bundled = bundled::address(env);
            Candidates {
                bundled: bundled.is_some(),
                addresses: addresses.into_iter().chain(bundled).collect(),
                chosen_by: None,
            }
        })),
    }
}

/// What the environment and the docker configuration choose, as the docker command does it:
/// `DOCKER_HOST`, then `DOCKER_CONTEXT`, then the current context.
fn docker_choice(env: &Env) -> Result<Option<Candidates>, Error> {
    if let Some(host) = non_empty(env, "DOCKER_HOST") {
        let address = parse(host, env)?;
        return Ok(Some(Candidates::chosen(
            address,
            format!("DOCKER_HOST={host}"),
        )));
    }
    let folder = docker_config_folder(env);
    let (name, origin) = match non_empty(env, "DOCKER_CONTEXT") {
        Some(name) => (name.to_owned(), format!("DOCKER_CONTEXT={name}")),
        None => match folder.as_deref().and_then(context::current) {
            Some(name) => {
                let origin = format!("the docker context \"{name}\"");
                (name, origin)
            }
            None => return Ok(None),
        },
    };
    if name == "default" {
        return Ok(None);
    }
    let context = folder
        .as_deref()
        .and_then(|folder| context::read(folder, &name))
        .ok_or_else(|| {
            Error::new(format!("docker context \"{name}\" does not exist"))
                .remedy("choose another one with `docker context use`, or set DOCKER_HOST")
        })?;
    let mut address = parse(&context.host, env)?;
    if let Address::Tcp { tls, .. } = &mut address
        && context.tls.is_some()
    {
        *tls = context.tls;
    }
    Ok(Some(Candidates::chosen(address, origin)))
}

/// Reads an address as `--engine` and `DOCKER_HOST` give it.
fn parse(text: &str, env: &Env) -> Result<Address, Error> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(match text.chars().next() {
            Some('/' | '.' | '~') => Address::Unix(PathBuf::from(text)),
            _ => tcp(text, env),
        });
    };
    match scheme {
        "unix" => Ok(Address::Unix(PathBuf::from(rest))),
        "npipe" => Ok(Address::Pipe(text.to_owned())),
        "tcp" | "http" => Ok(tcp(rest, env)),
        "https" => Ok(Address::Tcp {
            host: format!("tcp://{}", with_port(rest, "2376")),
            tls: Some(default_tls(env)),
        }),
        "ssh" => Ok(Address::Ssh(text.to_owned())),
        _ => Err(Error::new(format!("unknown engine address \"{text}\"")).remedy(
            "give bundled, docker, podman, a socket path, or a URL with unix://, tcp://, https://, ssh:// or npipe://",
        )),
    }
}

fn tcp(host: &str, env: &Env) -> Address {
    let tls = non_empty(env, "DOCKER_TLS_VERIFY").map(|_| default_tls(env));
    let port = if tls.is_some() { "2376" } else { "2375" };
    Address::Tcp {
        host: format!("tcp://{}", with_port(host, port)),
        tls,
    }
}

fn with_port(host: &str, port: &str) -> String {
    let host = host.trim_end_matches('/');
    let host = if host.is_empty() { "localhost" } else { host };
    let bare = host.rsplit_once(']').map_or(host, |(_, after)| after);
    if bare.contains(':') || host.contains('/') {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

fn default_tls(env: &Env) -> Tls {
    let folder = non_empty(env, "DOCKER_CERT_PATH")
        .map(PathBuf::from)
        .or_else(|| docker_config_folder(env))
        .unwrap_or_default();
    Tls::in_folder(&folder)
}

fn docker_sockets(env: &Env) -> Vec<Address> {
    if cfg!(windows) {
        return vec![Address::Pipe("npipe:////./pipe/docker_engine".to_owned())];
    }
    let mut paths = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(runtime) = non_empty(env, "XDG_RUNTIME_DIR") {
        paths.push(Path::new(runtime).join("docker.sock"));
    }
    if let Some(home) = home(env) {
        paths.push(home.join(".docker/run/docker.sock"));
    }
    unix(paths)
}

fn podman_sockets(env: &Env) -> Vec<Address> {
    if cfg!(windows) {
        return vec![Address::Pipe(
            "npipe:////./pipe/podman-machine-default".to_owned(),
        )];
    }
    let mut paths = Vec::new();
    if let Some(runtime) = non_empty(env, "XDG_RUNTIME_DIR") {
        paths.push(Path::new(runtime).join("podman/podman.sock"));
    }
    paths.push(PathBuf::from("/run/podman/podman.sock"));
    unix(paths)
}

fn unix(paths: Vec<PathBuf>) -> Vec<Address> {
    paths.into_iter().map(Address::Unix).collect()
}

/// The docker command's folder of configuration: `DOCKER_CONFIG`, or `.docker` in the home folder.
pub fn docker_config_folder(env: &Env) -> Option<PathBuf> {
    match non_empty(env, "DOCKER_CONFIG") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => home(env).map(|home| home.join(".docker")),
    }
}

fn home(env: &Env) -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    non_empty(env, name).map(PathBuf::from)
}

fn non_empty<'e>(env: &'e Env, name: &str) -> Option<&'e str> {
    env.get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn only(candidates: Candidates) -> Address {
        assert_eq!(candidates.addresses.len(), 1, "{candidates:?}");
        candidates.addresses.into_iter().next().expect("one")
    }

    #[test]
    fn docker_host_decides_over_a_context() {
        let env = env(&[
            ("DOCKER_HOST", "unix:///tmp/x.sock"),
            ("DOCKER_CONTEXT", "nowhere"),
        ]);
        assert_eq!(
            only(candidates(None, &env).expect("valid")),
            Address::Unix("/tmp/x.sock".into())
        );
    }

    #[test]
    fn an_engine_option_decides_over_docker_host() {
        let env = env(&[("DOCKER_HOST", "unix:///tmp/x.sock")]);
        assert_eq!(
            only(candidates(Some("tcp://box"), &env).expect("valid")),
            Address::Tcp {
                host: "tcp://box:2375".to_owned(),
                tls: None
            }
        );
        let podman = candidates(Some("podman"), &env).expect("valid");
        assert_eq!(
            podman.addresses,
            vec![Address::Unix("/run/podman/podman.sock".into())]
        );
    }

    #[test]
    fn tls_comes_from_the_environment() {
        let env = env(&[
            ("DOCKER_HOST", "tcp://box"),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_CERT_PATH", "/certs"),
        ]);
        assert_eq!(
            only(candidates(None, &env).expect("valid")),
            Address::Tcp {
                host: "tcp://box:2376".to_owned(),
                tls: Some(Tls::in_folder(Path::new("/certs")))
            }
        );
    }

    #[test]
    fn a_context_is_read_from_the_docker_configuration() {
        let folder = tempfile::tempdir().expect("folder");
        let id = context::folder_name("box").expect("a digest");
        let meta = folder.path().join("contexts/meta").join(id);
        std::fs::create_dir_all(&meta).expect("folder");
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"box","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://me@box","SkipTLSVerify":false}}}"#,
        )
        .expect("file");
        std::fs::write(
            folder.path().join("config.json"),
            r#"{"currentContext":"box"}"#,
        )
        .expect("file");
        let env = env(&[("DOCKER_CONFIG", &folder.path().to_string_lossy())]);
        let found = candidates(None, &env).expect("valid");
        assert_eq!(only(found), Address::Ssh("ssh://me@box".to_owned()));
    }

    #[test]
    fn a_missing_context_is_named() {
        let error = candidates(None, &env(&[("DOCKER_CONTEXT", "gone")])).expect_err("missing");
        assert_eq!(error.message, "docker context \"gone\" does not exist");
    }

    #[test]
    fn without_a_choice_docker_comes_before_podman() {
        let env = env(&[("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/nohome")]);
        let found = candidates(None, &env).expect("valid");
        let names: Vec<String> = found.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "/var/run/docker.sock",
                "/run/user/7/docker.sock",
                "/nohome/.docker/run/docker.sock",
                "/run/user/7/podman/podman.sock",
                "/run/podman/podman.sock",
                "/run/rcompose/engine.sock"
            ]
        );
    }

    #[test]
    fn an_unknown_scheme_is_refused() {
        let error = candidates(Some("ftp://x"), &Env::new()).expect_err("unknown");
        assert_eq!(error.message, "unknown engine address \"ftp://x\"");
    }

    #[test]
    fn the_bundled_engine_is_where_the_environment_says() {
        let env = env(&[("RCOMPOSE_ENGINE_SOCKET", "/tmp/e.sock")]);
        let found = candidates(Some("bundled"), &env);
        if cfg!(target_os = "linux") {
            let found = found.expect("valid");
            assert!(found.bundled);
            assert_eq!(only(found), Address::Unix("/tmp/e.sock".into()));
        } else {
            assert!(found.is_err());
        }
        for choice in ["docker", "podman", "unix:///x.sock"] {
            assert!(!candidates(Some(choice), &env).expect("valid").bundled);
        }
    }
}
