//! HTTP from outside the containers: to the ports the engine published.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use super::engine::engine;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `GET` of a published port; nothing when nobody answers.
pub(crate) fn get(port: u16, path: &str) -> Option<Answer> {
    request("GET", port, path, "", "")
}

/// A request to a published port; nothing when nobody answers.
pub(crate) fn request(
    method: &str,
    port: u16,
    path: &str,
    content_type: &str,
    body: &str,
) -> Option<Answer> {
    let mut stream = connect(port)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost:{port}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split_whitespace().nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Connects in the engine's network. A thread of its own enters it, so that no other one has to come back.
pub(crate) fn connect(port: u16) -> Option<TcpStream> {
    let network = engine().network.try_clone().ok()?;
    let connecting = std::thread::spawn(move || {
        setns(network.as_fd(), CloneFlags::CLONE_NEWNET).ok()?;
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    connecting.join().ok()?
}
