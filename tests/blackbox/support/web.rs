//! A web server in the engine's network.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use nix::sched::{CloneFlags, setns};

use super::engine::engine;

/// When every file was changed, as it tells.
const CHANGED: &str = "Wed, 21 Oct 2015 07:28:00 GMT";

/// A server of files; it ends with the test's process.
pub(crate) struct Web {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

impl Web {
    /// Serves these contents, by path.
    pub(crate) fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::at(0, files)
    }

    /// The same on this port; 0 for any.
    pub(crate) fn at(port: u16, files: BTreeMap<String, Vec<u8>>) -> Self {
        let network = engine().network.try_clone().expect("a file descriptor");
        let binding = std::thread::spawn(move || {
            setns(network.as_fd(), CloneFlags::CLONE_NEWNET).expect("root");
            TcpListener::bind(("127.0.0.1", port)).expect("a port")
        });
        let listener = binding.join().expect("it binds");
        let address = listener.local_addr().expect("it is bound");
        let files = Arc::new(files);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let files = Arc::clone(&files);
                std::thread::spawn(move || serve(client, &files));
            }
        });
        Self {
            url: format!("http://{address}"),
        }
    }
}

fn serve(client: TcpStream, files: &BTreeMap<String, Vec<u8>>) {
    let mut reader = BufReader::new(client.try_clone().expect("a socket"));
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, body) = match files.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b""[..]),
    };
    let length = body.len();
    let mut client = client;
    let _ = write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLast-Modified: {CHANGED}\r\nConnection: close\r\n\r\n"
    );
    if !first.starts_with("HEAD ") {
        let _ = client.write_all(body);
    }
}

/// All files below a folder, by their path below `prefix`.
pub(crate) fn tree(folder: &Path, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.append(&mut tree(&entry.path(), &name));
        } else {
            files.insert(name, std::fs::read(entry.path()).expect("a file"));
        }
    }
    files
}
