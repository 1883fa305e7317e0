//! Files of this machine → the same files in containers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use futures::future::join_all;

use super::Rule;
use crate::compose::model::Hook;
use crate::connect::Engine;
use crate::report::event::Sender;
use crate::run::select::Target;
use crate::run::{Error, copy, hook, packing};

/// Brings changed files into all of the containers, and takes those that are gone out of them.
/// Returns how many files there were.
///
/// Uses `PUT /containers/{id}/archive`, and runs `rm` in the container.
///
/// # Errors
/// When a file cannot be read, or the engine refuses.
pub async fn sync<'p>(
    engine: &Engine,
    targets: &[Target],
    changed: impl Iterator<Item = (&'p Rule, &'p Path)>,
) -> Result<usize, Error> {
    let mut wanted = BTreeMap::new();
    let mut gone = Vec::new();
    for (rule, path) in changed {
        let Some(target) = rule.target(path) else {
            continue;
        };
        if std::fs::symlink_metadata(path).is_err() {
            gone.push(target);
            continue;
        }
        // A folder that was moved in is told alone.
        for file in rule.files(path)? {
            if let Some(target) = rule.target(&file) {
                wanted.insert(target, file);
            }
        }
    }
    let count = wanted.len() + gone.len();
    if count == 0 {
        return Ok(0);
    }
    let files: Vec<(PathBuf, String)> = wanted
        .into_iter()
        .map(|(target, file)| (file, target))
        .collect();
    let bringing = targets.iter().map(|target| async {
        if target.running && !gone.is_empty() {
            remove(engine, target, &gone).await?;
        }
        upload(engine, &target.id, files.clone()).await
    });
    let results = join_all(bringing).await;
    let errors = results.into_iter().filter_map(Result::err).collect();
    Error::join(errors).map_or(Ok(count), Err)
}

/// Brings all files of a rule into the containers.
///
/// # Errors
/// As [`sync`].
pub async fn sync_initially(
    engine: &Engine,
    targets: &[Target],
    rule: &Rule,
) -> Result<usize, Error> {
    sync(
        engine,
        targets,
        std::iter::once((rule, rule.root.as_path())),
    )
    .await
}

/// Runs a command in a container that runs; its output goes to `sender` as log lines.
///
/// # Errors
/// When the engine cannot run it, or it ends with another code than 0.
pub async fn run_command(
    engine: &Engine,
    target: &Target,
    command: &Hook,
    sender: &Sender,
) -> Result<(), Error> {
    let output = hook::Output {
        sender: Some(sender),
        origin: target.origin.clone(),
    };
    hook::run(engine, &target.id, &target.origin.service, command, output).await
}

async fn remove(engine: &Engine, target: &Target, paths: &[String]) -> Result<(), Error> {
    let command = ["rm", "-rf", "--"].into_iter().map(str::to_owned);
    let command = Hook {
        command: Some(command.chain(paths.iter().cloned()).collect()),
        user: Some("0".to_owned()),
        ..Hook::default()
    };
    let output = hook::Output {
        sender: None,
        origin: target.origin.clone(),
    };
    hook::run(engine, &target.id, &target.origin.service, &command, output)
        .await
        .map_err(|error| error.while_doing(format!("cannot remove files in {}", target.name)))
}

async fn upload(
    engine: &Engine,
    container: &str,
    files: Vec<(PathBuf, String)>,
) -> Result<(), Error> {
    if files.is_empty() {
        return Ok(());
    }
    let (stream, failure) = packing::stream(move |chunks| copy::pack_files(&files, chunks));
    let options = UploadToContainerOptionsBuilder::new()
        .path("/")
        .copy_uidgid("true")
        .build();
    let body = bollard::body_try_stream(stream);
    let sent = engine
        .docker
        .upload_to_container(container, Some(options), body)
        .await;
    failure.take().map_or_else(|| Ok(sent?), Err)
}
