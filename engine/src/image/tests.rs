use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::content::digest;
use super::*;
use crate::filters::Filters;

struct Place {
    _folder: tempfile::TempDir,
    layout: Layout,
    images: Images,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
    let images = Images::open(&layout).unwrap();
    Place {
        _folder: folder,
        layout,
        images,
    }
}

pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, data) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *data).unwrap();
    }
    builder.into_inner().unwrap()
}

fn import(images: &Images, name: &str, files: &[(&str, &[u8])]) -> String {
    let name = Some(Reference::parse(name).unwrap());
    images
        .import(
            archive(files).as_slice(),
            Import {
                name,
                ..Import::default()
            },
        )
        .unwrap()
}

fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
}

#[test]
fn imported_images_are_found_again() {
    let place = place();
    let id = import(&place.images, "a:1", &[("f", b"text")]);
    let again = Images::open(&place.layout).unwrap();
    for reference in [
        "a:1",
        "docker.io/library/a:1",
        &id,
        &id[7..],
        &id[7..15],
        &id[..20],
    ] {
        let image = again.resolve(reference).unwrap();
        assert_eq!(
            (image.id.as_str(), image.size),
            (id.as_str(), 4),
            "{reference}"
        );
        assert_eq!(image.tags, ["a:1"]);
    }
    let error = again.resolve("a:latest").unwrap_err();
    assert_eq!(
        (error.status, error.message.as_str()),
        (404, "No such image: a:latest")
    );
    let layer = &again.resolve("a:1").unwrap().document.rootfs.diff_ids[0];
    assert_eq!(
        fs::read(again.layers.tree(layer).join("f")).unwrap(),
        b"text"
    );
}

#[test]
fn a_name_goes_before_the_last_takes_the_image() {
    let place = place();
    let id = import(&place.images, "a:1", &[("f", b"text")]);
    place.images.tag("a:1", "b:2").unwrap();
    let removed = place.images.remove("a:1", false).unwrap();
    assert_eq!(removed, [Removed::Untagged("a:1".to_owned(), id.clone())]);
    let layer = place
        .images
        .resolve("b:2")
        .unwrap()
        .document
        .rootfs
        .diff_ids[0]
        .clone();
    let removed = place.images.remove("b:2", false).unwrap();
    assert_eq!(
        removed[1..],
        [
            Removed::Deleted(id.clone()),
            Removed::Deleted(layer.clone())
        ]
    );
    assert!(!place.images.layers.has(&layer));
    let blobs = fs::read_dir(place.layout.images().join("blobs/sha256")).unwrap();
    assert_eq!(blobs.count(), 0);
    assert!(Images::open(&place.layout).unwrap().all().is_empty());
}

#[test]
fn several_repositories_keep_an_image() {
    let place = place();
    let id = import(&place.images, "a:1", &[("f", b"text")]);
    place.images.tag(&id, "b:2").unwrap();
    let error = place.images.remove(&id, false).unwrap_err();
    assert_eq!(error.status, 409);
    assert!(
        error
            .message
            .ends_with("(must be forced) - image is referenced in multiple repositories")
    );
    assert_eq!(place.images.remove(&id, true).unwrap().len(), 4);
}

#[tokio::test]
async fn a_container_keeps_its_image() {
    needs_root();
    let place = place();
    import(&place.images, "a:1", &[("f", b"text")]);
    let image = place.images.resolve("a:1").unwrap();
    place.images.prepare("c1", &image).unwrap();
    assert_eq!(place.images.in_use(&image.id), ["c1"]);
    let error = place.images.remove("a:1", false).unwrap_err();
    assert!(
        error
            .message
            .contains("container c1 is using its referenced image"),
        "{error}"
    );
    assert!(
        place
            .images
            .remove(&image.id, false)
            .unwrap_err()
            .message
            .contains("stopped container c1")
    );
    // By force the image goes; what the container needs of it stays.
    place.images.remove("a:1", true).unwrap();
    assert!(
        Images::open(&place.layout)
            .unwrap()
            .layers
            .has(&image.document.rootfs.diff_ids[0])
    );
    place.images.discard("c1").await.unwrap();
    place.images.discard("c1").await.unwrap();
    Images::open(&place.layout).unwrap();
    assert!(!place.images.layers.has(&image.document.rootfs.diff_ids[0]));
}

#[test]
fn saved_images_load_elsewhere() {
    let here = place();
    let id = import(&here.images, "a:1", &[("f", b"text")]);
    let mut saved = Vec::new();
    let to_save = here.images.to_save(&["a:1".to_owned()]).unwrap();
    here.images.save(&to_save, &mut saved).unwrap();
    let zipped = zstd::encode_all(saved.as_slice(), 1).unwrap();
    for data in [saved, zipped] {
        let there = place();
        let loaded = there.images.load(data.as_slice()).unwrap();
        assert_eq!(
            (loaded[0].id.as_str(), loaded[0].names.as_slice()),
            (id.as_str(), ["a:1".to_owned()].as_slice())
        );
        assert_eq!(there.images.resolve("a:1").unwrap().size, 4);
        // The archive's own files are not kept.
        let blobs = fs::read_dir(there.layout.images().join("blobs/sha256")).unwrap();
        assert_eq!(blobs.count(), 3);
    }
}

