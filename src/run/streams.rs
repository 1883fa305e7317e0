//! The standard streams of a program in a container, joined to ours.

use std::pin::Pin;

use bollard::container::LogOutput;
use bytes::{Buf as _, BytesMut};
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Error;
use super::hijack::Upgraded;

/// Output is read in pieces of this size.
const PIECE: usize = 32 * 1024;

/// A connection to the streams of a program.
pub(super) enum Connection {
    /// The bytes as the engine sends them.
    Raw(Upgraded),
    /// Taken apart by the client library, where it alone can connect.
    Library {
        output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
        input: Pin<Box<dyn AsyncWrite + Send>>,
    },
}

/// Our side.
pub struct Streams {
    /// What the program reads; nothing where absent.
    pub input: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// Where its standard output goes.
    pub output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Where its standard error goes.
    pub errors: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Copies in both directions until the program's output ends. With a terminal its output and its
/// errors are one stream.
pub(super) async fn join(
    connection: Connection,
    streams: Streams,
    terminal: bool,
) -> Result<(), Error> {
    let Streams {
        input,
        mut output,
        mut errors,
    } = streams;
    match connection {
        Connection::Raw(stream) => {
            let (from, to) = tokio::io::split(stream);
            let feeding = tokio::spawn(feed(input, to));
            let copied = if terminal {
                copy(from, &mut output).await
            } else {
                separate(from, &mut output, &mut errors).await
            };
            feeding.abort();
            copied.map_err(|error| broken(&error))
        }
        Connection::Library {
            output: mut messages,
            input: to,
        } => {
            let feeding = tokio::spawn(feed(input, to));
            while let Some(message) = messages.next().await {
                let written = match message? {
                    LogOutput::StdErr { message } => write(&mut errors, &message).await,
                    other => write(&mut output, &other.into_bytes()).await,
                };
                written.map_err(|error| broken(&error))?;
            }
            feeding.abort();
            Ok(())
        }
    }
}

/// Copies our input to the program and tells it where the input ends. Without an input the
/// connection stays open, as its end could be taken for a wish to end the output too.
async fn feed(input: Option<Box<dyn AsyncRead + Send + Unpin>>, mut to: impl AsyncWrite + Unpin) {
    let Some(mut input) = input else {
        return std::future::pending().await;
    };
    let mut buffer = vec![0; PIECE];
    loop {
        match input.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                // The program may end without reading everything.
                if to.write_all(&buffer[..count]).await.is_err() || to.flush().await.is_err() {
                    return;
                }
            }
        }
    }
    let _ = to.shutdown().await;
    // Dropping our half may close the whole connection.
    std::future::pending::<()>().await;
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    output: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            count => write(output, &buffer[..count]).await?,
        }
    }
}

/// Takes apart frames: one byte for the stream, three of nothing, four with the length.
async fn separate(
    mut from: impl AsyncRead + Unpin,
    output: &mut (impl AsyncWrite + Unpin),
    errors: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    let mut read = BytesMut::with_capacity(PIECE);
    let mut kind = 0;
    let mut left = 0;
    loop {
        if left == 0 {
            while read.len() < HEADER {
                if from.read_buf(&mut read).await? == 0 {
                    return Ok(());
                }
            }
            kind = read[0];
            left = u32::from_be_bytes([read[4], read[5], read[6], read[7]]) as usize;
            read.advance(HEADER);
            continue;
        }
        if read.is_empty() && from.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let part = read.split_to(left.min(read.len()));
        left -= part.len();
        match kind {
            2 => write(errors, &part).await?,
            _ => write(output, &part).await?,
        }
        read.reserve(PIECE);
    }
}

/// Length of a frame's head.
const HEADER: usize = 8;

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

fn broken(error: &std::io::Error) -> Error {
    Error::new(format!(
        "the connection to the program's output broke: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    #[tokio::test]
    async fn frames_are_taken_apart_however_they_arrive() {
        let bytes = [
            frame(1, "out1"),
            frame(2, "err"),
            frame(1, ""),
            frame(1, "out2"),
        ]
        .concat();
        for size in 1..=bytes.len() {
            let mut pieces = tokio_test_pieces(&bytes, size);
            let (mut output, mut errors) = (Vec::new(), Vec::new());
            let result = separate(&mut pieces, &mut output, &mut errors).await;
            assert!(result.is_ok());
            assert_eq!(output, b"out1out2", "pieces of {size}");
            assert_eq!(errors, b"err", "pieces of {size}");
        }
    }

    /// Hands out bytes in pieces of a size.
    fn tokio_test_pieces(bytes: &[u8], size: usize) -> impl AsyncRead + Unpin + use<> {
        let pieces: Vec<_> = bytes
            .chunks(size)
            .map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(piece)))
            .collect();
        tokio_util::io::StreamReader::new(futures::stream::iter(pieces))
    }
}
