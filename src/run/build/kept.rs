//! Contexts that the bundled engine has from earlier builds: what it has need not be sent.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use bollard::auth::DockerCredentials;

use super::archive::Archive;
use super::manifest::{self, Manifest};
use super::recipe::Recipe;
use super::secrets::{self, Beside};
use crate::connect::Engine;
use crate::run::error::Kind;
use crate::run::{Error, hijack};

/// The engine takes no longer manifest, in bytes.
const LONGEST_MANIFEST: usize = 64 << 20;

/// Hands over what the build of a recipe needs beside its context, and takes out of the archive what the engine has of the
/// context; the session that the build has to name.
///
/// # Errors
/// When files cannot be read, or the engine refuses.
pub(super) async fn offer(
    engine: &Engine,
    (recipe, dockerfile): (&Recipe, &str),
    archive: &mut Archive,
    credentials: &HashMap<String, DockerCredentials>,
    agents: &BTreeMap<String, PathBuf>,
) -> Result<String, Error> {
    let place = manifest::place(archive, &recipe.service, dockerfile);
    let manifest = scan(archive, &recipe.service, dockerfile).await?;
    let beside = Beside {
        credentials,
        agents,
        context: manifest
            .as_ref()
            .map(|manifest| manifest.fingerprint.as_str()),
    };
    let (session, has_context) = secrets::offer(engine, recipe, beside).await?;
    if has_context {
        archive.scanned = Some(Vec::new());
    } else if let Some(manifest) = manifest
        && let Some(wanted) = wanted(engine, &session, &place, &manifest).await?
    {
        let wanted: HashSet<usize> = wanted.into_iter().collect();
        let entries = archive.scanned.take().unwrap_or_default();
        let entries = entries.into_iter().enumerate();
        let entries = entries.filter(|(number, _)| wanted.contains(number));
        archive.scanned = Some(entries.map(|(_, entry)| entry).collect());
    }
    Ok(session)
}

/// Lists what goes into the archive, for once; what the engine may call it.
async fn scan(
    archive: &mut Archive,
    service: &str,
    dockerfile: &str,
) -> Result<Option<Manifest>, Error> {
    let (scanned, service) = (archive.clone(), service.to_owned());
    let dockerfile = dockerfile.to_owned();
    let work = move || manifest::scan(&scanned, &service, &dockerfile);
    let done = tokio::task::spawn_blocking(work).await;
    let scan = done.unwrap_or_else(|error| Err(Error::new(error.to_string())))?;
    archive.scanned = Some(scan.entries);
    Ok(scan.manifest)
}

/// The numbers of the paths that the engine wants; none where it wants them all.
async fn wanted(
    engine: &Engine,
    session: &str,
    place: &str,
    manifest: &Manifest,
) -> Result<Option<Vec<usize>>, Error> {
    let body = manifest.to_json()?;
    if body.len() > LONGEST_MANIFEST {
        return Ok(None);
    }
    let path = format!("/build/context?session={session}&place={place}");
    let answer = match hijack::post(&engine.address, &path, &body).await {
        // An engine of an earlier version, or a context that it has no room for.
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Refused) => return Ok(None),
        answer => answer?,
    };
    serde_json::from_value(answer)
        .map_err(|error| Error::new(format!("the engine's answer about the context: {error}")))
}
