//! One ping, whose answer tells what the engine speaks.
//!
//! The client library drops the headers of a ping, and its own negotiation asks for the
//! engine's full version, which takes dockerd ten times as long. So the ping is written here.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Address, parse_version};
use crate::plan::observed::ApiVersion;

/// What the answer to a ping tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pong {
    /// The newest API version the engine speaks.
    pub(super) api: ApiVersion,
    /// Whether the engine is part of an active swarm.
    pub(super) swarm: bool,
    /// Whether it is Podman.
    pub(super) podman: bool,
    /// Whether it is the bundled engine.
    pub(super) bundled: bool,
    /// The engine's clock in Unix seconds, where it told.
    pub(super) date: Option<i64>,
}

/// Most bytes of an answer's head that are read.
const HEAD_LIMIT: usize = 16 * 1024;

/// Pings a place. `None` where the client library has to do it (TLS, ssh, pipes).
///
/// # Errors
/// A reason in words when nothing answers, or something that is no engine.
pub(super) async fn ping(address: &Address) -> Result<Option<Pong>, String> {
    match address {
        #[cfg(unix)]
        Address::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(path)
                .await
                .map_err(|error| reason(&error))?;
            ask(stream).await.map(Some)
        }
        Address::Tcp { host, tls: None } => {
            let host = host.trim_start_matches("tcp://");
            let host = host.split('/').next().unwrap_or(host);
            let stream = TcpStream::connect(host)
                .await
                .map_err(|error| reason(&error))?;
            ask(stream).await.map(Some)
        }
        _ => Ok(None),
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Pong, String> {
    stream
        .write_all(b"HEAD /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        .await
        .map_err(|error| reason(&error))?;
    let mut head = Vec::with_capacity(1024);
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        let count = stream
            .read_buf(&mut head)
            .await
            .map_err(|error| reason(&error))?;
        if count == 0 {
            break;
        }
    }
    read_head(&String::from_utf8_lossy(&head))
}

/// How the bundled engine begins its `Server` header.
const BUNDLED: &str = "rcompose-engine/";

fn read_head(head: &str) -> Result<Pong, String> {
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let code = status.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with("HTTP/1.") {
        return Err("answers, but not as an engine does".to_owned());
    }
    if code != "200" {
        return Err(format!("answers with status {code}"));
    }
    let mut pong = Pong {
        api: ApiVersion::default(),
        swarm: false,
        podman: false,
        bundled: false,
        date: None,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "api-version" => pong.api = parse_version(value).unwrap_or_default(),
            "date" => pong.date = parse_date(value),
            "swarm" => pong.swarm = value.starts_with("active"),
            "libpod-api-version" => pong.podman = true,
            "server" => pong.bundled = value.starts_with(BUNDLED),
            _ => {}
        }
    }
    if pong.api == ApiVersion::default() {
        return Err("does not tell its API version".to_owned());
    }
    Ok(pong)
}

/// Reads "Sat, 21 Nov 2026 09:36:03 GMT".
fn parse_date(text: &str) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(date.timestamp().as_second())
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "not there".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::ConnectionRefused => "nothing listens".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_version_and_kind() {
        let pong = read_head(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-API-Version: 4.3.1\r\n\
             Date: Sat, 21 Nov 2026 09:36:03 GMT\r\n\r\n",
        );
        assert_eq!(
            pong,
            Ok(Pong {
                api: ApiVersion::v1(41),
                swarm: false,
                podman: true,
                bundled: false,
                date: Some(1_795_253_763)
            })
        );
    }

    #[test]
    fn what_is_no_engine_is_said() {
        assert!(read_head("SSH-2.0-x").is_err());
        assert!(read_head("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n").is_err());
        assert_eq!(
            read_head("HTTP/1.1 404 Not Found\r\n\r\n"),
            Err("answers with status 404".to_owned())
        );
    }
}
