//! A socket in front of the engine's that sees the requests going through.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Error;

/// A request that went through.
pub(crate) struct Request {
    /// Its method and path, as in `POST /v1.41/containers/x/start`.
    pub(crate) line: String,
    /// When it arrived, in nanoseconds since 1970.
    pub(crate) time: i64,
}

/// Passes everything on to an engine.
pub(crate) struct Proxy {
    socket: PathBuf,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    /// Listens on `socket` for as long as this program runs.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(crate) fn start(socket: PathBuf, engine: &Path) -> Result<Self, Error> {
        let listener = UnixListener::bind(&socket)?;
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, engine) = (Arc::clone(&requests), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (seen, engine) = (Arc::clone(&seen), engine.clone());
                thread::spawn(move || pass_on(&client, &engine, &seen));
            }
        });
        Ok(Self { socket, requests })
    }

    /// What a client needs in `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// How many requests are waiting to be taken.
    pub(crate) fn seen(&self) -> usize {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes the requests seen since the last call.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut requests)
    }
}

fn pass_on(client: &UnixStream, engine: &Path, seen: &Mutex<Vec<Request>>) -> io::Result<()> {
    let server = UnixStream::connect(engine)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    let mut reader = BufReader::new(client.try_clone()?);
    let mut writer = &server;
    while let Some(body) = pass_head(&mut reader, &mut writer, seen)? {
        pass_body(&body, &mut reader, &mut writer)?;
    }
    server.shutdown(Shutdown::Write)
}

/// What follows the head of a request.
enum Body {
    Length(u64),
    Chunked,
    /// The connection becomes something else than HTTP.
    Upgrade,
}

fn pass_head(
    reader: &mut impl BufRead,
    writer: &mut impl Write,
    seen: &Mutex<Vec<Request>>,
) -> io::Result<Option<Body>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let request = Request {
        line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        time: now.map_or(0, |now| now.as_nanos() as i64),
    };
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let mut head = line.clone();
    let mut body = Body::Length(0);
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        head.push_str(&line);
        body = body.after(&line.to_ascii_lowercase());
    }
    writer.write_all(head.as_bytes())?;
    Ok(Some(body))
}

impl Body {
    /// What is known after one more header, in lower case.
    fn after(self, header: &str) -> Self {
        let (name, value) = header.split_once(':').unwrap_or_default();
        match (name, value.trim()) {
            ("upgrade", _) => Self::Upgrade,
            ("transfer-encoding", "chunked") if !matches!(self, Self::Upgrade) => Self::Chunked,
            ("content-length", length) if !matches!(self, Self::Upgrade) => {
                Self::Length(length.parse().unwrap_or(0))
            }
            _ => self,
        }
    }
}

fn pass_body(body: &Body, reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<()> {
    match body {
        Body::Length(length) => io::copy(&mut reader.take(*length), writer).map(drop),
        Body::Upgrade => io::copy(reader, writer).map(drop),
        Body::Chunked => pass_chunks(reader, writer),
    }
}

fn pass_chunks(reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        writer.write_all(line.as_bytes())?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        io::copy(&mut reader.take(length + 2), writer)?;
        if length == 0 {
            return Ok(());
        }
    }
}
