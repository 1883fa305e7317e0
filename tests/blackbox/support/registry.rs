//! A registry in an engine's network that takes whatever is pushed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sched::{CloneFlags, setns};
use serde_json::{Value, json};

use super::engine::{Engine, engine};

/// A registry; it ends with the test's process.
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`, which engines take without TLS.
    pub(crate) host: String,
    stored: Arc<Stored>,
}

/// What was pushed: manifests by `repository:tag`, blobs by digest, uploads by number.
#[derive(Default)]
struct Stored {
    manifests: Mutex<BTreeMap<String, Vec<u8>>>,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    uploads: Mutex<Vec<Vec<u8>>>,
    /// The repositories of the manifests that were given out, one a time.
    read: Mutex<Vec<String>>,
    /// Repositories that nobody may push to or pull from.
    closed: &'static [&'static str],
    /// Whether it knows nothing of artifact types.
    old: bool,
}

impl Registry {
    /// Starts one; pushing to and pulling from the repositories of `closed` is denied.
    pub(crate) fn start(closed: &'static [&'static str]) -> Self {
        let stored = Stored {
            closed,
            ..Stored::default()
        };
        Self::serving(engine(), stored)
    }

    /// Starts one in another engine's network.
    pub(crate) fn at(engine: &Engine) -> Self {
        Self::serving(engine, Stored::default())
    }

    /// Starts one that does not take manifests with an artifact type, as registries of version 1.0 of the specification.
    pub(crate) fn old() -> Self {
        let stored = Stored {
            old: true,
            ..Stored::default()
        };
        Self::serving(engine(), stored)
    }

    fn serving(engine: &Engine, stored: Stored) -> Self {
        let network = engine.network.try_clone().expect("a file descriptor");
        let binding = std::thread::spawn(move || {
            setns(network.as_fd(), CloneFlags::CLONE_NEWNET).expect("root");
            TcpListener::bind(("127.0.0.1", 0)).expect("a port")
        });
        let listener = binding.join().expect("it binds");
        let host = listener.local_addr().expect("it is bound").to_string();
        let stored = Arc::new(stored);
        let shared = Arc::clone(&stored);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let stored = Arc::clone(&shared);
                std::thread::spawn(move || serve(client, &stored));
            }
        });
        Self { host, stored }
    }

    /// Has an image of one small file, as if it had been pushed to `repository:tag`.
    pub(crate) fn add(&self, repository: &str, tag: &str) {
        let layer = archive(&format!("{repository}:{tag}"));
        let config = json!({
            "architecture": architecture(), "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        });
        let config = config.to_string().into_bytes();
        let part = |kind: &str, content: &[u8]| {
            let kind = format!("application/vnd.oci.image.{kind}");
            json!({"mediaType": kind, "size": content.len(), "digest": digest(content)})
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": part("config.v1+json", &config),
            "layers": [part("layer.v1.tar", &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let mut blobs = lock(&self.stored.blobs);
        for content in [layer, config] {
            blobs.insert(digest(&content), content);
        }
        let mut manifests = lock(&self.stored.manifests);
        let by_digest = format!("{repository}:{}", digest(&manifest));
        manifests.insert(by_digest, manifest.clone());
        manifests.insert(format!("{repository}:{tag}"), manifest);
    }

    /// The manifest of a tag or a digest.
    pub(crate) fn manifest(&self, repository: &str, tag: &str) -> Value {
        let manifests = lock(&self.stored.manifests);
        let manifest = manifests.get(&format!("{repository}:{tag}"));
        let manifest = manifest.unwrap_or_else(|| panic!("no {repository}:{tag}"));
        serde_json::from_slice(manifest).expect("a manifest is JSON")
    }

    /// Digests of the manifests of a repository.
    pub(crate) fn digests(&self, repository: &str) -> Vec<String> {
        let manifests = lock(&self.stored.manifests);
        let names = manifests.keys().filter_map(|name| {
            let tag = name.strip_prefix(repository)?.strip_prefix(':')?;
            tag.starts_with("sha256:").then(|| tag.to_owned())
        });
        names.collect()
    }

    /// A blob as text.
    pub(crate) fn blob(&self, digest: &str) -> String {
        let blobs = lock(&self.stored.blobs);
        let blob = blobs.get(digest).unwrap_or_else(|| panic!("no {digest}"));
        String::from_utf8_lossy(blob).into_owned()
    }

    /// How often a manifest of the repository was read.
    pub(crate) fn pulls(&self, repository: &str) -> usize {
        let read = lock(&self.stored.read);
        read.iter().filter(|name| *name == repository).count()
    }

    /// `repository:tag` of all that was pushed.
    pub(crate) fn images(&self) -> Vec<String> {
        let manifests = lock(&self.stored.manifests);
        let names = manifests.keys().filter(|name| !name.contains(":sha256:"));
        names.cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first byte of a connection with TLS.
const TLS_HANDSHAKE: u8 = 22;

/// Answers the requests of one connection.
fn serve(client: TcpStream, stored: &Stored) {
    let mut answers = client.try_clone().expect("a file descriptor");
    let mut requests = BufReader::new(client);
    // Clients begin with TLS, and go on without it where they are answered in HTTP.
    if requests
        .fill_buf()
        .is_ok_and(|bytes| bytes.starts_with(&[TLS_HANDSHAKE]))
    {
        let _ = answers.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return;
    }
    while let Some((method, path, body)) = request(&mut requests) {
        let (status, headers, content) = stored.answer(&method, &path, body);
        let length = content.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        let content = if method == "HEAD" {
            Vec::new()
        } else {
            content
        };
        if answers
            .write_all(&[head.into_bytes(), content].concat())
            .is_err()
        {
            return;
        }
    }
}

fn request(requests: &mut BufReader<TcpStream>) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    requests
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        requests.read_line(&mut header).ok()?;
        let header = header.trim().to_lowercase();
        match header.split_once(": ") {
            Some(("content-length", count)) => length = count.parse().ok()?,
            Some(("transfer-encoding", "chunked")) => chunked = true,
            None if header.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    requests.read_exact(&mut body).ok()?;
    while chunked {
        let mut size = String::new();
        requests.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        requests.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    Some((method, path, body))
}

type Reply = (u16, String, Vec<u8>);

impl Stored {
    fn answer(&self, method: &str, path: &str, body: Vec<u8>) -> Reply {
        let nothing = (404, String::new(), Vec::new());
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Some(path) = path.strip_prefix("/v2/") else {
            return nothing;
        };
        if path.is_empty() {
            return (200, String::new(), b"{}".to_vec());
        }
        if let Some((repository, digest)) = path.split_once("/blobs/") {
            return match digest.strip_prefix("uploads/") {
                Some(upload) => self.upload(method, repository, upload, query, body),
                None => found(lock(&self.blobs).get(digest), digest),
            };
        }
        let Some((repository, tag)) = path.split_once("/manifests/") else {
            return nothing;
        };
        let name = format!("{repository}:{tag}");
        if method == "PUT" {
            if self.closed.contains(&repository) {
                return denied();
            }
            if self.old && String::from_utf8_lossy(&body).contains("artifactType") {
                return (400, String::new(), Vec::new());
            }
            let digest = digest(&body);
            let header = format!("Docker-Content-Digest: {digest}\r\n");
            let mut manifests = lock(&self.manifests);
            manifests.insert(format!("{repository}:{digest}"), body.clone());
            manifests.insert(name, body);
            return (201, header, Vec::new());
        }
        if self.closed.contains(&repository) {
            return denied();
        }
        let manifests = lock(&self.manifests);
        let Some(manifest) = manifests.get(&name) else {
            return nothing;
        };
        if method == "GET" {
            lock(&self.read).push(repository.to_owned());
        }
        let (status, headers, content) = found(Some(manifest), &digest(manifest));
        let kind = media_type(&content);
        (
            status,
            format!("{headers}Content-Type: {kind}\r\n"),
            content,
        )
    }

    fn upload(
        &self,
        method: &str,
        repository: &str,
        upload: &str,
        query: &str,
        body: Vec<u8>,
    ) -> Reply {
        if self.closed.contains(&repository) {
            return denied();
        }
        let mut uploads = lock(&self.uploads);
        let number = upload.parse().unwrap_or_else(|_| {
            uploads.push(Vec::new());
            uploads.len() - 1
        });
        uploads[number].extend(body);
        let digest = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("digest="));
        if let (Some(digest), "PUT") = (digest, method) {
            let digest = digest.replace("%3A", ":");
            let content = uploads[number].clone();
            let header = format!("Docker-Content-Digest: {digest}\r\n");
            lock(&self.blobs).insert(digest, content);
            return (201, header, Vec::new());
        }
        let end = uploads[number].len().saturating_sub(1);
        let headers = format!(
            "Location: /v2/{repository}/blobs/uploads/{number}\r\nRange: 0-{end}\r\nDocker-Upload-UUID: {number}\r\n"
        );
        (202, headers, Vec::new())
    }
}

fn denied() -> Reply {
    let refusal =
        br#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    (
        403,
        "Content-Type: application/json\r\n".to_owned(),
        refusal.to_vec(),
    )
}

/// What a manifest says that it is.
fn media_type(manifest: &[u8]) -> String {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let kind = manifest["mediaType"].as_str();
    kind.unwrap_or("application/vnd.oci.image.manifest.v1+json")
        .to_owned()
}

/// A layer of one file with `text` in it.
fn archive(text: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, "name", text.as_bytes())
        .and_then(|()| archive.into_inner())
        .expect("memory can be written to")
}

/// This machine's architecture as images have it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn digest(content: &[u8]) -> String {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(content);
    format!("sha256:{}", rcompose::run::hex(&hash))
}

fn found(content: Option<&Vec<u8>>, digest: &str) -> Reply {
    match content {
        Some(content) => {
            let header = format!("Docker-Content-Digest: {digest}\r\n");
            (200, header, content.clone())
        }
        None => (404, String::new(), Vec::new()),
    }
}
