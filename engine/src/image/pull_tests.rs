//! Pulls from a small registry on this machine.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::engine::Engine;

/// What the registry has, and what it has seen.
#[derive(Default)]
struct Shelf {
    /// Manifests by tag and digest, blobs by digest.
    items: HashMap<String, Vec<u8>>,
    /// Where a blob is fetched in place of here.
    elsewhere: Option<String>,
    /// Who may come in; anybody where this is empty.
    token: String,
    address: String,
    blobs: AtomicUsize,
}

type Shared = State<Arc<Mutex<Shelf>>>;

async fn item(State(shelf): Shared, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let shelf = shelf.lock().unwrap();
    let shown = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap());
    if !shelf.token.is_empty() && shown != Some(&format!("Bearer {}", shelf.token)) {
        let wants = format!(
            "Bearer realm=\"http://{}/token\",service=\"s\"",
            shelf.address
        );
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, wants)],
        )
            .into_response();
    }
    let (kind, name) = path.strip_prefix("a/b/").unwrap().split_once('/').unwrap();
    if kind == "blobs" {
        shelf.blobs.fetch_add(1, Ordering::Relaxed);
        if let Some(elsewhere) = &shelf.elsewhere {
            let location = format!("{elsewhere}/store/{name}");
            return (
                StatusCode::TEMPORARY_REDIRECT,
                [(header::LOCATION, location)],
            )
                .into_response();
        }
    }
    match shelf.items.get(name) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Another host, which must not see what the registry wants to know.
async fn store(State(shelf): Shared, Path(name): Path<String>, headers: HeaderMap) -> Response {
    assert!(!headers.contains_key(header::AUTHORIZATION));
    shelf.lock().unwrap().items[&name].clone().into_response()
}

async fn token(State(shelf): Shared, headers: HeaderMap) -> Response {
    let basic = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap());
    if basic != Some("Basic dTpw") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    axum::Json(json!({ "token": shelf.lock().unwrap().token })).into_response()
}

struct Place {
    _folder: tempfile::TempDir,
    engine: Arc<Engine>,
    shelf: Arc<Mutex<Shelf>>,
    name: String,
    told: Arc<Mutex<Vec<Value>>>,
}

async fn serve(shelf: &Arc<Mutex<Shelf>>) -> String {
    let router = Router::new()
        .route("/v2/{*path}", get(item))
        .route("/store/{name}", get(store))
        .route("/token", get(token))
        .with_state(Arc::clone(shelf));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

impl Place {
    /// A registry with an image of two layers, of this machine and of another.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let engine = Engine::open(Layout::new(at("root"), at("run"))).unwrap();
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let address = serve(&shelf).await;
        let place = Self {
            _folder: folder,
            engine,
            name: format!("{address}/a/b:1"),
            shelf,
            told: Arc::default(),
        };
        place.fill(&address);
        place
    }

    fn fill(&self, address: &str) {
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for data in ["one", "two"] {
            let layer = tests::archive(&[(data, data.as_bytes())]);
            diff_ids.push(digest(&layer));
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&layer).unwrap();
            layers.push(self.put(
                "application/vnd.oci.image.layer.v1.tar+gzip",
                gzip.finish().unwrap(),
            ));
        }
        let config = json!({ "architecture": crate::api::architecture(), "os": "linux",
            "config": { "Cmd": ["/x"] }, "rootfs": { "type": "layers", "diff_ids": diff_ids } });
        let config = self.put(index::CONFIG, serde_json::to_vec(&config).unwrap());
        let manifest = json!({ "schemaVersion": 2, "mediaType": index::MANIFEST, "config": config, "layers": layers });
        let mut own = json!(self.put(index::MANIFEST, serde_json::to_vec(&manifest).unwrap()));
        own["platform"] = json!({ "architecture": crate::api::architecture(), "os": "linux" });
        let mut other = own.clone();
        other["platform"]["architecture"] = json!("other");
        other["digest"] = json!(digest(b"other"));
        let list = json!({ "schemaVersion": 2, "manifests": [other, own] });
        let list = serde_json::to_vec(&list).unwrap();
        self.put(index::MANIFEST, list.clone());
        let mut shelf = self.shelf.lock().unwrap();
        shelf.items.insert("1".to_owned(), list);
        address.clone_into(&mut shelf.address);
    }

    fn put(&self, kind: &str, data: Vec<u8>) -> Descriptor {
        let descriptor = Descriptor::new(kind, &digest(&data), data.len() as u64);
        let mut shelf = self.shelf.lock().unwrap();
        shelf.items.insert(descriptor.digest.clone(), data);
        descriptor
    }

    async fn pull(&self, name: &str, auth: &[u8]) -> Result<()> {
        let told = Arc::clone(&self.told);
        let tell: Tell = Arc::new(move |value| told.lock().unwrap().push(value));
        let reference = Reference::parse(name)?.tagged();
        pull(&self.engine, &reference, Credentials::parse(auth)?, tell).await
    }

    /// How often a status was told.
    fn count(&self, status: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.iter()
            .filter(|value| value["status"].as_str().unwrap().starts_with(status))
            .count()
    }

    fn digest_of_list(&self) -> String {
        digest(&self.shelf.lock().unwrap().items["1"])
    }
}

