//! Archives between the engine, which is asynchronous, and files, which are not.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use super::Error;

/// Chunks on their way; more are not read before these are gone.
const CHUNKS: usize = 16;

/// Size of a chunk in bytes.
const CHUNK: usize = 256 * 1024;

/// Why packing ended early.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    fn keep(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// What went wrong, if anything did.
    pub(super) fn take(&self) -> Option<Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take()
    }
}

/// Streams what `write` writes, which runs in a thread of its own while the chunks are read. A
/// failure ends the stream with an error, and is kept beside it: whoever reads the stream for us
/// does not pass it on.
pub(super) fn stream(
    write: impl FnOnce(Chunks) -> Result<(), Error> + Send + 'static,
) -> (
    impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
    Failure,
) {
    let (sender, mut receiver) = mpsc::channel(CHUNKS);
    let failure = Failure::default();
    let kept = failure.clone();
    tokio::task::spawn_blocking(move || {
        let chunks = Chunks {
            sender: sender.clone(),
            buffer: Vec::with_capacity(CHUNK),
        };
        if let Err(error) = write(chunks) {
            let told = std::io::Error::other(error.to_string());
            // That nobody listens is no failure of packing: the engine gave up first.
            if !sender.is_closed() {
                kept.keep(error);
                let _ = sender.blocking_send(Err(told));
            }
        }
    });
    let stream = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    (stream, failure)
}

/// Sends what is written in chunks.
pub(super) struct Chunks {
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    buffer: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender
            .blocking_send(Ok(chunk.into()))
            .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}

/// Hands the stream's bytes to `read`, which runs in a thread of its own.
///
/// # Errors
/// What the stream failed with, otherwise what `read` failed with.
pub(super) async fn consume<T: Send + 'static>(
    mut stream: impl Stream<Item = Result<Bytes, bollard::errors::Error>> + Unpin,
    read: impl FnOnce(Incoming) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let reading = tokio::task::spawn_blocking(move || {
        read(Incoming {
            receiver,
            chunk: Bytes::new(),
        })
    });
    let mut broken = None;
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => {
                if sender.send(chunk).await.is_err() {
                    // The reader has had enough, or has failed.
                    break;
                }
            }
            Err(error) => {
                broken = Some(Error::from(error));
                break;
            }
        }
    }
    drop(sender);
    let result = reading
        .await
        .map_err(|error| Error::new(format!("reading the archive ended early: {error}")))?;
    broken.map_or(result, Err)
}

/// The bytes of a stream.
pub(super) struct Incoming {
    receiver: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk[..count]);
        self.chunk.advance(count);
        Ok(count)
    }
}

/// A file that goes on with zeros after its end: one that shrinks meanwhile must not break the
/// archive.
pub(super) struct Padded(pub(super) std::fs::File);

impl Read for Padded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => {
                buffer.fill(0);
                Ok(buffer.len())
            }
            count => Ok(count),
        }
    }
}
