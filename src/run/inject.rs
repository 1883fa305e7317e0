//! Copies configs and secrets into a container before it starts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::Error;
use super::registry_auth::RegistryAuth;
use crate::connect::Engine;
use crate::plan::step::{Content, Injection};

/// Copies files into a container with one upload.
///
/// # Errors
/// When the engine refuses them, as for a container with a read-only root.
pub(super) async fn inject(
    engine: &Engine,
    container: &str,
    files: &[Injection],
) -> Result<(), Error> {
    if files.is_empty() {
        return Ok(());
    }
    let wants_credentials = files
        .iter()
        .any(|file| file.content == Content::RegistryCredentials);
    let credentials = if wants_credentials {
        credentials().await?
    } else {
        String::new()
    };
    let archive = archive(files, &credentials)?;
    let options = UploadToContainerOptionsBuilder::new().path("/").build();
    engine
        .docker
        .upload_to_container(container, Some(options), bollard::body_full(archive.into()))
        .await
        .map_err(|error| Error::from(error).while_doing("cannot copy configs and secrets"))
}

/// The user's registry credentials as a client's configuration file.
async fn credentials() -> Result<String, Error> {
    let mut auths = serde_json::Map::new();
    for (host, credentials) in RegistryAuth::load()?.all().await {
        let entry = if let Some(token) = credentials.identitytoken {
            json!({ "identitytoken": token })
        } else {
            let user = credentials.username.unwrap_or_default();
            let password = credentials.password.unwrap_or_default();
            json!({ "auth": STANDARD.encode(format!("{user}:{password}")) })
        };
        auths.insert(host, entry);
    }
    Ok(json!({ "auths": auths }).to_string())
}

fn archive(files: &[Injection], credentials: &str) -> Result<Vec<u8>, Error> {
    let mut builder = Builder::new(Vec::new());
    for file in files {
        append(&mut builder, file, credentials)
            .map_err(|error| Error::new(format!("cannot pack {}: {error}", file.target)))?;
    }
    builder
        .into_inner()
        .map_err(|error| Error::new(format!("cannot pack configs and secrets: {error}")))
}

fn append(
    builder: &mut Builder<Vec<u8>>,
    file: &Injection,
    credentials: &str,
) -> std::io::Result<()> {
    let content = match &file.content {
        Content::Text(text) => text.as_bytes(),
        Content::RegistryCredentials => credentials.as_bytes(),
    };
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(file.mode);
    header.set_uid(u64::from(file.uid));
    header.set_gid(u64::from(file.gid));
    header.set_mtime(now());
    let path = file.target.trim_start_matches('/');
    builder.append_data(&mut header, path, content)
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn files_keep_owner_mode_and_content() {
        let file = Injection {
            target: "/run/secrets/key".to_owned(),
            content: Content::Text("s3cret".to_owned()),
            uid: 10,
            gid: 20,
            owned: true,
            mode: 0o400,
        };
        let bytes = archive(&[file], "").expect("packs");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entries = archive.entries().expect("entries");
        let mut entry = entries.next().expect("one").expect("valid");
        assert_eq!(
            entry.path().expect("path").to_string_lossy(),
            "run/secrets/key"
        );
        assert_eq!(entry.header().mode().expect("mode"), 0o400);
        assert_eq!(entry.header().uid().expect("uid"), 10);
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        assert_eq!(text, "s3cret");
    }
}
