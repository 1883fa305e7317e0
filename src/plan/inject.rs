//! Configs and secrets of a service: files of the host are mounted, everything else is copied
//! into the container before it starts.

use sha2::{Digest, Sha256};

use super::step::{Content, Injection};
use crate::compose::Project;
use crate::compose::model::{FileReference, ObjectSource, Service};

const SECRETS_FOLDER: &str = "/run/secrets/";
const CONFIGS_FOLDER: &str = "/";
const DEFAULT_MODE: u32 = 0o444;
/// Key of the config that `use_api_socket` adds; its content is the user's credentials.
pub(super) const API_SOCKET_CONFIG: &str = "#apisocket";

/// A file of the host to mount read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BoundFile {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) is_secret: bool,
}

/// Secrets that are files of the host.
pub(super) fn secret_files(project: &Project, service: &Service) -> Vec<BoundFile> {
    let files = service.secrets.iter().filter_map(|reference| {
        let secret = project.secrets.get(&reference.source)?;
        bound_file(secret, secret_target(reference), true)
    });
    files.collect()
}

/// Configs that are files of the host.
pub(super) fn config_files(project: &Project, service: &Service) -> Vec<BoundFile> {
    let files = service.configs.iter().filter_map(|reference| {
        let config = project.configs.get(&reference.source)?;
        bound_file(config, config_target(reference), false)
    });
    files.collect()
}

fn bound_file(object: &ObjectSource, target: String, is_secret: bool) -> Option<BoundFile> {
    if is_copied(object) {
        return None;
    }
    let source = object.file.clone()?;
    Some(BoundFile {
        source,
        target,
        is_secret,
    })
}

/// Whether the object's content is copied into the container rather than mounted.
pub(super) fn is_copied(object: &ObjectSource) -> bool {
    object.content.is_some() || object.environment.is_some()
}

/// Files to copy into a container of the service before each start.
pub fn injections(project: &Project, service: &Service) -> Vec<Injection> {
    let secrets = service.secrets.iter().filter_map(|reference| {
        let content = content(project, project.secrets.get(&reference.source)?)?;
        Some(injection(reference, secret_target(reference), content))
    });
    let configs = service.configs.iter().filter_map(|reference| {
        let content = if reference.source == API_SOCKET_CONFIG {
            Content::RegistryCredentials
        } else {
            content(project, project.configs.get(&reference.source)?)?
        };
        Some(injection(reference, config_target(reference), content))
    });
    secrets.chain(configs).collect()
}

fn content(project: &Project, object: &ObjectSource) -> Option<Content> {
    let from_environment = || {
        let variable = object.environment.as_ref()?;
        project.environment.get(variable).cloned()
    };
    let text = object.content.clone().or_else(from_environment)?;
    (!text.is_empty()).then_some(Content::Text(text))
}

fn injection(reference: &FileReference, target: String, content: Content) -> Injection {
    let id = |text: &Option<String>| text.as_deref().and_then(|id| id.parse().ok());
    Injection {
        target,
        content,
        uid: id(&reference.uid).unwrap_or_default(),
        gid: id(&reference.gid).unwrap_or_default(),
        owned: reference.uid.is_some() || reference.gid.is_some(),
        mode: reference.mode.map_or(DEFAULT_MODE, |mode| mode.0 as u32),
    }
}

pub(super) fn secret_target(reference: &FileReference) -> String {
    target(reference, SECRETS_FOLDER)
}

pub(super) fn config_target(reference: &FileReference) -> String {
    target(reference, CONFIGS_FOLDER)
}

fn target(reference: &FileReference, folder: &str) -> String {
    match reference
        .target
        .as_deref()
        .filter(|target| !target.is_empty())
    {
        Some(target) if is_absolute(target) => target.to_owned(),
        Some(target) => format!("{folder}{target}"),
        None => format!("{folder}{}", reference.source),
    }
}

/// Whether a path in a container is absolute, on Linux or Windows.
pub(super) fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    path.starts_with('/') || path.starts_with("\\\\") || drive
}

/// A hash of everything that is copied into a container, so that a change of it shows.
///
/// The service's identity goes in as well: equal secrets of different services must not be
/// recognised by equal labels. `None` where nothing is copied.
pub fn content_hash(project: &Project, service: &Service) -> Option<String> {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    part(project.name.as_bytes());
    part(project.working_dir.as_os_str().as_encoded_bytes());
    part(service.name.as_bytes());
    let mut any = false;
    for injection in injections(project, service) {
        let Content::Text(text) = &injection.content else {
            continue;
        };
        any = true;
        part(injection.target.as_bytes());
        part(text.as_bytes());
    }
    let digest = hasher.finalize();
    let (half, _) = digest.split_at(digest.len() / 2);
    any.then(|| {
        half.iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let mut reference = FileReference {
            source: "key".into(),
            ..FileReference::default()
        };
        assert_eq!(secret_target(&reference), "/run/secrets/key");
        assert_eq!(config_target(&reference), "/key");
        reference.target = Some("sub/key".into());
        assert_eq!(secret_target(&reference), "/run/secrets/sub/key");
        reference.target = Some("C:\\key".into());
        assert_eq!(secret_target(&reference), "C:\\key");
    }
}