#[test]
fn old_archives_with_links_load() {
    let layer = archive(&[("f", b"text")]);
    let diff_id = digest(&layer);
    let config = json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/f"], "Volumes": null },
        "rootfs": { "type": "layers", "diff_ids": [diff_id, diff_id] } });
    let config = serde_json::to_vec(&config).unwrap();
    let manifest = json!([{ "Config": "c.json", "RepoTags": ["old:1"], "Layers": ["a/layer.tar", "b/layer.tar"] }]);
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, "b/layer.tar", "../a/layer.tar")
        .unwrap();
    let manifest = serde_json::to_vec(&manifest).unwrap();
    for (name, data) in [
        ("a/layer.tar", &layer),
        ("c.json", &config),
        ("manifest.json", &manifest),
    ] {
        let mut header = Header::new_gnu();
        header.set_size(data.len() as u64);
        builder
            .append_data(&mut header, name, data.as_slice())
            .unwrap();
    }
    let place = place();
    let loaded = place
        .images
        .load(builder.into_inner().unwrap().as_slice())
        .unwrap();
    assert_eq!(loaded[0].id, digest(&config));
    let image = place.images.resolve("old:1").unwrap();
    assert_eq!(image.document.config().cmd, Some(vec!["/f".to_owned()]));
}

/// An OCI layout of one image, with one blob's bytes changed where asked.
fn layout_archive(spoiled: bool) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let layer = archive(&[("f", b"text")]);
    gzip.write_all(&layer).unwrap();
    let blob = gzip.finish().unwrap();
    let other = digest(b"other");
    let diff_id = if spoiled { other } else { digest(&layer) };
    let config = json!({ "architecture": crate::api::architecture(), "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [diff_id] } });
    let config = serde_json::to_vec(&config).unwrap();
    let descriptor =
        |kind: &str, data: &[u8]| Descriptor::new(kind, &digest(data), data.len() as u64);
    let manifest = Manifest {
        schema_version: 2,
        media_type: None,
        config: descriptor(index::CONFIG, &config),
        layers: vec![descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            &blob,
        )],
    };
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let mut entry = json!(descriptor(index::MANIFEST, &manifest));
    entry["annotations"] =
        json!({ "org.opencontainers.image.ref.name": "docker.io/library/oci:1" });
    let index = serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": [entry] })).unwrap();
    let path = |data: &[u8]| format!("blobs/{}", digest(data).replace(':', "/"));
    archive(&[
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ("index.json", &index),
        (&path(&manifest), &manifest),
        (&path(&config), &config),
        (&path(&blob), &blob),
    ])
}

#[test]
fn layouts_load_and_digests_are_checked() {
    let place = place();
    place.images.load(layout_archive(false).as_slice()).unwrap();
    assert_eq!(place.images.resolve("oci:1").unwrap().size, 4);
    let error = place
        .images
        .load(layout_archive(true).as_slice())
        .unwrap_err();
    assert!(
        error.message.starts_with("a layer has the digest"),
        "{error}"
    );
    assert_eq!(place.images.all().len(), 1);
    assert_eq!(
        place.images.load(b"nothing".as_slice()).unwrap_err().status,
        400
    );
}

#[test]
fn lists_are_filtered() {
    let place = place();
    import(&place.images, "a:1", &[("f", b"1")]);
    import(&place.images, "b/c:1", &[("f", b"2")]);
    place
        .images
        .import(archive(&[("f", b"3")]).as_slice(), Import::default())
        .unwrap();
    let count = |text: &str| {
        let filters = Filters::parse(Some(text), FILTERS).unwrap();
        place.images.list(&filters).map(|images| images.len())
    };
    assert_eq!(count("{}").unwrap(), 3);
    assert_eq!(count(r#"{"dangling":["true"]}"#).unwrap(), 1);
    assert_eq!(count(r#"{"reference":["a*"]}"#).unwrap(), 1);
    assert_eq!(count(r#"{"reference":["*/*:1"]}"#).unwrap(), 1);
    assert_eq!(count(r#"{"since":["a:1"]}"#).unwrap(), 2);
    assert_eq!(count(r#"{"before":["b/c:1"]}"#).unwrap(), 1);
    assert_eq!(count(r#"{"since":["none"]}"#).unwrap_err().status, 404);
    let filters = Filters::default();
    assert_eq!(place.images.prune(&filters).unwrap().1, 1);
    assert_eq!(count("{}").unwrap(), 2);
}

#[tokio::test]
async fn layers_are_mounted_upon_each_other() {
    needs_root();
    let place = place();
    let lease = place.images.lease();
    let mut document = Document::new();
    let mut layers = Vec::new();
    for number in 0..70 {
        let data = number.to_string();
        let made = archive(&[("same", data.as_bytes()), (&format!("f{number}"), b"x")]);
        let (layer, diff_id) = place.images.new_layer(made.as_slice(), &lease).unwrap();
        layers.push(layer);
        document.rootfs.diff_ids.push(diff_id);
    }
    let (layer, diff_id) = place
        .images
        .new_layer(archive(&[(".wh.f0", b"")]).as_slice(), &lease)
        .unwrap();
    layers.push(layer);
    document.rootfs.diff_ids.push(diff_id);
    // The same layer again: images often have an empty one several times.
    layers.insert(0, layers[69].clone());
    document
        .rootfs
        .diff_ids
        .insert(0, document.rootfs.diff_ids[69].clone());
    let id = place.images.make(&document, layers, &[], &lease).unwrap();
    let image = place.images.resolve(&id).unwrap();
    place.images.prepare("many", &image).unwrap();
    let path = place.images.mount("many").await.unwrap();
    assert_eq!(place.images.mount("many").await.unwrap(), path);
    assert!(place.images.is_mounted("many"));
    assert_eq!(fs::read(path.join("same")).unwrap(), b"69");
    assert!(path.join("f1").exists() && !path.join("f0").exists());
    fs::write(path.join("new"), "x").unwrap();
    place.images.unmount("many").await.unwrap();
    place.images.unmount("many").await.unwrap();
    assert!(!Path::new(&path).exists());
    assert!(place.images.upper("many").join("new").exists());
    place.images.discard("many").await.unwrap();
}
