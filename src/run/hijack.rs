//! A connection to the engine that carries something else than HTTP after its first answer.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::{Error, Kind};
use crate::connect::Address;

/// An answer whose head is longer than this is none.
const LONGEST_HEAD: usize = 64 * 1024;

/// Answers that are read whole are not longer, in bytes: the numbers of a million files.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Whether such connections can be made to this address.
pub(super) fn is_possible(address: &Address) -> bool {
    match address {
        Address::Unix(_) => cfg!(unix),
        Address::Tcp { tls, .. } => tls.is_none(),
        Address::Ssh(_) => true,
        Address::Pipe(_) => false,
    }
}

/// A connection after the upgrade.
pub(super) struct Upgraded {
    /// The answer's status.
    pub(super) status: u16,
    /// What came with the answer's head.
    first: Bytes,
    stream: Box<dyn Duplex>,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// What is posted to ask for the connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Post<'a> {
    /// Path and query.
    pub(super) path: &'a str,
    /// What is spoken afterwards: `h2c` or `tcp`.
    pub(super) protocol: &'a str,
    /// Further headers.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// A JSON body; none where empty.
    pub(super) body: &'a [u8],
}

/// Asks the engine and hands out the connection once it agreed.
pub(super) async fn upgrade(address: &Address, post: Post<'_>) -> Result<Upgraded, Error> {
    let mut stream = open(address).await?;
    let mut request = format!(
        "POST {} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: {}\r\n\
         Content-Length: {}\r\n",
        post.path,
        post.protocol,
        post.body.len()
    );
    if !post.body.is_empty() {
        request.push_str("Content-Type: application/json\r\n");
    }
    for (name, value) in post.headers {
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(post.body);
    stream.write_all(&bytes).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let (head, first) = read_head(&mut stream).await?;
    let status = status_of(&head);
    match (status, post.protocol) {
        // Where the engine does not switch it goes on with the bytes all the same.
        (101, _) | (200 | 202, "tcp") => Ok(Upgraded {
            status,
            first,
            stream,
        }),
        _ => Err(refusal(status, &head, first, stream, post.path).await),
    }
}

/// Posts JSON and reads the JSON of the answer: for requests with fields that the client library does not have.
pub(super) async fn post(
    address: &Address,
    path: &str,
    body: &[u8],
) -> Result<serde_json::Value, Error> {
    let mut stream = open(address).await?;
    // The connection ends with the answer.
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    stream.write_all(&request).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let (head, first) = read_head(&mut stream).await?;
    let status = status_of(&head);
    if !(200..300).contains(&status) {
        return Err(refusal(status, &head, first, stream, path).await);
    }
    let mut answer = first.to_vec();
    let mut rest = stream.take(LONGEST_ANSWER);
    rest.read_to_end(&mut answer).await.map_err(broken)?;
    serde_json::from_slice(&answer)
        .map_err(|error| Error::new(format!("the answer of the engine cannot be read: {error}")))
}

/// The status in the head of an answer; 0 where there is none.
fn status_of(head: &str) -> u16 {
    let status = head.split(' ').nth(1);
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Reads the engine's words from the body of its answer.
async fn refusal(
    status: u16,
    head: &str,
    first: Bytes,
    stream: Box<dyn Duplex>,
    path: &str,
) -> Error {
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse::<usize>().ok())
        .unwrap_or(0)
        .min(LONGEST_HEAD);
    let mut body = first.to_vec();
    let missing = length.saturating_sub(body.len()) as u64;
    // What cannot be read is left out of the message.
    let _ = stream.take(missing).read_to_end(&mut body).await;
    let message = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| format!("the engine does not offer {path} (status {status})"));
    let mut error = Error::new(message);
    error.kind = match status {
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        _ => Kind::Refused,
    };
    error
}

async fn read_head(stream: &mut Box<dyn Duplex>) -> Result<(String, Bytes), Error> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(end + 4);
            let head = String::from_utf8_lossy(&read).into_owned();
            return Ok((head, rest.into()));
        }
        let count = stream.read_buf(&mut read).await.map_err(broken)?;
        if count == 0 || read.len() > LONGEST_HEAD {
            return Err(Error::new(
                "the engine gave no answer to a request of the builder",
            ));
        }
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::new(format!("lost the connection to the engine: {error}"))
        .remedy("check that the engine runs, then run the same command again")
}

async fn open(address: &Address) -> Result<Box<dyn Duplex>, Error> {
    match address {
        #[cfg(unix)]
        Address::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(path).await;
            Ok(Box::new(stream.map_err(broken)?))
        }
        Address::Tcp { host, tls: None } => {
            let host = host
                .split_once("://")
                .map_or(host.as_str(), |(_, host)| host);
            let stream = TcpStream::connect(host.trim_end_matches('/')).await;
            Ok(Box::new(stream.map_err(broken)?))
        }
        Address::Ssh(url) => over_ssh(url),
        other => Err(Error::new(format!(
            "no connection of this kind can be opened over {other}"
        ))),
    }
}

/// `docker system dial-stdio` on the other side, as docker does it.
fn over_ssh(url: &str) -> Result<Box<dyn Duplex>, Error> {
    let target = url.strip_prefix("ssh://").unwrap_or(url);
    let target = target.split('/').next().unwrap_or(target);
    let mut command = tokio::process::Command::new("ssh");
    let (target, port) = match target.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (target, None),
    };
    if let Some(port) = port {
        command.args(["-p", port]);
    }
    let mut child = command
        .args(["--", target, "docker", "system", "dial-stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::new(format!("cannot run ssh: {error}")))?;
    match (child.stdout.take(), child.stdin.take()) {
        (Some(output), Some(input)) => Ok(Box::new(Piped {
            both: tokio::io::join(output, input),
            _child: child,
        })),
        _ => Err(Error::new("cannot talk to ssh")),
    }
}

/// A program's standard streams; the program ends with them.
struct Piped {
    both: tokio::io::Join<tokio::process::ChildStdout, tokio::process::ChildStdin>,
    _child: tokio::process::Child,
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.both).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.both).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.both).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.both).poll_shutdown(cx)
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..count]);
        self.first.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl tonic::transport::server::Connected for Upgraded {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_of_many_numbers_is_read_whole() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&path);
        let listener = listener.unwrap_or_else(|error| panic!("{error}"));
        let numbers: Vec<usize> = (0..500_000).collect();
        let answer = serde_json::to_vec(&numbers).unwrap_or_default();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let (mut from, mut to) = stream.split();
            let mut request = [0; 1024];
            let _ = from.read(&mut request).await?;
            to.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await?;
            to.write_all(&answer).await
        });
        let read = post(&Address::Unix(path), "/numbers", b"{}").await;
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.as_array().map(Vec::len), Some(numbers.len()));
        assert!(serving.await.is_ok_and(|served| served.is_ok()));
    }
}
