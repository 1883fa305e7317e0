//! Credentials for registries, from the configuration that `docker login` writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use super::Error;
use super::reference::{Reference, credentials_key};

/// `config.json` in the Docker configuration folder, as far as registries go.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryAuth {
    #[serde(default)]
    auths: HashMap<String, Entry>,
    #[serde(default)]
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: HashMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    registrytoken: String,
}

/// What `docker-credential-* get` answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

impl RegistryAuth {
    /// Reads `config.json` in `DOCKER_CONFIG`, or in `.docker` of the home folder. A missing
    /// file means no credentials.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn load() -> Result<Self, Error> {
        match config_folder() {
            Some(folder) => Self::read(&folder.join("config.json")),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let place = path.display();
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::new(format!("cannot read {place}: {error}"))),
        };
        serde_json::from_slice(&text).map_err(|error| {
            Error::new(format!("cannot read {place}: {error}"))
                .remedy("correct the file, or log in again to have it written anew")
        })
    }

    /// The credentials for the registry of an image; `None` to ask without.
    ///
    /// # Errors
    /// When a credential helper is configured and fails.
    pub async fn for_image(&self, reference: &str) -> Result<Option<DockerCredentials>, Error> {
        self.for_registry(Reference::parse(reference).domain())
            .await
    }

    async fn for_registry(&self, domain: &str) -> Result<Option<DockerCredentials>, Error> {
        let key = credentials_key(domain);
        if let Some(helper) = self.cred_helpers.get(key).or(self.creds_store.as_ref()) {
            return ask_helper(helper, key).await;
        }
        Ok(self.stored(key).and_then(|entry| entry.credentials(key)))
    }

    /// Everything known without asking helpers that list nothing, keyed by registry, for builds.
    pub async fn all(&self) -> HashMap<String, DockerCredentials> {
        let mut found = HashMap::new();
        for (key, entry) in &self.auths {
            if let Some(credentials) = entry.credentials(key) {
                found.insert(key.clone(), credentials);
            }
        }
        let stored = self.creds_store.iter().flat_map(|helper| {
            let keys = self.auths.keys().filter(|key| !found.contains_key(*key));
            keys.map(move |key| (key.clone(), helper.clone()))
        });
        let helpers: Vec<(String, String)> = stored
            .chain(
                self.cred_helpers
                    .iter()
                    .map(|(key, helper)| (key.clone(), helper.clone())),
            )
            .collect();
        for (key, helper) in helpers {
            if let Ok(Some(credentials)) = ask_helper(&helper, &key).await {
                found.insert(key, credentials);
            }
        }
        found
    }

    /// The entry for a registry, also where it was stored with a scheme or a path.
    fn stored(&self, key: &str) -> Option<&Entry> {
        self.auths.get(key).or_else(|| {
            self.auths
                .iter()
                .find(|(stored, _)| host_of(stored) == host_of(key))
                .map(|(_, entry)| entry)
        })
    }
}

impl Entry {
    fn credentials(&self, server: &str) -> Option<DockerCredentials> {
        let (username, password) = if self.auth.is_empty() {
            (self.username.clone(), self.password.clone())
        } else {
            decode(&self.auth)?
        };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let credentials = DockerCredentials {
            username: given(&username),
            password: given(&password),
            identitytoken: given(&self.identitytoken),
            registrytoken: given(&self.registrytoken),
            serveraddress: Some(server.to_owned()),
            ..DockerCredentials::default()
        };
        let useful = credentials.username.is_some()
            || credentials.identitytoken.is_some()
            || credentials.registrytoken.is_some();
        useful.then_some(credentials)
    }
}

/// `user:password` in base 64.
fn decode(auth: &str) -> Option<(String, String)> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(auth)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

fn host_of(server: &str) -> &str {
    let rest = server
        .strip_prefix("https://")
        .or_else(|| server.strip_prefix("http://"))
        .unwrap_or(server);
    rest.split('/').next().unwrap_or(rest)
}

/// Runs `docker-credential-HELPER get`. That it does not know the registry is no failure.
async fn ask_helper(helper: &str, server: &str) -> Result<Option<DockerCredentials>, Error> {
    let program = format!("docker-credential-{helper}");
    let failed = |what: &str| {
        Error::new(format!("{program} failed for registry {server}: {what}")).remedy(
            "correct `credsStore` and `credHelpers` in the Docker configuration, or log in again",
        )
    };
    let mut child = tokio::process::Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper may answer without reading.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(said.trim()));
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&error.to_string()))?;
    Ok(Some(answer.credentials(server)))
}

impl HelperAnswer {
    fn credentials(self, server: &str) -> DockerCredentials {
        let server = Some(server.to_owned());
        if self.username == "<token>" {
            return DockerCredentials {
                identitytoken: Some(self.secret),
                serveraddress: server,
                ..DockerCredentials::default()
            };
        }
        DockerCredentials {
            username: Some(self.username),
            password: Some(self.secret),
            serveraddress: server,
            ..DockerCredentials::default()
        }
    }
}

fn config_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    std::env::home_dir().map(|home| home.join(".docker"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(text: &str) -> RegistryAuth {
        serde_json::from_str(text).unwrap_or_default()
    }

    #[tokio::test]
    async fn stored_credentials_are_decoded() {
        // "user:pa:ss"
        let config = auth(r#"{"auths": {"reg.example:5000": {"auth": "dXNlcjpwYTpzcw=="}}}"#);
        let found = config.for_image("reg.example:5000/a/b:1").await;
        let found = found.ok().flatten().unwrap_or_default();
        assert_eq!(found.username.as_deref(), Some("user"));
        assert_eq!(found.password.as_deref(), Some("pa:ss"));
        assert!(matches!(config.for_image("other/a").await, Ok(None)));
    }

    #[tokio::test]
    async fn a_stored_url_matches_its_host() {
        let config = auth(r#"{"auths": {"https://reg.example/v2/": {"auth": "YTpi"}}}"#);
        assert!(matches!(
            config.for_image("reg.example/x").await,
            Ok(Some(_))
        ));
        let hub = auth(r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YTpi"}}}"#);
        assert!(matches!(hub.for_image("nginx").await, Ok(Some(_))));
    }

    #[tokio::test]
    async fn a_missing_helper_is_named() {
        let config = auth(r#"{"credHelpers": {"reg.example": "not-there-at-all"}}"#);
        let error = config.for_image("reg.example/x").await.err();
        assert!(
            error.is_some_and(|error| {
                error.message.contains("docker-credential-not-there-at-all")
            })
        );
    }

    #[test]
    fn identity_tokens_come_from_helpers() {
        let answer = HelperAnswer {
            username: "<token>".to_owned(),
            secret: "t".to_owned(),
        };
        let found = answer.credentials("reg.example");
        assert_eq!(found.identitytoken.as_deref(), Some("t"));
        assert_eq!(found.username, None);
    }
}
