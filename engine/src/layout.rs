//! Where everything is on disk.

use std::path::{Path, PathBuf};

/// The folders of one engine.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
    run: PathBuf,
}

impl Layout {
    /// `root` keeps what outlives a reboot; `run` what does not.
    pub fn new(root: impl Into<PathBuf>, run: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            run: run.into(),
        }
    }

    /// Everything durable.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything that a reboot may remove: sockets, locks, mounted root file systems.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The lock that one daemon holds.
    pub fn lock(&self) -> PathBuf {
        self.root.join("engine.lock")
    }

    /// Documents of containers, and in a folder for each its log file.
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// What one container keeps: document, log.
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    /// What running containers have, a folder each.
    pub fn containers_run(&self) -> PathBuf {
        self.run.join("containers")
    }

    /// What one running container has: bundle, root file system, shim socket, network
    /// namespace; and what the next start makes anew: hosts, hostname, resolv.conf, exit record.
    pub fn container_run(&self, id: &str) -> PathBuf {
        self.containers_run().join(id)
    }

    /// The OCI image layout and the unpacked layers.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// What is mounted over in every container, empty.
    pub fn mount_points(&self) -> PathBuf {
        self.images().join("mount-points")
    }

    /// What the steps of builds have come to.
    pub fn build_cache(&self) -> PathBuf {
        self.root.join("build-cache")
    }

    /// Folders that commands of builds share: the caches of `RUN --mount`.
    pub fn build_caches(&self) -> PathBuf {
        self.root.join("build-caches")
    }

    /// Secrets that commands of builds have mounted.
    pub fn build_secrets(&self) -> PathBuf {
        self.run.join("build-secrets")
    }

    /// The writable layers of containers.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Documents of networks.
    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Named and anonymous volumes, a folder each.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }
}
