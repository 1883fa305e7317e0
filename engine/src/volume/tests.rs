use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;

fn place() -> (tempfile::TempDir, Layout, Volumes) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
    let volumes = Volumes::open(&layout).unwrap();
    (folder, layout, volumes)
}

fn ensure(volumes: &Volumes, name: &str) -> Result<(Volume, bool)> {
    volumes.ensure(name, "", &HashMap::new(), &HashMap::new())
}

#[tokio::test]
async fn volumes_come_back() {
    let (_folder, layout, volumes) = place();
    assert!(ensure(&volumes, "data").unwrap().1);
    assert!(!ensure(&volumes, "data").unwrap().1);
    let again = Volumes::open(&layout).unwrap();
    assert_eq!(again.all(), volumes.all());
    again.remove("data").await.unwrap();
    assert_eq!(
        again.get("data").unwrap_err().message,
        "get data: no such volume"
    );
    assert!(Volumes::open(&layout).unwrap().all().is_empty());
}

#[tokio::test]
async fn names_and_drivers_are_checked() {
    let (_folder, _, volumes) = place();
    for name in ["../evil", ".", "a", "a/b", ""] {
        assert_eq!(ensure(&volumes, name).unwrap_err().status, 400, "{name:?}");
    }
    let none = HashMap::new();
    assert_eq!(
        volumes
            .ensure("data", "nfs", &none, &none)
            .unwrap_err()
            .status,
        404
    );
}

#[tokio::test]
async fn a_container_keeps_its_volume() {
    let (_folder, layout, volumes) = place();
    ensure(&volumes, "data").unwrap();
    volumes.hold("data", "c1").unwrap();
    // A mark of a container that is no more does not count.
    assert!(volumes.users("data").is_empty());
    fs::create_dir_all(layout.container("c1")).unwrap();
    let error = volumes.remove("data").await.unwrap_err();
    assert_eq!(
        (error.status, error.message.as_str()),
        (409, "remove data: volume is in use - [c1]")
    );
    volumes.release("c1");
    volumes.remove("data").await.unwrap();
}

#[tokio::test]
async fn image_content_is_copied_once() {
    let (folder, _, volumes) = place();
    ensure(&volumes, "data").unwrap();
    let rootfs = folder.path().join("rootfs");
    fs::create_dir_all(rootfs.join("srv/sub")).unwrap();
    fs::write(rootfs.join("srv/sub/file"), "text").unwrap();
    fs::set_permissions(rootfs.join("srv"), fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::symlink("/srv", rootfs.join("link")).unwrap();
    volumes.populate("data", &rootfs, "/missing").await.unwrap();
    volumes.populate("data", &rootfs, "/link").await.unwrap();
    let data = volumes.mountpoint("data").unwrap();
    assert_eq!(fs::read(data.join("sub/file")).unwrap(), b"text");
    assert_eq!(fs::metadata(&data).unwrap().mode() & 0o777, 0o700);
    fs::remove_dir_all(data.join("sub")).unwrap();
    fs::write(data.join("own"), "").unwrap();
    volumes.populate("data", &rootfs, "/srv").await.unwrap();
    assert!(!data.join("sub").exists());
}

#[tokio::test]
async fn devices_are_mounted_while_in_use() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let (_folder, _, volumes) = place();
    let options = [
        ("type", "tmpfs"),
        ("device", "tmpfs"),
        ("o", "size=1m,uid=5"),
    ];
    let options = options
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    volumes
        .ensure("memory", "local", &options, &HashMap::new())
        .unwrap();
    let path = volumes.mount("memory", "c1").await.unwrap();
    volumes.mount("memory", "c2").await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().uid(), 5);
    volumes.unmount("memory", "c1").await.unwrap();
    assert!(crate::image::is_mounted(&path));
    volumes.unmount("memory", "c2").await.unwrap();
    assert!(!crate::image::is_mounted(&path));
}