#[tokio::test]
async fn an_image_comes_with_all_it_has() {
    let place = Place::new().await;
    place.pull(&place.name, b"").await.unwrap();
    let image = place.engine.images.resolve(&place.name).unwrap();
    assert_eq!((image.size, image.document.rootfs.diff_ids.len()), (6, 2));
    assert_eq!(image.tags, std::slice::from_ref(&place.name));
    let by_digest = place
        .name
        .replace(":1", &format!("@{}", place.digest_of_list()));
    assert_eq!(image.digests, std::slice::from_ref(&by_digest));
    for (status, count) in [
        ("Pulling from a/b", 1),
        ("Pulling fs layer", 2),
        ("Downloading", 2),
        ("Pull complete", 2),
        (&format!("Digest: {}", place.digest_of_list()), 1),
        ("Status: Downloaded newer image for", 1),
    ] {
        assert_eq!(place.count(status), count, "{status}");
    }
    let blobs = place.shelf.lock().unwrap().blobs.load(Ordering::Relaxed);
    place.pull(&by_digest, b"").await.unwrap();
    place.pull(&place.name, b"").await.unwrap();
    assert_eq!(place.count("Already exists"), 4);
    assert_eq!(place.count("Status: Image is up to date for"), 2);
    assert_eq!(
        place.shelf.lock().unwrap().blobs.load(Ordering::Relaxed),
        blobs
    );
    Images::open(&place.engine.layout)
        .unwrap()
        .resolve(&by_digest)
        .unwrap();
}

#[tokio::test]
async fn names_and_passwords_are_for_the_registry_alone() {
    let place = Place::new().await;
    let elsewhere = serve(&place.shelf).await;
    {
        let mut shelf = place.shelf.lock().unwrap();
        shelf.token = "secret".to_owned();
        shelf.elsewhere = Some(format!("http://{elsewhere}"));
    }
    let error = place.pull(&place.name, b"").await.unwrap_err();
    assert_eq!(error.status, 404);
    assert!(
        error.message.starts_with("pull access denied for "),
        "{error}"
    );
    let auth = url_safe().encode(r#"{"username":"u","password":"p"}"#);
    place.pull(&place.name, auth.as_bytes()).await.unwrap();
    place.engine.images.resolve(&place.name).unwrap();
}

#[tokio::test]
async fn what_is_not_what_it_says_is_refused() {
    let place = Place::new().await;
    let error = place
        .pull(&place.name.replace(":1", ":2"), b"")
        .await
        .unwrap_err();
    assert_eq!(error.status, 404);
    assert!(error.message.contains("manifest unknown"), "{error}");
    let wrong = digest(b"other");
    let list = place.shelf.lock().unwrap().items["1"].clone();
    place
        .shelf
        .lock()
        .unwrap()
        .items
        .insert(wrong.clone(), list);
    let name = place.name.replace(":1", &format!("@{wrong}"));
    let error = place.pull(&name, b"").await.unwrap_err();
    assert!(
        error.message.contains("manifest verification failed"),
        "{error}"
    );
    // A layer that somebody has changed on the way.
    for bytes in place.shelf.lock().unwrap().items.values_mut() {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            bytes.push(0);
        }
    }
    let error = place.pull(&place.name, b"").await.unwrap_err();
    assert!(
        error.message.starts_with("a blob has the digest"),
        "{error}"
    );
    assert!(place.engine.images.all().is_empty());
    let closed = "127.0.0.1:9/a/b:1";
    assert_eq!(place.pull(closed, b"").await.unwrap_err().status, 500);
}
