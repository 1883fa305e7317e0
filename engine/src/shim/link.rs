//! The daemon's side of a shim's socket.

use std::path::Path;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::Launch;
use super::protocol::{self, Frame, HEADER, Notice, Reply, Request, Stream};
use super::socket::Short;
use crate::{Error, Result};

/// How Docker begins its message about a command that cannot be executed.
const EXEC_FAILED: &str = "OCI runtime exec failed: exec failed: unable to start container process";

/// A connection to a shim, after its request was answered.
#[derive(Debug)]
pub(crate) struct Link {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    /// The process that was asked for, as the host numbers it.
    pub(crate) pid: Option<i32>,
}

/// Both directions of an attached process.
#[derive(Debug)]
pub(crate) struct Session {
    /// What it writes.
    pub(crate) output: Output,
    /// What it reads; shutting it down ends its standard input.
    pub(crate) input: OwnedWriteHalf,
    /// The process, as the host numbers it.
    pub(crate) pid: Option<i32>,
}

/// What a process writes.
#[derive(Debug)]
pub(crate) struct Output(BufReader<OwnedReadHalf>);

impl Link {
    /// Asks the shim of a container; `run` is the container's run folder.
    ///
    /// # Errors
    /// 409 when there is no shim any more: the container does not run. 400 when the command
    /// cannot be executed, 500 with the shim's words otherwise.
    pub(crate) async fn ask(run: &Path, request: &Request) -> Result<Self> {
        let gone = |_| Error::conflict("the container is not running");
        let socket = Short::new(&Launch::socket(run)).map_err(gone)?;
        let stream = UnixStream::connect(&socket.path).await.map_err(gone)?;
        let (reader, mut writer) = stream.into_split();
        let mut line = serde_json::to_vec(request).map_err(Error::internal)?;
        line.push(b'\n');
        writer.write_all(&line).await.map_err(Error::internal)?;
        let mut reader = BufReader::new(reader);
        let reply = read_line(&mut reader).await?;
        match reply {
            Some(Reply::Done { pid }) => Ok(Self {
                reader,
                writer,
                pid,
            }),
            Some(Reply::Failed {
                message,
                code: Some(_),
            }) => Err(Error::bad_request(format!("{EXEC_FAILED}: {message}"))),
            Some(Reply::Failed { message, .. }) => Err(Error::internal(message)),
            None => Err(Error::conflict("the container is not running")),
        }
    }

    /// After `attach` and `exec`: the streams.
    pub(crate) fn session(self) -> Session {
        Session {
            output: Output(self.reader),
            input: self.writer,
            pid: self.pid,
        }
    }

    /// After `watch`: waits for the next notice; `None` when the shim has gone.
    pub(crate) async fn notice(&mut self) -> Option<Notice> {
        read_line(&mut self.reader).await.ok().flatten()
    }
}

impl Output {
    /// The next piece of output; `None` when the shim has gone.
    ///
    /// # Errors
    /// 500 for what is no frame.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>> {
        let mut header = [0; HEADER];
        if self.0.read_exact(&mut header).await.is_err() {
            return Ok(None);
        }
        let parsed = protocol::parse_header(header);
        let (stream, length) = parsed.ok_or_else(|| Error::internal("a broken frame"))?;
        let mut bytes = vec![0; length];
        if self.0.read_exact(&mut bytes).await.is_err() {
            return Ok(None);
        }
        let bytes = Bytes::from(bytes);
        Ok(Some(Frame { stream, bytes }))
    }
}

impl Frame {
    /// The exit code, when this is the last frame.
    pub(crate) fn exit_code(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        text.parse().ok().filter(|_| self.stream == Stream::Exit)
    }
}

async fn read_line<T: DeserializeOwned>(
    reader: &mut BufReader<OwnedReadHalf>,
) -> Result<Option<T>> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).await;
    if read.map_err(Error::internal)? == 0 {
        return Ok(None);
    }
    serde_json::from_str(&line)
        .map(Some)
        .map_err(Error::internal)
}
