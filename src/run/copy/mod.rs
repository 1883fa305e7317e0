//! Copying files between a container and this machine, through the engine's archive endpoints.

mod pack;
mod place;
mod unpack;

use std::path::Path;

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::{Error, packing};
use crate::connect::Engine;
use pack::Source;
pub(super) use pack::pack_files;
use place::{Destination, join, landing, parent, renamed, split_entry};

/// How to copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// A link that is named is copied as what it points to.
    pub follow_link: bool,
    /// Files in the container belong to the container's user.
    pub archive: bool,
}

/// Bits of the mode that the engine tells of a path.
mod mode {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    pub(super) const DEVICE: u32 = 1 << 26;
    pub(super) const IRREGULAR: u32 = 1 << 19;
}

/// Copies a file or folder of this machine into a container.
///
/// `source` is absolute; a `/` or `/.` at its end counts, as it does at the end of `target`. Uses
/// `HEAD` and `PUT /containers/{id}/archive`.
///
/// # Errors
/// When the source cannot be read, does not fit the target, or the engine refuses.
pub async fn to_container(
    engine: &Engine,
    container: &str,
    source: &str,
    target: &str,
    options: Options,
) -> Result<(), Error> {
    let destination = in_container(engine, container, target).await?;
    let source = Source::find(source, options.follow_link)?;
    let landing = landing(source.is_folder, &destination)?;
    let folder = landing.folder.clone();
    let (stream, failure) = packing::stream(move |chunks| source.pack(landing.name, chunks));
    let sent = upload(engine, container, &folder, options, stream).await;
    match failure.take() {
        Some(error) => Err(error),
        None => sent,
    }
}

/// Unpacks an archive that is read from `input` into a folder of a container.
///
/// Uses `HEAD` and `PUT /containers/{id}/archive`.
///
/// # Errors
/// When the target is no folder, or the engine refuses.
pub async fn archive_to_container(
    engine: &Engine,
    container: &str,
    input: impl AsyncRead + Send + 'static,
    target: &str,
    options: Options,
) -> Result<(), Error> {
    let destination = in_container(engine, container, target).await?;
    if !destination.is_folder {
        return Err(Error::new(format!(
            "destination \"{container}:{target}\" must be a directory"
        )));
    }
    let stream = tokio_util::io::ReaderStream::new(input);
    upload(engine, container, &destination.path, options, stream).await
}

async fn upload(
    engine: &Engine,
    container: &str,
    folder: &str,
    options: Options,
    archive: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Result<(), Error> {
    let mut parameters = UploadToContainerOptionsBuilder::new()
        .path(folder)
        .no_overwrite_dir_non_dir("true");
    if options.archive {
        parameters = parameters.copy_uidgid("true");
    }
    let body = bollard::body_try_stream(archive);
    let sent = engine
        .docker
        .upload_to_container(container, Some(parameters.build()), body);
    Ok(sent.await?)
}

/// Copies a file or folder of a container to this machine.
///
/// `target` is absolute; a `/` or `/.` at its end counts, as it does at the end of `source`. Uses
/// `GET /containers/{id}/archive`, and `HEAD` to follow a link.
///
/// # Errors
/// When the engine does not have the source, or it does not fit the target.
pub async fn from_container(
    engine: &Engine,
    container: &str,
    source: &str,
    target: &str,
    options: Options,
) -> Result<(), Error> {
    unpack::check(target)?;
    let (source, rename) = followed(engine, container, source, options.follow_link).await?;
    let target = target.to_owned();
    let (_, base) = split_entry(&source);
    let stream = Box::pin(download(engine, container, &source));
    packing::consume(stream, move |incoming| {
        unpack::unpack(incoming, &base, rename, Path::new(&target))
    })
    .await
}

/// Writes a file or folder of a container to `output`, as an archive.
///
/// Uses `GET /containers/{id}/archive`, and `HEAD` to follow a link.
///
/// # Errors
/// When the engine does not have the source, or the output cannot be written.
pub async fn archive_from_container(
    engine: &Engine,
    container: &str,
    source: &str,
    mut output: impl AsyncWrite + Unpin,
    options: Options,
) -> Result<(), Error> {
    let (source, _) = followed(engine, container, source, options.follow_link).await?;
    let mut chunks = Box::pin(download(engine, container, &source));
    let failed = |error: std::io::Error| Error::new(format!("cannot write the archive: {error}"));
    while let Some(chunk) = chunks.next().await {
        output.write_all(&chunk?).await.map_err(failed)?;
    }
    output.flush().await.map_err(failed)
}

fn download(
    engine: &Engine,
    container: &str,
    source: &str,
) -> impl Stream<Item = Result<Bytes, bollard::errors::Error>> + use<> {
    let options = DownloadFromContainerOptionsBuilder::new()
        .path(source)
        .build();
    engine
        .docker
        .download_from_container(container, Some(options))
}

/// A path in a container as the engine tells it: its mode, and where it points to if it is a link.
async fn stat(engine: &Engine, container: &str, path: &str) -> Result<(u32, String), Error> {
    let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
    let told = engine
        .docker
        .get_container_archive_info(container, Some(options))
        .await?;
    Ok((told.file_mode, told.link_target))
}

/// What a link points to, from the container's root.
fn pointed_to(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        target.to_owned()
    } else {
        join(&parent(link), target)
    }
}

/// The path that is copied, and the name it gets where that is not its own.
async fn followed(
    engine: &Engine,
    container: &str,
    source: &str,
    follow: bool,
) -> Result<(String, Option<String>), Error> {
    if follow
        && let Ok((mode, target)) = stat(engine, container, source).await
        && mode & mode::LINK != 0
    {
        return Ok(renamed(source, &pointed_to(source, &target)));
    }
    Ok((source.to_owned(), None))
}

/// What there is in a container where something is to be copied to.
async fn in_container(
    engine: &Engine,
    container: &str,
    target: &str,
) -> Result<Destination, Error> {
    let mut path = target.to_owned();
    let mut told = stat(engine, container, &path).await;
    if let Ok((mode, link)) = &told
        && mode & mode::LINK != 0
    {
        path = pointed_to(&path, link);
        told = stat(engine, container, &path).await;
    }
    // A path that is not there yet is made by the copy, as long as its folder is there.
    let mode = told.ok().map(|(mode, _)| mode);
    let odd = match mode {
        Some(mode) if mode & mode::DEVICE != 0 => Some("a device"),
        Some(mode) if mode & mode::IRREGULAR != 0 => Some("an irregular file"),
        _ => None,
    };
    if let Some(odd) = odd {
        return Err(Error::new(format!(
            "destination \"{container}:{target}\" must be a directory or a regular file: got {odd}"
        )));
    }
    Ok(Destination {
        path,
        exists: mode.is_some(),
        is_folder: mode.is_some_and(|mode| mode & mode::FOLDER != 0),
    })
}
