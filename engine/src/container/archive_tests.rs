use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::sync::Arc;

use bollard_stubs::models::{ContainerCreateBody, HostConfig};
use tar::{Builder, EntryType, Header};

use super::super::create::create;
use super::*;
use crate::Layout;
use crate::image::{Import, Reference};

fn entries(files: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, data) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_uid(7);
        header.set_gid(8);
        if *kind == EntryType::Symlink {
            header.set_size(0);
            builder.append_link(&mut header, name, data).unwrap();
        } else {
            header.set_size(data.len() as u64);
            builder
                .append_data(&mut header, name, data.as_bytes())
                .unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn writing(path: &str) -> Writing {
    Writing {
        container: "c".to_owned(),
        path: path.to_owned(),
        keep_kinds: false,
        as_user: false,
    }
}

struct Place {
    folder: tempfile::TempDir,
    engine: Arc<Engine>,
    handle: Arc<Handle>,
}

impl Place {
    /// A container, never started, with a folder of the host at `/data` and one at `/fixed` that
    /// it may not write.
    async fn new() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests need root"
        );
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let engine = Engine::open(Layout::new(at("root"), at("run"))).unwrap();
        let image = entries(&[
            ("etc/", EntryType::Directory, ""),
            ("etc/passwd", EntryType::Regular, "app:x:5:6::/:/x\n"),
            ("etc/name.conf", EntryType::Regular, "text"),
            ("out", EntryType::Symlink, "/../../../../../../../../../tmp"),
            ("link", EntryType::Symlink, "etc"),
            ("loop", EntryType::Symlink, "loop"),
        ]);
        let import = Import {
            name: Some(Reference::parse("i:1").unwrap()),
            ..Import::default()
        };
        engine.images.import(image.as_slice(), import).unwrap();
        for name in ["data", "fixed"] {
            fs::create_dir(at(name)).unwrap();
            symlink("/etc", at(name).join("host")).unwrap();
        }
        let bind = |name: &str, mode: &str| format!("{}:/{name}:{mode}", at(name).display());
        let body = ContainerCreateBody {
            image: Some("i:1".to_owned()),
            cmd: Some(vec!["/x".to_owned()]),
            user: Some("app".to_owned()),
            host_config: Some(HostConfig {
                binds: Some(vec![bind("data", "rw"), bind("fixed", "ro")]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let handle = create(&engine, Some("cc"), body).await.unwrap();
        Self {
            folder,
            engine,
            handle,
        }
    }

    async fn view(&self) -> View {
        View::open(&self.engine, &self.handle.record())
            .await
            .unwrap()
    }

    async fn close(self) {
        View::close(&self.engine, &self.handle).await;
        let run = self.engine.layout.container_run(&self.handle.id);
        assert!(!run.exists(), "something stays behind a view");
        self.engine.images.discard(&self.handle.id).await.unwrap();
    }
}

fn names(view: &View, path: &str) -> Vec<String> {
    let mut data = Vec::new();
    let (tell, told) = oneshot::channel();
    view.read("c", path, &mut data, tell).unwrap();
    told.blocking_recv().unwrap().unwrap();
    let mut archive = tar::Archive::new(data.as_slice());
    let entries = archive.entries().unwrap();
    let name = |entry: tar::Entry<'_, _>| String::from_utf8(entry.path_bytes().into_owned());
    entries.map(|entry| name(entry.unwrap()).unwrap()).collect()
}

/// The parts of the view block, as they do behind the API.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn paths_are_told_and_packed_as_docker_does() {
    let place = Place::new().await;
    let view = place.view().await;
    aside(move || {
        let stat = view.stat("c", "/etc/name.conf").unwrap();
        assert_eq!(
            (&stat["name"], &stat["size"]),
            (&"name.conf".into(), &4.into())
        );
        assert_eq!(stat["mode"], 0o755);
        assert_eq!(view.stat("c", "/link").unwrap()["linkTarget"], "/etc");
        assert_eq!(
            view.stat("c", "/link/").unwrap()["mode"],
            (1_u32 << 31) | 0o755
        );
        assert_eq!(view.stat("c", "/").unwrap()["name"], "/");
        let error = view.stat("c", "/none").unwrap_err();
        assert_eq!(
            (error.status, error.message.as_str()),
            (404, "Could not find the file /none in container c")
        );
        assert_eq!(view.stat("c", "/loop").unwrap()["linkTarget"], "loop");
        assert_eq!(view.stat("c", "/loop/x").unwrap_err().status, 500);
        assert_eq!(
            names(&view, "/etc"),
            ["etc/", "etc/name.conf", "etc/passwd"]
        );
        assert_eq!(
            names(&view, "link/"),
            ["link/", "link/name.conf", "link/passwd"]
        );
        assert_eq!(names(&view, "/etc/."), ["./", "./name.conf", "./passwd"]);
        assert_eq!(names(&view, "/link"), ["link"]);
        assert!(names(&view, "/").contains(&"/etc/passwd".to_owned()));
    })
    .await;
    place.close().await;
}

#[tokio::test]
async fn links_lead_to_the_containers_own_files() {
    let place = Place::new().await;
    let marker = format!("rcompose-{}", crate::identifier::new());
    let view = place.view().await;
    let name = marker.clone();
    aside(move || {
        let file = entries(&[(&name, EntryType::Regular, "x")]);
        // A link out of an image, and one out of a folder of the host.
        assert_eq!(
            view.write(&writing("/out"), file.as_slice())
                .unwrap_err()
                .status,
            404
        );
        view.write(&writing("/data/host"), file.as_slice()).unwrap();
        assert_eq!(view.stat("c", &format!("/etc/{name}")).unwrap()["size"], 1);
        // A link that the archive itself brings.
        let evil = entries(&[
            ("a", EntryType::Symlink, "/../../../../../../../../../etc"),
            (&format!("a/{name}2"), EntryType::Regular, "x"),
        ]);
        view.write(&writing("/"), evil.as_slice()).unwrap();
        assert_eq!(view.stat("c", &format!("/etc/{name}2")).unwrap()["size"], 1);
        let above = writing("/../../data");
        view.write(
            &above,
            entries(&[("inner", EntryType::Regular, "1")]).as_slice(),
        )
        .unwrap();
    })
    .await;
    assert!(!Path::new("/tmp").join(&marker).exists());
    assert!(!Path::new("/etc").join(&marker).exists());
    assert!(!Path::new("/etc").join(format!("{marker}2")).exists());
    assert_eq!(
        fs::read(place.folder.path().join("data/inner")).unwrap(),
        b"1"
    );
    place.close().await;
}

#[tokio::test]
async fn what_may_not_be_written_is_not() {
    let place = Place::new().await;
    let view = place.view().await;
    aside(move || {
        let file = entries(&[("fixed/x", EntryType::Regular, "x")]);
        for path in ["/fixed", "/"] {
            let error = view.write(&writing(path), file.as_slice()).unwrap_err();
            assert_eq!(
                (error.status, error.message.as_str()),
                (400, "mounted volume is marked read-only"),
                "{path}"
            );
        }
        let error = view
            .write(&writing("/etc/passwd"), file.as_slice())
            .unwrap_err();
        assert_eq!(error.message, "extraction point is not a directory");
        let kinds = Writing {
            keep_kinds: true,
            ..writing("/")
        };
        let over = entries(&[("etc", EntryType::Regular, "x")]);
        let error = view.write(&kinds, over.as_slice()).unwrap_err();
        assert!(
            error.message.contains("cannot overwrite directory"),
            "{error}"
        );
        let closed = View {
            read_only: true,
            ..view
        };
        let error = closed.write(&writing("/etc"), file.as_slice()).unwrap_err();
        assert_eq!(error.message, "container rootfs is marked read-only");
        closed.write(&writing("/data"), file.as_slice()).unwrap();
    })
    .await;
    place.close().await;
}

#[tokio::test]
async fn owners_are_those_of_the_archive_or_the_user() {
    let place = Place::new().await;
    let view = place.view().await;
    aside(move || {
        let file = entries(&[("run/secrets/s", EntryType::Regular, "x")]);
        view.write(&writing("/data"), file.as_slice()).unwrap();
        let as_user = Writing {
            as_user: true,
            ..writing("/data")
        };
        let file = entries(&[("mine", EntryType::Regular, "x")]);
        view.write(&as_user, file.as_slice()).unwrap();
    })
    .await;
    let owner = |name: &str| {
        let metadata = fs::metadata(place.folder.path().join("data").join(name)).unwrap();
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(owner("run/secrets/s"), (7, 8));
    assert_eq!(owner("run/secrets"), (0, 0));
    assert_eq!(owner("mine"), (5, 6));
    place.close().await;
}
