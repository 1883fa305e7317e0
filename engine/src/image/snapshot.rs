//! Writable layers of containers: overlay on the layers of an image.
//!
//! `snapshots/<container>/{image,upper,work,0,1…}`, where the numbers are links to the layers,
//! uppermost first: overlay's options have room for many of such short names. `image` is a link
//! that leads nowhere: its text is the id of the image, and it is there or not, never in part.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{Image, Images, mount_points};
use crate::archive::{Root, spread};
use crate::container::brief;
use crate::{Error, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::OFlags;

/// What a snapshot is of.
#[derive(Debug)]
struct Snapshot {
    /// Id of the image; empty for none.
    image: String,
    /// Its layers, lowest first.
    layers: Vec<String>,
}

impl Images {
    /// Makes the writable layer of a container.
    pub(crate) fn prepare(&self, container: &str, image: &Image) -> Result<()> {
        self.prepare_layers(container, &image.id, &image.document.rootfs.diff_ids)
    }

    /// The same on layers that need not be an image's.
    pub(crate) fn prepare_layers(
        &self,
        container: &str,
        image: &str,
        layers: &[String],
    ) -> Result<()> {
        let folder = self.snapshot(container);
        let failed = |error: io::Error| Error::io("create", &folder, error);
        if let Some(missing) = layers.iter().find(|layer| !self.layers.has(layer)) {
            return Err(Error::internal(format!("the layer {missing} is missing")));
        }
        if container.starts_with(PASSING) {
            fs::create_dir_all(&folder).map_err(failed)?;
            spread(&folder);
        }
        for name in ["upper", "work"] {
            fs::create_dir_all(folder.join(name)).map_err(failed)?;
        }
        // The root's owner and mode are those of the uppermost layer.
        if let Some(top) = layers.last() {
            let metadata = fs::metadata(self.layers.tree(top)).map_err(failed)?;
            let upper = folder.join("upper");
            fs::set_permissions(&upper, metadata.permissions()).map_err(failed)?;
            std::os::unix::fs::chown(&upper, Some(metadata.uid()), Some(metadata.gid()))
                .map_err(failed)?;
        }
        let layers = once(layers);
        for (number, layer) in layers.iter().rev().enumerate() {
            link(&self.layers.tree(layer), &folder.join(number.to_string())).map_err(failed)?;
        }
        if layers.is_empty() {
            fs::create_dir_all(folder.join("0")).map_err(failed)?;
        }
        link(Path::new(or_none(image)), &folder.join(IMAGE)).map_err(failed)
    }

    /// Whether a container has a writable layer.
    pub(crate) fn is_prepared(&self, container: &str) -> bool {
        read(&self.snapshot(container)).is_some()
    }

    /// Mounts a container's root file system at `<container_run>/rootfs`; nothing when it is
    /// mounted.
    pub(crate) async fn mount(&self, container: &str) -> Result<PathBuf> {
        self.mount_with(container, None).await
    }

    /// As [`Self::mount`], for a container that is about to run: with what is mounted over.
    pub(crate) async fn mount_to_run(&self, container: &str) -> Result<PathBuf> {
        let mount_points = self.layout.mount_points();
        self.mount_with(container, Some(mount_points)).await
    }

    async fn mount_with(&self, container: &str, lowest: Option<PathBuf>) -> Result<PathBuf> {
        let target = self.rootfs(container);
        if is_mounted(&target) {
            return Ok(target);
        }
        fs::create_dir_all(&target).map_err(|error| Error::io("create", &target, error))?;
        let folder = self.snapshot(container);
        let snapshot = read(&folder).ok_or_else(|| no_layer(container))?;
        let stack = Stack {
            layers: snapshot.layers.len(),
            passes: container.starts_with(PASSING) || self.is_intermediate(&snapshot.image),
            folder,
            lowest,
        };
        let to = target.clone();
        brief(move || stack.mount(&to)).await?;
        Ok(target)
    }

    /// Takes the mount away; nothing when there is none.
    pub(crate) async fn unmount(&self, container: &str) -> Result<()> {
        let target = self.rootfs(container);
        // The kernel takes its time for it.
        brief(move || {
            match umount2(&target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
                Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT) => {}
                Err(error) => return Err(Error::io("unmount", &target, error)),
            }
            let _ = fs::remove_dir(&target);
            Ok(())
        })
        .await
    }

    /// Removes a container's writable layer.
    pub(crate) async fn discard(&self, container: &str) -> Result<()> {
        self.unmount(container).await?;
        let folder = self.snapshot(container);
        let run = self.layout.container_run(container);
        brief(move || {
            // That of a container has more in it.
            let _ = fs::remove_dir(run);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(Error::io("remove", &folder, error))
                }
                _ => Ok(()),
            }
        })
        .await
    }

    /// A name for a writable layer that is of no container, and goes with this daemon at the
    /// latest.
    pub(crate) fn passing_name() -> String {
        format!("{PASSING}{}", crate::identifier::new())
    }

    /// Removes the layers of such names that a daemon which was killed has left. What fails is told
    /// in the daemon's log.
    pub(crate) async fn discard_passed(&self) {
        let left: Vec<String> = self.snapshots().map(|(name, _)| name).collect();
        for name in left.iter().filter(|name| name.starts_with(PASSING)) {
            if let Err(error) = self.discard(name).await {
                tracing::error!("{error}");
            }
        }
    }

    /// Where a container's root file system is mounted.
    pub(crate) fn rootfs(&self, container: &str) -> PathBuf {
        self.layout.container_run(container).join("rootfs")
    }

    /// What a container has written: the upper folder of its overlay.
    pub(crate) fn upper(&self, container: &str) -> PathBuf {
        self.snapshot(container).join("upper")
    }

    /// The layers that a container is on, lowest first.
    ///
    /// # Errors
    /// 500 when it has no writable layer.
    pub(crate) fn layers_of_snapshot(&self, container: &str) -> Result<Vec<String>> {
        let snapshot = read(&self.snapshot(container)).ok_or_else(|| no_layer(container))?;
        Ok(snapshot.layers)
    }

    /// Whether one of the layers has something at this path, relative to their root.
    pub(crate) fn is_in_layers(&self, layers: &[String], path: &Path) -> bool {
        layers.iter().any(|layer| {
            let root = Root::open(&self.layers.tree(layer));
            root.is_ok_and(|root| root.open_at(path, OFlags::PATH | OFlags::NOFOLLOW).is_ok())
        })
    }

    /// The containers of an image.
    pub(crate) fn in_use(&self, image: &str) -> Vec<String> {
        let of_image = self
            .snapshots()
            .filter(|(_, snapshot)| snapshot.image == image);
        of_image.map(|(container, _)| container).collect()
    }

    /// Whether a container's root file system is mounted: it runs or is about to.
    pub(crate) fn is_mounted(&self, container: &str) -> bool {
        is_mounted(&self.rootfs(container))
    }

    /// Whether there is no snapshot.
    #[cfg(test)]
    pub(crate) fn snapshots_are_gone(&self) -> bool {
        self.snapshots().next().is_none()
    }

    /// The layers that containers have.
    pub(super) fn snapshot_layers(&self) -> BTreeSet<String> {
        self.snapshots()
            .flat_map(|(_, snapshot)| snapshot.layers)
            .collect()
    }

    fn snapshots(&self) -> impl Iterator<Item = (String, Snapshot)> + use<> {
        let entries = fs::read_dir(self.layout.snapshots())
            .ok()
            .into_iter()
            .flatten()
            .flatten();
        entries.filter_map(|entry| {
            let snapshot = read(&entry.path())?;
            Some((entry.file_name().into_string().ok()?, snapshot))
        })
    }

    fn snapshot(&self, container: &str) -> PathBuf {
        self.layout.snapshots().join(container)
    }
}

