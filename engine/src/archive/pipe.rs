//! Between the bodies of the API, which are asynchronous, and archives, which are not.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use axum::body::Body;
use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{Pack, pack};

/// Packs on a thread of its own what `name` is in `folder`, as `path`, while `read` reads it. Answers what `read` does, and how
/// many bytes the files have.
///
/// # Errors
/// Those of `read`, and what keeps files from being packed.
pub(crate) fn packed<T>(
    folder: impl AsFd,
    (name, path): (&OsStr, &Path),
    options: Pack,
    read: impl FnOnce(io::PipeReader) -> io::Result<T>,
) -> io::Result<(T, u64)> {
    let folder = folder.as_fd();
    let (reader, writer) = io::pipe()?;
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || {
            let mut builder = tar::Builder::new(BufWriter::with_capacity(1 << 16, writer));
            let size = pack(&mut builder, folder, name, path, options)?;
            builder.into_inner()?.flush()?;
            Ok(size)
        });
        let read = read(reader);
        let packed = packing
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("packing ended early")));
        match packed {
            // The reader has given up, and says why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            packed => Ok((read?, packed.unwrap_or_default())),
        }
    })
}

/// Reads a request's body from a blocking thread. To be called on the runtime.
pub(crate) fn body_reader(body: Body) -> impl Read + Send + 'static {
    let stream = body.into_data_stream().map_err(io::Error::other);
    SyncIoBridge::new(StreamReader::new(Box::pin(stream)))
}

/// A response's body that `write` writes on a blocking thread. An error of it ends the body
/// early, so that the client knows.
pub(crate) fn stream(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Body {
    let (sender, receiver) = channel::<io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let mut writer = BufWriter::with_capacity(1 << 16, Channel(sender));
        let result = write(&mut writer).and_then(|()| writer.flush());
        if let Err(error) = result {
            tracing::debug!("a body ended early: {error}");
            let _ = writer.get_ref().0.blocking_send(Err(error));
        }
    });
    Body::from_stream(futures::stream::unfold(receiver, next))
}

async fn next(
    mut receiver: Receiver<io::Result<Bytes>>,
) -> Option<(io::Result<Bytes>, Receiver<io::Result<Bytes>>)> {
    let item = receiver.recv().await?;
    Some((item, receiver))
}

struct Channel(Sender<io::Result<Bytes>>);

impl Write for Channel {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(data)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
