//! Contexts of builds that the engine fetches by itself: git repositories, archives, and Dockerfiles.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use axum::body::Body;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::archive::{Root, Unpack, body_reader, decompress, unpack};
use crate::build::canceled;
use crate::container::blocking;
use crate::git::GitRepository;
use crate::http::get;
use crate::{Error, Result};

/// Where archives have their mark, and the mark.
const MARK: (usize, &[u8]) = (257, b"ustar");

/// The largest Dockerfile that is taken from a URL, in bytes.
const LARGEST: u64 = 4 << 20;

/// Fetches what `remote` names into `folder`, which is there, until nobody wants it any more; the folder of the context in it.
///
/// # Errors
/// 400 for what is not understood, cannot be fetched, or is not there.
pub(super) async fn fetch(
    remote: &str,
    folder: &Path,
    unwanted: &CancellationToken,
) -> Result<PathBuf> {
    if let Some(repository) = GitRepository::of_context(remote) {
        let checkout = repository.checkout(folder, None, false);
        let done = unwanted.run_until_cancelled(checkout).await;
        return Ok(done.ok_or_else(canceled)??.folder);
    }
    if !remote.starts_with("http://") && !remote.starts_with("https://") {
        return Err(Error::not_supported(format!("the build context {remote}")));
    }
    let answer = unwanted.run_until_cancelled(get(remote)).await;
    let pieces = answer.ok_or_else(canceled)??.into_body().into_data_stream();
    let pieces = pieces.take_until(unwanted.clone().cancelled_owned());
    let reader = body_reader(Body::from_stream(pieces));
    let target = folder.to_owned();
    let name = remote.to_owned();
    blocking(move || {
        write(reader, &target).map_err(|error| Error::bad_request(format!("{name}: {error}")))
    })
    .await?;
    Ok(folder.to_owned())
}

/// An archive is unpacked; anything else is the Dockerfile.
fn write(mut reader: impl Read + Send, folder: &Path) -> io::Result<()> {
    let mut content = decompress(&mut reader)?;
    let mut start = Vec::new();
    (&mut content).take(512).read_to_end(&mut start)?;
    let (at, mark) = MARK;
    let is_archive = start.get(at..at + mark.len()) == Some(mark);
    let mut all = io::Cursor::new(start).chain(content);
    if is_archive {
        unpack(&Root::open(folder)?, &mut all, Unpack::default())?;
        return Ok(());
    }
    let mut file = std::fs::File::create(folder.join("Dockerfile"))?;
    match io::copy(&mut all.take(LARGEST + 1), &mut file)? {
        ..=LARGEST => Ok(()),
        _ => Err(io::Error::other(format!(
            "a Dockerfile of more than {LARGEST} bytes is not taken from an address"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_told_from_a_dockerfile() {
        let folder = tempfile::tempdir().unwrap();
        write(b"FROM scratch\n".as_slice(), folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("Dockerfile")).unwrap();
        assert_eq!(text, "FROM scratch\n");
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        let added = archive.append_data(&mut header, "file", b"x".as_slice());
        added.unwrap();
        let bytes = archive.into_inner().unwrap();
        write(bytes.as_slice(), folder.path()).unwrap();
        assert!(folder.path().join("file").is_file());
    }

    #[test]
    fn a_dockerfile_that_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = vec![b'#'; usize::try_from(LARGEST).unwrap() + 1];
        assert!(write(&text[1..], folder.path()).is_ok());
        assert!(write(text.as_slice(), folder.path()).is_err());
    }
}
