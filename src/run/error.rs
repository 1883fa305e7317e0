//! What running can fail with.

use crate::report::Excerpt;

/// A failure while talking to the engine or doing what a plan says.
///
/// `Display` shows the message alone; the remedy is shown below it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong and where: lower-case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Exit code of the program.
    pub code: u8,
    /// What kind of failure it is, for those who handle some of them.
    pub kind: Kind,
    /// Path of the attribute in the compose files that has to do with it, such as
    /// `services`, `web`, `ports`; empty where there is none.
    pub path: Vec<String>,
    /// The lines of a file that have to do with it, where there are some.
    pub excerpt: Option<Box<Excerpt>>,
}

/// Kinds of failures that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The engine said no.
    Refused,
    /// The engine does not know the thing.
    NotFound,
    /// The thing exists already, or is in use.
    Conflict,
    /// The engine could not be reached, or the connection broke.
    Connection,
    /// The person interrupted.
    Interrupted,
    /// Anything else.
    Other,
}

impl Error {
    /// A failure with exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: None,
            code: 1,
            kind: Kind::Other,
            path: Vec::new(),
            excerpt: None,
        }
    }

    /// The person pressed Ctrl-C or the process was told to end.
    pub fn interrupted() -> Self {
        Self {
            message: "interrupted".to_owned(),
            remedy: None,
            code: 130,
            kind: Kind::Interrupted,
            path: Vec::new(),
            excerpt: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn while_doing(mut self, what: impl std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Sets the attribute of a service that has to do with it, as far as the engine's words
    /// tell which one it is.
    #[must_use]
    pub fn of_service(mut self, service: &str) -> Self {
        if self.path.is_empty() && !service.is_empty() {
            self.path = vec!["services".to_owned(), service.to_owned()];
            self.path
                .extend(attribute_for(&self.message).map(str::to_owned));
        }
        self
    }

    /// Several failures as one: the first decides the code, all messages are shown.
    pub fn join(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        for error in errors {
            if !first.message.lines().any(|line| line == error.message) {
                first.message.push('\n');
                first.message.push_str(&error.message);
            }
            first.remedy = first.remedy.or(error.remedy);
        }
        Some(first)
    }

    /// Whether the engine does not know the thing asked for.
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }
}

impl From<bollard::errors::Error> for Error {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as Engine;
        match error {
            Engine::DockerResponseServerError {
                status_code,
                message,
            } => {
                let kind = match status_code {
                    404 => Kind::NotFound,
                    409 => Kind::Conflict,
                    _ => Kind::Refused,
                };
                let remedy = remedy_for(&message);
                Self {
                    message,
                    remedy,
                    code: 1,
                    kind,
                    path: Vec::new(),
                    excerpt: None,
                }
            }
            Engine::DockerStreamError { error } => {
                let remedy = remedy_for(&error);
                Self {
                    message: error,
                    remedy,
                    code: 1,
                    kind: Kind::Refused,
                    path: Vec::new(),
                    excerpt: None,
                }
            }
            Engine::HyperResponseError { .. }
            | Engine::HyperLegacyError { .. }
            | Engine::RequestTimeoutError
            | Engine::IOError { .. }
            | Engine::SocketNotFoundError(_) => Self {
                message: format!("lost the connection to the engine: {error}"),
                remedy: Some(
                    "check that the engine runs, then run the same command again".to_owned(),
                ),
                code: 1,
                kind: Kind::Connection,
                path: Vec::new(),
                excerpt: None,
            },
            other => Self::new(other.to_string()),
        }
    }
}

/// The attribute of a service that a refusal of the engine is about.
fn attribute_for(message: &str) -> Option<&'static str> {
    let message = message.to_lowercase();
    let table = [
        ("port is already allocated", "ports"),
        ("address already in use", "ports"),
        ("no such image", "image"),
        ("is already in use by container", "container_name"),
        ("invalid mount config", "volumes"),
        ("bind source path", "volumes"),
        ("mounts denied", "volumes"),
        ("error while creating mount source path", "volumes"),
        ("error gathering device information", "devices"),
        ("device driver", "deploy"),
        ("executable file not found", "command"),
        ("invalid ip", "networks"),
        ("user specified ip", "networks"),
        ("no configured subnet", "networks"),
        ("unknown log driver", "logging"),
        ("logging driver", "logging"),
        ("unknown or invalid runtime", "runtime"),
        ("unable to find user", "user"),
        ("sysctl", "sysctls"),
    ];
    let found = table.iter().find(|(words, _)| message.contains(words))?;
    Some(found.1)
}

/// What helps against well-known refusals of the engine.
fn remedy_for(message: &str) -> Option<String> {
    let message = message.to_lowercase();
    let text = if message.contains("port is already allocated")
        || message.contains("address already in use")
    {
        "stop whatever uses the port on the host, or publish another one under `ports`"
    } else if message.contains("no space left on device") {
        "free some space on the engine's disk (unused images and volumes, for example), then run the same command again"
    } else if message.contains("no such image") {
        "pull or build the image first: drop `--pull never`/`--no-build`, or check the name under `image`"
    } else if message.contains("is already in use by container") {
        "remove or rename that container, or choose another `container_name`"
    } else if message.contains("pool overlaps") || message.contains("address pools have been") {
        "give the network another subnet under `ipam`, or remove networks that are not used any more"
    } else if message.contains("mounts denied")
        || message.contains("bind source path does not exist")
    {
        "create the folder on the engine's host, or set `bind.create_host_path: true`"
    } else if message.contains("client version") && message.contains("too old") {
        "use a newer engine API version: unset DOCKER_API_VERSION"
    } else if message.contains("permission denied") && message.contains("socket") {
        "add your user to the group that owns the engine's socket, or run as root"
    } else {
        return None;
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status_code: u16, message: &str) -> Error {
        bollard::errors::Error::DockerResponseServerError {
            status_code,
            message: message.to_owned(),
        }
        .into()
    }

    #[test]
    fn engine_words_are_kept_and_known_ones_get_a_remedy() {
        let error = refused(500, "Bind for 0.0.0.0:80 failed: port is already allocated");
        assert_eq!(
            error.to_string(),
            "Bind for 0.0.0.0:80 failed: port is already allocated"
        );
        assert!(error.remedy.is_some_and(|text| text.contains("ports")));
        assert_eq!(error.code, 1);
    }

    #[test]
    fn the_attribute_is_found_by_the_words() {
        let error = refused(500, "Bind for 0.0.0.0:80 failed: port is already allocated");
        assert_eq!(error.of_service("web").path, ["services", "web", "ports"]);
    }

    #[test]
    fn joined_errors_are_all_shown_once() {
        let errors = vec![Error::new("a"), Error::new("b"), Error::new("a").code(7)];
        let error = Error::join(errors).expect("there are some");
        assert_eq!((error.message.as_str(), error.code), ("a\nb", 1));
    }

    #[test]
    fn statuses_become_kinds() {
        assert!(refused(404, "no such container").is_not_found());
        assert_eq!(refused(409, "in use").kind, Kind::Conflict);
    }
}
