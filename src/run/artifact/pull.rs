//! Reading an artifact.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcompose_engine::Repository;
use serde_json::Value;

use super::manifest::{
    ARTIFACT, COMPOSE_FILE, EMPTY_CONFIG, ENV, ENV_FILE, EXTENDS, FILE, digest, failed, open,
};
use crate::run::Error;

/// The file that the compose files of an artifact become, each a document of it.
const MAIN: &str = "compose.yaml";

/// Pulls the artifact `name` (`registry/path:tag`) into a folder of `cache`, unless it is there already, and gives the path of its
/// compose file.
///
/// # Errors
/// When the registry does not answer or refuses, when what it has is no artifact of compose files, or when that cannot be
/// written.
pub async fn pull(name: &str, insecure: &BTreeSet<String>, cache: &Path) -> Result<PathBuf, Error> {
    let repository = open(name, insecure).await?;
    let said = |error| failed(name, &error);
    let text = repository.manifest(repository.tag()).await.map_err(said)?;
    let digest = digest(&text);
    let folder = cache.join(digest.trim_start_matches("sha256:"));
    let main = folder.join(MAIN);
    if main.is_file() {
        return Ok(main);
    }
    let manifest = own(&repository, text)
        .await
        .map_err(|error| named(name, error))?;
    let files = files(&repository, &manifest)
        .await
        .map_err(|error| named(name, error))?;
    write(&folder, &files).map_err(|error| {
        Error::new(format!(
            "cannot keep {name} in {}: {error}",
            folder.display()
        ))
        .remedy("name another folder in XDG_CACHE_HOME")
    })?;
    Ok(main)
}

fn named(name: &str, error: rcompose_engine::Error) -> Error {
    failed(name, &error)
}

/// The manifest of the artifact, where the text is that of an index which has it.
async fn own(repository: &Repository, text: Vec<u8>) -> rcompose_engine::Result<Value> {
    let value = parsed(&text)?;
    let Some(manifests) = value["manifests"].as_array() else {
        return Ok(value);
    };
    let found = manifests
        .iter()
        .find(|manifest| manifest["artifactType"] == ARTIFACT);
    let found = found.and_then(|manifest| manifest["digest"].as_str());
    let found = found.ok_or_else(|| {
        rcompose_engine::Error::bad_request("the index names no artifact of compose files")
    })?;
    parsed(&repository.manifest(found).await?)
}

fn parsed(text: &[u8]) -> rcompose_engine::Result<Value> {
    serde_json::from_slice(text).map_err(|error| {
        rcompose_engine::Error::bad_request(format!("its manifest cannot be read: {error}"))
    })
}

/// The files of an artifact by name; compose files are one, in their order.
async fn files(
    repository: &Repository,
    manifest: &Value,
) -> rcompose_engine::Result<Vec<(String, Vec<u8>)>> {
    let kind = manifest["artifactType"].as_str().unwrap_or_default();
    let is_artifact =
        kind == ARTIFACT || (kind.is_empty() && manifest["config"]["mediaType"] == EMPTY_CONFIG);
    if !is_artifact {
        return Err(rcompose_engine::Error::bad_request(
            "it is no artifact of compose files",
        ));
    }
    let mut files: Vec<(String, Vec<u8>)> = vec![(MAIN.to_owned(), Vec::new())];
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        let annotation = |name: &str| layer["annotations"][name].as_str();
        let name = match layer["mediaType"].as_str() {
            Some(COMPOSE_FILE) if annotation(EXTENDS).is_some() => checked(annotation(FILE))?,
            Some(COMPOSE_FILE) => MAIN,
            Some(ENV_FILE) => checked(annotation(ENV))?,
            _ => continue,
        };
        let content = repository
            .blob(layer["digest"].as_str().unwrap_or_default())
            .await?;
        match files.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => append(known, &content),
            None => files.push((name.to_owned(), content)),
        }
    }
    Ok(files)
}

/// Adds a document to a file of several.
fn append(file: &mut Vec<u8>, content: &[u8]) {
    if !file.is_empty() {
        file.extend(b"\n---\n");
    }
    file.extend(content);
}

/// A file's name that stays in its folder.
fn checked(name: Option<&str>) -> rcompose_engine::Result<&str> {
    let is_plain = |name: &&str| {
        !name.is_empty() && !matches!(*name, "." | "..") && !name.contains(['/', '\\', '\0'])
    };
    name.filter(is_plain).ok_or_else(|| {
        let name = name.unwrap_or_default();
        rcompose_engine::Error::bad_request(format!("{name:?} is no name for a file of it"))
    })
}

/// Writes the files beside the folder first, so that it is there only as a whole.
fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let coming = folder.with_extension(std::process::id().to_string());
    let written = write_into(&coming, files).and_then(|()| fs::rename(&coming, folder));
    if written.is_err() {
        // Nobody is served by half of it.
        let _ = fs::remove_dir_all(&coming);
    }
    match written {
        // Another process was faster.
        Err(_) if folder.join(MAIN).is_file() => Ok(()),
        other => other,
    }
}

fn write_into(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)?;
    for (name, content) in files {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(name))?;
        io::Write::write_all(&mut file, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        assert!(checked(Some("a.env")).is_ok());
        for name in [
            None,
            Some(""),
            Some(".."),
            Some("a/b"),
            Some("..\\a"),
            Some("/etc/x"),
        ] {
            assert!(checked(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn compose_files_are_documents_of_one() {
        let mut file = Vec::new();
        append(&mut file, b"a: 1");
        append(&mut file, b"a: 2\n");
        assert_eq!(file, b"a: 1\n---\na: 2\n");
    }

    #[test]
    fn files_come_as_a_whole() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("deep/f00d");
        let files = [
            (MAIN.to_owned(), b"x".to_vec()),
            ("b".to_owned(), Vec::new()),
        ];
        write(&folder, &files).unwrap();
        write(&folder, &files).unwrap();
        assert_eq!(fs::read(folder.join(MAIN)).unwrap(), b"x");
        assert_eq!(fs::read_dir(cache.path().join("deep")).unwrap().count(), 1);
    }
}
