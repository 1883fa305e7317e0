//! A socket in front of the engine's that counts the requests going through, and can go dead.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::engine;

/// Passes on to the engine and remembers the first line of each request.
pub(crate) struct Proxy {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    line: Arc<Line>,
}

/// What the connections of a proxy share.
#[derive(Default)]
struct Line {
    requests: Mutex<Vec<String>>,
    connections: Mutex<Vec<UnixStream>>,
    /// Ending of the request at which everything is cut.
    cut_at: Option<&'static str>,
    dead: AtomicBool,
}

impl Proxy {
    /// Starts passing on.
    pub(crate) fn start() -> Self {
        Self::over(Line::default())
    }

    /// Starts passing on, until a request's path ends with `request`: then every connection is cut, and no other made.
    pub(crate) fn cut_at(request: &'static str) -> Self {
        Self::over(Line {
            cut_at: Some(request),
            ..Line::default()
        })
    }

    fn over(line: Line) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rcompose-proxy-")
            .tempdir()
            .expect("a folder");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket in a folder of our own");
        let line = Arc::new(line);
        let shared = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let line = Arc::clone(&shared);
                if !line.dead.load(Ordering::Relaxed) {
                    std::thread::spawn(move || pass_on(client, &line));
                }
            }
        });
        Self {
            _folder: folder,
            socket,
            line,
        }
    }

    /// What a client needs in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// `METHOD /path` of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        lock(&self.line.requests).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass_on(mut client: UnixStream, line: &Line) -> Option<()> {
    let path = engine().host.strip_prefix("unix://")?;
    let mut server = UnixStream::connect(path).ok()?;
    let mut to_client = client.try_clone().ok()?;
    let mut from_server = server.try_clone().ok()?;
    lock(&line.connections).extend([client.try_clone().ok()?, server.try_clone().ok()?]);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 16_384];
    loop {
        let count = client.read(&mut buffer).ok().filter(|count| *count > 0);
        let Some(count) = count else { break };
        // Requests of clients that wait for an answer before the next one begin a packet.
        if let Some(request) = request_line(&buffer[..count]) {
            let cut = line.cut_at.is_some_and(|ending| request.ends_with(ending));
            lock(&line.requests).push(request);
            if cut {
                line.dead.store(true, Ordering::Relaxed);
                for connection in lock(&line.connections).drain(..) {
                    let _ = connection.shutdown(Shutdown::Both);
                }
                return None;
            }
        }
        server.write_all(&buffer[..count]).ok()?;
    }
    let _ = server.shutdown(Shutdown::Write);
    Some(())
}

fn request_line(packet: &[u8]) -> Option<String> {
    let line = packet.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_suffix(" HTTP/1.1").map(ToOwned::to_owned)
}
