//! Layers of what was written on others.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Images;
use crate::Layout;
use crate::archive::{Pack, Root, packed};

#[tokio::test]
async fn what_was_written_becomes_a_layer_as_it_is() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
    let images = Images::open(&layout).unwrap();
    let lease = images.lease();
    let name = Images::passing_name();
    let mut ids = Vec::new();
    for round in ["1", "22"] {
        images.prepare_layers(&name, "", &ids).unwrap();
        let path = images.mount(&name).await.unwrap();
        // Mounted again it is not refused for having been mounted so before.
        images.unmount(&name).await.unwrap();
        assert_eq!(images.mount(&name).await.unwrap(), path);
        fs::write(path.join("file"), round).unwrap();
        fs::write(path.join(round), "").unwrap();
        if !ids.is_empty() {
            fs::remove_file(path.join("1")).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        images.unmount(&name).await.unwrap();
        let upper = images.upper(&name);
        let root = Root::open(&upper).unwrap();
        let content = (OsStr::new("."), Path::new(""));
        let options = Pack {
            overlay: true,
            ..Pack::default()
        };
        let (blob, size) = packed(root.fd(), content, options, |reader| {
            Ok(images.store_layer(reader, &lease).unwrap())
        })
        .unwrap();
        let (layer, id) = images.adopt_layer(blob, &upper, size).unwrap();
        assert!(!upper.exists() && layer.size > 1024);
        assert_eq!(images.layers.size(&id), round.len() as u64);
        let tree = fs::metadata(images.layers.tree(&id)).unwrap();
        assert_eq!(tree.permissions().mode() & 0o7777, 0o755);
        images.discard(&name).await.unwrap();
        ids.push(id);
    }
    images.prepare_layers(&name, "", &ids).unwrap();
    let path = images.mount(&name).await.unwrap();
    assert_eq!(fs::read(path.join("file")).unwrap(), b"22");
    assert!(path.join("22").exists() && !path.join("1").exists());
    images.discard(&name).await.unwrap();
}
