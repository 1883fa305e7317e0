//! All files of a container as one archive.

use std::path::Path;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::Error;
use crate::connect::Engine;

/// Writes the archive to `output`. Uses `GET /containers/{id}/export`.
///
/// # Errors
/// When the engine refuses, or the output cannot be written.
pub async fn to_stream(
    engine: &Engine,
    container: &str,
    output: impl AsyncWrite + Unpin,
) -> Result<(), Error> {
    let archive = Box::pin(engine.docker.export_container(container));
    copy(archive, output).await
}

/// Writes the archive to a file, which is there when it is whole.
///
/// # Errors
/// When the engine refuses, or the file cannot be written.
pub async fn to_file(engine: &Engine, container: &str, path: &Path) -> Result<(), Error> {
    let failed =
        |error: std::io::Error| Error::new(format!("cannot write {}: {error}", path.display()));
    if path.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut archive = Box::pin(engine.docker.export_container(container)).peekable();
    // A refusal of the engine leaves nothing behind.
    if let Some(Err(error)) = std::pin::Pin::new(&mut archive)
        .next_if(Result::is_err)
        .await
    {
        return Err(explained(error.into()));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let file = options.open(&part).await.map_err(failed)?;
    let copied = copy(archive, file).await;
    let result = match copied {
        Ok(()) => tokio::fs::rename(&part, path).await.map_err(failed),
        Err(error) => Err(error),
    };
    if result.is_err() {
        // The reason for the failure matters more.
        let _ = tokio::fs::remove_file(&part).await;
    }
    result
}

async fn copy(
    mut archive: impl Stream<Item = Result<Bytes, bollard::errors::Error>> + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::new(format!("cannot write the archive: {error}"));
    while let Some(chunk) = archive.next().await {
        let chunk = chunk.map_err(|error| explained(error.into()))?;
        output.write_all(&chunk).await.map_err(failed)?;
    }
    output.flush().await.map_err(failed)
}

/// Adds what helps where an engine has no such request.
fn explained(error: Error) -> Error {
    if error.message.to_lowercase().contains("page not found") {
        return Error::new("this engine does not export containers")
            .remedy("copy the files instead: rcompose cp SERVICE:/ -");
    }
    error
}
