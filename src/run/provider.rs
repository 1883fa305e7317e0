//! Services that another program runs: it is told to bring them up or to take them down, and tells what those who
//! depend on them need to know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::Error;
use crate::compose::model::{Provider, Service};
use crate::report::event::{Sender, Step, send};

/// Where plugins of the docker command are, beside the one of its configuration.
const PLUGIN_FOLDERS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// What a provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To have the service ready.
    Up,
    /// To remove it.
    Down,
}

impl Request {
    fn command(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// How it is told while it lasts, and afterwards.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Up => ("Creating", "Created"),
            Self::Down => ("Removing", "Removed"),
        }
    }
}

/// Who asks providers.
#[derive(Debug)]
pub struct Caller<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Environment of the providers.
    pub environment: &'a BTreeMap<String, String>,
    /// The docker command's folder of configuration, where there is one.
    pub config_folder: Option<PathBuf>,
    /// Where progress goes.
    pub sender: Sender,
}

/// One thing a provider says.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// What a provider says it can be told.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    description: String,
    #[serde(default)]
    up: Parameters,
    #[serde(default)]
    down: Parameters,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    parameters: Option<Vec<Parameter>>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    required: bool,
}

impl Caller<'_> {
    /// Asks the provider of a service, and returns the variables it gives, by the names they have in dependents.
    ///
    /// # Errors
    /// The program cannot be found or run, says that it failed, or says what is not understood.
    pub async fn ask(
        &self,
        service: &Service,
        request: Request,
    ) -> Result<BTreeMap<String, String>, Error> {
        let asked = self.variables(service, request).await;
        if let Err(error) = &asked {
            send(&self.sender, Step::error(&service.name, &error.message));
        }
        asked.map_err(|mut error| {
            error.path = ["services", &service.name, "provider"]
                .map(str::to_owned)
                .to_vec();
            error
        })
    }

    async fn variables(
        &self,
        service: &Service,
        request: Request,
    ) -> Result<BTreeMap<String, String>, Error> {
        let (doing, done) = request.texts();
        let provider = service.provider.as_ref();
        let provider = provider.ok_or_else(|| Error::new("the service has no provider"))?;
        let program = self.program(provider.kind.as_deref().unwrap_or_default())?;
        let options = self.options(&program, provider, request).await?;
        send(&self.sender, Step::working(&service.name, doing));
        let mut command = self.command(&program);
        command
            .arg("compose")
            .arg(format!("--project-name={}", self.project))
            .arg(request.command())
            .args(options)
            .arg(&service.name);
        let given = self.listen(service, command).await?;
        send(&self.sender, Step::done(&service.name, done));
        let prefix = service.name.to_uppercase();
        Ok(given
            .into_iter()
            .map(|(name, value)| (format!("{prefix}_{name}"), value))
            .collect())
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// The program of that name: a plugin of the docker command, or any program.
    fn program(&self, kind: &str) -> Result<PathBuf, Error> {
        if kind == "compose" {
            return Err(Error::new("\"compose\" is not a valid provider type"));
        }
        let own = self
            .config_folder
            .iter()
            .map(|folder| folder.join("cli-plugins"));
        let plugins = own.chain(PLUGIN_FOLDERS.map(PathBuf::from));
        let mut plugins = plugins.map(|folder| folder.join(format!("docker-{kind}")));
        if let Some(plugin) = plugins.find(|path| is_program(path)) {
            return Ok(plugin);
        }
        let path = self.environment.get("PATH").cloned().unwrap_or_default();
        let mut programs = std::env::split_paths(&path).map(|folder| folder.join(kind));
        let found = if kind.contains('/') {
            Some(PathBuf::from(kind)).filter(|path| is_program(path))
        } else {
            programs.find(|path| is_program(path))
        };
        found.ok_or_else(|| {
            Error::new(format!("provider {kind:?} was not found")).remedy(format!(
                "install docker-{kind} as a plugin of the docker command, or {kind} in PATH"
            ))
        })
    }

    /// The options of the service that the provider knows, as arguments. One that tells nothing about itself gets all.
    async fn options(
        &self,
        program: &Path,
        provider: &Provider,
        request: Request,
    ) -> Result<Vec<String>, Error> {
        let told = self
            .command(program)
            .args(["compose", "metadata"])
            .output()
            .await;
        let told = told.map(|output| output.stdout).unwrap_or_default();
        let metadata: Metadata = serde_json::from_slice(&told).unwrap_or_default();
        let tells_nothing = metadata.description.is_empty()
            && metadata.up.parameters.is_none()
            && metadata.down.parameters.is_none();
        let parameters = match request {
            Request::Up => metadata.up.parameters,
            Request::Down => metadata.down.parameters,
        };
        let parameters = parameters.unwrap_or_default();
        let mut required = parameters.iter().filter(|parameter| parameter.required);
        if let Some(missing) = required.find(|it| !provider.options.contains_key(&it.name)) {
            return Err(Error::new(format!(
                "required parameter {:?} is missing from provider {:?} definition",
                missing.name,
                provider.kind.as_deref().unwrap_or_default()
            )));
        }
        let is_known = |name: &str| tells_nothing || parameters.iter().any(|it| it.name == name);
        let known = provider.options.iter().filter(|(name, _)| is_known(name));
        Ok(known
            .flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}")))
            .collect())
    }

    /// Runs the command and takes what it says.
    async fn listen(
        &self,
        service: &Service,
        mut command: Command,
    ) -> Result<BTreeMap<String, String>, Error> {
        let failed = |error: std::io::Error| {
            Error::new(format!(
                "the provider of service {:?}: {error}",
                service.name
            ))
        };
        let mut child = command.spawn().map_err(failed)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaint = tokio::spawn(async move {
            let mut text = Vec::new();
            if let Some(mut stderr) = stderr {
                // What can no longer be read is not missed: the exit code decides.
                let _ = stderr.read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let mut given = BTreeMap::new();
        let mut said = Vec::new();
        if let Some(mut stdout) = stdout {
            while stdout.read_buf(&mut said).await.map_err(failed)? > 0 {
                for message in messages(&mut said)? {
                    self.take(service, message, &mut given)?;
                }
            }
        }
        if !said.trim_ascii().is_empty() {
            return Err(not_understood(&String::from_utf8_lossy(&said)));
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(given);
        }
        let complaint = complaint.await.unwrap_or_default();
        let separator = if complaint.is_empty() { "" } else { ": " };
        Err(Error::new(format!(
            "the provider of service {:?} failed ({status}){separator}{complaint}",
            service.name
        )))
    }

    fn take(
        &self,
        service: &Service,
        message: Message,
        given: &mut BTreeMap<String, String>,
    ) -> Result<(), Error> {
        match message.kind.as_str() {
            "error" => return Err(Error::new(message.message)),
            "info" => send(&self.sender, Step::working(&service.name, message.message)),
            "debug" => tracing::debug!("{}: {}", service.name, message.message),
            "setenv" => {
                let (name, value) = message
                    .message
                    .split_once('=')
                    .ok_or_else(|| not_understood(&message.message))?;
                given.insert(name.to_owned(), value.to_owned());
            }
            other => return Err(not_understood(other)),
        }
        Ok(())
    }
}

fn not_understood(said: &str) -> Error {
    Error::new(format!("invalid response from plugin: {}", said.trim()))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Takes the messages off the front of `said` that are there as a whole.
fn messages(said: &mut Vec<u8>) -> Result<Vec<Message>, Error> {
    let mut stream = serde_json::Deserializer::from_slice(said).into_iter::<Message>();
    let mut found = Vec::new();
    let mut end = 0;
    while let Some(message) = stream.next() {
        match message {
            Ok(message) => {
                end = stream.byte_offset();
                found.push(message);
            }
            Err(error) if error.is_eof() => break,
            Err(_) => return Err(not_understood(&String::from_utf8_lossy(&said[end..]))),
        }
    }
    said.drain(..end);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_as_they_become_whole() {
        let mut said = br#"{"type": "info", "message": "a"}{"type":"#.to_vec();
        let found = messages(&mut said).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].kind.as_str(), found[0].message.as_str()),
            ("info", "a")
        );
        said.extend(b" \"debug\"}\n");
        assert_eq!(messages(&mut said).unwrap()[0].kind, "debug");
        assert!(said.trim_ascii().is_empty());
        assert!(messages(&mut b"no JSON".to_vec()).is_err());
    }
}
