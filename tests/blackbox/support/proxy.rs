//! A socket in front of the engine's that counts the requests going through.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::engine::engine;

/// Passes on to the engine and remembers the first line of each request.
pub(crate) struct Proxy {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts passing on.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rcompose-proxy-")
            .tempdir()
            .expect("a folder");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket in a folder of our own");
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || pass_on(client, &seen));
            }
        });
        Self {
            _folder: folder,
            socket,
            requests,
        }
    }

    /// What a client needs in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// `METHOD /path` of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn pass_on(mut client: UnixStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let path = engine().host.strip_prefix("unix://")?;
    let mut server = UnixStream::connect(path).ok()?;
    let mut to_client = client.try_clone().ok()?;
    let mut from_server = server.try_clone().ok()?;
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(std::net::Shutdown::Write);
    });
    let mut buffer = [0; 16_384];
    loop {
        let count = client.read(&mut buffer).ok().filter(|count| *count > 0);
        let Some(count) = count else { break };
        // Requests of clients that wait for an answer before the next one begin a packet.
        if let Some(line) = request_line(&buffer[..count]) {
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
        server.write_all(&buffer[..count]).ok()?;
    }
    let _ = server.shutdown(std::net::Shutdown::Write);
    Some(())
}

fn request_line(packet: &[u8]) -> Option<String> {
    let line = packet.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_suffix(" HTTP/1.1").map(ToOwned::to_owned)
}
