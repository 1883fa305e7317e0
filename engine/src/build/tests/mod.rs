//! Builds in an engine of their own.

mod caching;
mod configuration;
mod copying;
mod remote;
mod running;
mod sharing;
mod stages;
mod wrong;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use bollard_stubs::models::{HostConfig, ImageConfig};

use super::*;
use crate::Layout;
use crate::engine::Engine;
use crate::filters::Filters;
use crate::image::{Images, Import, Reference};

struct Place {
    folder: tempfile::TempDir,
    engine: Arc<Engine>,
}

impl Place {
    fn new() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests need root"
        );
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let engine = Engine::open(Layout::new(at("root"), at("run"))).unwrap();
        fs::create_dir_all(at("context")).unwrap();
        Self { folder, engine }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("context").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds `built:1`; its id and what was said.
    async fn build(&self, request: Build) -> Result<(String, String), Failure> {
        let said = std::sync::Mutex::new(String::new());
        let classic = Classic::new(|text: &str| said.lock().unwrap().push_str(text));
        let request = Build {
            context: self.folder.path().join("context"),
            tags: vec![Reference::parse("built:1").unwrap()],
            ..request
        };
        let sink = |progress: Progress<'_>| classic.take(progress);
        let id = Box::pin(build(&self.engine, &request, &sink)).await?;
        Ok((id, said.into_inner().unwrap()))
    }

    async fn error(&self, dockerfile: &str) -> String {
        self.write("Dockerfile", dockerfile);
        let failure = self.build(Build::default()).await.unwrap_err();
        assert!(self.engine.images.snapshots_are_gone());
        failure.error.message
    }
}

/// A root file system of busybox.
fn busybox(place: &Place) {
    let program = "/bin/busybox";
    assert!(fs::exists(program).unwrap(), "install busybox-static");
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_path_with_name(program, "bin/busybox")
        .unwrap();
    for name in [
        "sh", "cat", "id", "ls", "rm", "mkdir", "touch", "sleep", "stat",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        let path = format!("bin/{name}");
        builder.append_link(&mut header, path, "busybox").unwrap();
    }
    let import = Import {
        name: Some(Reference::parse("busybox:1").unwrap()),
        config: ImageConfig {
            env: Some(vec!["PATH=/bin".to_owned()]),
            ..ImageConfig::default()
        },
        ..Import::default()
    };
    let data = builder.into_inner().unwrap();
    place.engine.images.import(data.as_slice(), import).unwrap();
}

fn alone() -> Build {
    Build {
        host: HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        },
        ..Build::default()
    }
}
