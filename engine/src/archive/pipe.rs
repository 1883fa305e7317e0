//! Between the bodies of the API, which are asynchronous, and archives, which are not.

use std::io::{self, BufWriter, Read, Write};

use axum::body::Body;
use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::io::{StreamReader, SyncIoBridge};

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