/// How names of layers begin that are of no container.
const PASSING: &str = "build-";
/// What a link says that is of no image: a link cannot be empty.
const NONE: &str = "-";
/// Name of the link that tells the image.
const IMAGE: &str = "image";

fn or_none(image: &str) -> &str {
    if image.is_empty() { NONE } else { image }
}

/// Makes a link; it may be there already.
fn link(target: &Path, path: &Path) -> io::Result<()> {
    match symlink(target, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// What is in a folder of a snapshot; `None` where there is none, or not wholly.
fn read(folder: &Path) -> Option<Snapshot> {
    let image = fs::read_link(folder.join(IMAGE)).ok()?;
    let image = image.to_str()?;
    let trees =
        (0..).map_while(|number: usize| fs::read_link(folder.join(number.to_string())).ok());
    let layer = |tree: PathBuf| {
        let name = tree.parent()?.file_name()?.to_str()?;
        Some(format!("sha256:{name}"))
    };
    let mut layers: Vec<String> = trees.filter_map(layer).collect();
    layers.reverse();
    Some(Snapshot {
        image: if image == NONE { "" } else { image }.to_owned(),
        layers,
    })
}

/// The layers without repetitions, which overlay refuses: the uppermost of equal ones has
/// everything that the others have.
fn once(layers: &[String]) -> Vec<String> {
    let is_last = |(at, layer): &(usize, &String)| !layers[at + 1..].contains(layer);
    let layers = layers.iter().enumerate().filter(is_last);
    layers.map(|(_, layer)| layer.clone()).collect()
}

/// Whether something is mounted here: it is on another device than the folder above, or it is
/// the root of its own mount.
pub(crate) fn is_mounted(path: &Path) -> bool {
    let device = |path: &Path| {
        fs::symlink_metadata(path)
            .ok()
            .map(|metadata| metadata.dev())
    };
    let above = path.parent().and_then(device);
    device(path).is_some_and(|device| Some(device) != above)
}

fn no_layer(container: &str) -> Error {
    Error::internal(format!("container {container} has no writable layer"))
}

/// An overlay that is to be mounted.
struct Stack {
    /// That of the snapshot.
    folder: PathBuf,
    /// How many it is on.
    layers: usize,
    /// A folder below them.
    lowest: Option<PathBuf>,
    /// Whether what is written is of no use after a crash.
    passes: bool,
}

impl Stack {
    /// Mounts it. One that passes is not written to disk when it is unmounted, for which the kernel would write everything
    /// that anybody has written to that disk.
    fn mount(&self, target: &Path) -> Result<()> {
        let mut lower: Vec<String> = (0..self.layers.max(1))
            .map(|number| number.to_string())
            .collect();
        let lowest = self.lowest.as_deref();
        lower.extend(lowest.and_then(|folder| mount_points::as_layer(folder, &lower)));
        let options = format!("lowerdir={},upperdir=upper,workdir=work", lower.join(":"));
        if self.passes {
            // What the kernel leaves there so that nothing is mounted again that a crash may have broken.
            let _ = fs::remove_dir_all(self.folder.join(WORK).join(VOLATILE));
            match overlay(&self.folder, target, &format!("{options},volatile")) {
                // Before Linux 5.10.
                Ok(Err(nix::Error::EINVAL)) => {}
                mounted => return told(mounted?, target),
            }
        }
        told(overlay(&self.folder, target, &options)?, target)
    }
}

/// Below a snapshot: the folder that overlay works in.
const WORK: &str = "work";
/// Below that: that it is mounted without being written to disk.
const VOLATILE: &str = "work/incompat/volatile";

fn told(mounted: nix::Result<()>, target: &Path) -> Result<()> {
    mounted.map_err(|error| Error::io("mount an overlay at", target, error))
}

/// Mounts an overlay whose options name folders relative to `folder`. On a thread of its own,
/// whose working directory is its own.
fn overlay(folder: &Path, target: &Path, options: &str) -> Result<nix::Result<()>> {
    let mounted = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_FS)?;
            nix::unistd::chdir(folder)?;
            mount(
                Some("overlay"),
                target,
                Some("overlay"),
                MsFlags::empty(),
                Some(options),
            )
        });
        thread.join()
    });
    mounted.map_err(|_| Error::internal("the thread that mounts ended early"))
}
