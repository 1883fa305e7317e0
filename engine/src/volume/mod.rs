//! Volumes: `volumes/<name>/{volume.json,_data,users/<container>}`.

mod local;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::archive::{Pack, Root, Unpack, packed, unpack};
use crate::store::Documents;
use crate::{Error, Layout, Result};

/// The label of volumes that nobody named.
pub(crate) const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    /// Its name.
    pub(crate) name: String,
    /// Always `local`.
    pub(crate) driver: String,
    /// RFC 3339.
    pub(crate) created: String,
    /// What the driver was told: `type`, `o`, `device`.
    pub(crate) options: BTreeMap<String, String>,
    /// For people.
    pub(crate) labels: BTreeMap<String, String>,
}

/// The volumes of one engine.
#[derive(Debug)]
pub(crate) struct Volumes {
    layout: Layout,
    documents: Documents<Volume>,
    volumes: Mutex<BTreeMap<String, Volume>>,
    /// Held while a volume's device is mounted or unmounted.
    mounting: tokio::sync::Mutex<()>,
}

impl Volumes {
    /// Loads what is on disk.
    ///
    /// # Errors
    /// 500 when the folder cannot be made or read.
    pub(crate) fn open(layout: &Layout) -> Result<Self> {
        let documents = Documents::open(layout.volumes(), "volume")?;
        let volumes: Vec<(String, Volume)> = documents.load()?;
        // What was being removed when the daemon ended begins with a dot.
        let (gone, volumes): (Vec<_>, Vec<_>) = volumes
            .into_iter()
            .partition(|(key, _)| key.starts_with('.'));
        for (key, _) in gone {
            documents.remove(&key)?;
        }
        let volumes = volumes.into_iter().collect();
        Ok(Self {
            layout: layout.clone(),
            documents,
            volumes: Mutex::new(volumes),
            mounting: tokio::sync::Mutex::default(),
        })
    }

    /// The volume of this name, made when there is none. Answers whether it was made.
    ///
    /// # Errors
    /// 400 for a name or options that make no sense, 409 when there is one with another driver,
    /// 404 for drivers other than `local`.
    pub(crate) fn ensure(
        &self,
        name: &str,
        driver: &str,
        options: &HashMap<String, String>,
        labels: &HashMap<String, String>,
    ) -> Result<(Volume, bool)> {
        check_name(name)?;
        if !matches!(driver, "" | "local") {
            let message =
                format!("error looking up volume plugin {driver}: plugin \"{driver}\" not found");
            return Err(Error::not_found(message));
        }
        let options: BTreeMap<_, _> = options.clone().into_iter().collect();
        local::check(&options)?;
        let mut volumes = self.volumes();
        if let Some(volume) = volumes.get(name) {
            return Ok((volume.clone(), false));
        }
        let volume = Volume {
            name: name.to_owned(),
            driver: "local".to_owned(),
            created: crate::time::now(),
            options,
            labels: labels.clone().into_iter().collect(),
        };
        let data = self.data(name);
        fs::create_dir_all(&data).map_err(|error| Error::io("create", &data, error))?;
        self.documents.put(name, &volume)?;
        volumes.insert(name.to_owned(), volume.clone());
        Ok((volume, true))
    }

    /// The volume of this name.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Volume> {
        self.volumes()
            .get(name)
            .cloned()
            .ok_or_else(|| no_such_volume(name))
    }

    /// All volumes in the order of their names.
    pub(crate) fn all(&self) -> Vec<Volume> {
        self.volumes().values().cloned().collect()
    }

    /// Where a volume's files are.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn mountpoint(&self, name: &str) -> Result<PathBuf> {
        self.get(name)?;
        Ok(self.data(name))
    }

    /// Keeps a volume from being removed while a container has it. Counts until the container's
    /// folder is gone, or [`Self::release`].
    pub(crate) fn hold(&self, name: &str, container: &str) -> Result<()> {
        let volumes = self.volumes();
        if !volumes.contains_key(name) {
            return Err(no_such_volume(name));
        }
        let users = self.layout.volumes().join(name).join("users");
        let failed = |error: io::Error| Error::io("write in", &users, error);
        fs::create_dir_all(&users).map_err(failed)?;
        fs::write(users.join(container), "").map_err(failed)
    }

    /// The container has no volume any more.
    pub(crate) fn release(&self, container: &str) {
        for volume in self.all() {
            let _ = fs::remove_file(
                self.layout
                    .volumes()
                    .join(volume.name)
                    .join("users")
                    .join(container),
            );
        }
    }

    /// The containers that have a volume.
    pub(crate) fn users(&self, name: &str) -> Vec<String> {
        let users = fs::read_dir(self.layout.volumes().join(name).join("users"));
        let names = users.ok().into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|container| self.layout.container(container).exists())
            .collect()
    }

    /// Removes a volume and its files.
    ///
    /// # Errors
    /// 404 when there is none, 409 when a container has it.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        let folder = {
            let mut volumes = self.volumes();
            if !volumes.contains_key(name) {
                return Err(no_such_volume(name));
            }
            let users = self.users(name);
            if !users.is_empty() {
                let message = format!("remove {name}: volume is in use - [{}]", users.join(", "));
                return Err(Error::conflict(message));
            }
            local::unmount(&self.data(name))?;
            volumes.remove(name);
            // Out of the way at once; its files may be many.
            let gone = self
                .layout
                .volumes()
                .join(format!(".{}", crate::identifier::new()));
            let folder = self.layout.volumes().join(name);
            fs::rename(&folder, &gone).map_err(|error| Error::io("remove", &folder, error))?;
            gone
        };
        let removed = tokio::task::spawn_blocking(move || {
            fs::remove_dir_all(&folder).map_err(|error| Error::io("remove", &folder, error))
        });
        removed.await.map_err(Error::internal)?
    }

    /// Bytes of a volume's files.
    pub(crate) async fn size(&self, name: &str) -> u64 {
        let data = self.data(name);
        tokio::task::spawn_blocking(move || size(&data))
            .await
            .unwrap_or(0)
    }

    /// Copies what an image has at `path` into a volume that is empty, with its owner and mode.
    ///
    /// # Errors
    /// 404 when there is no such volume, 500 when something cannot be copied.
    pub(crate) async fn populate(&self, name: &str, rootfs: &Path, path: &str) -> Result<()> {
        let volume = self.get(name)?;
        if local::is_device(&volume.options) {
            return Ok(());
        }
        let (data, rootfs, path) = (self.data(name), rootfs.to_owned(), PathBuf::from(path));
        let copied = tokio::task::spawn_blocking(move || {
            copy_content(&rootfs, &path, &data)
                .map_err(|error| Error::io("copy image content into", &data, error))
        });
        copied.await.map_err(Error::internal)?
    }

    /// Mounts the device of a volume that has one, for a container that starts.
    ///
    /// # Errors
    /// 404 when there is no such volume, 500 with Docker's words when it cannot be mounted.
    pub(crate) async fn mount(&self, name: &str, container: &str) -> Result<PathBuf> {
        let volume = self.get(name)?;
        let data = self.data(name);
        if local::is_device(&volume.options) {
            let _guard = self.mounting.lock().await;
            let target = data.clone();
            let mounted =
                tokio::task::spawn_blocking(move || local::mount(&volume.options, &target));
            mounted.await.map_err(Error::internal)??;
            let marks = self.marks(name);
            let failed = |error: io::Error| Error::io("write in", &marks, error);
            fs::create_dir_all(&marks).map_err(failed)?;
            fs::write(marks.join(container), "").map_err(failed)?;
        }
        Ok(data)
    }

    /// The container runs no more: a device that nobody else uses is unmounted.
    pub(crate) async fn unmount(&self, name: &str, container: &str) -> Result<()> {
        let _guard = self.mounting.lock().await;
        let marks = self.marks(name);
        if fs::remove_file(marks.join(container)).is_ok() && fs::remove_dir(&marks).is_ok() {
            local::unmount(&self.data(name))?;
        }
        Ok(())
    }

    fn marks(&self, name: &str) -> PathBuf {
        self.layout.run().join("volumes").join(name)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.layout.volumes().join(name).join("_data")
    }

    fn volumes(&self) -> MutexGuard<'_, BTreeMap<String, Volume>> {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_such_volume(name: &str) -> Error {
    Error::not_found(format!("get {name}: no such volume"))
}

fn check_name(name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if first && rest && name.len() > 1 && name.len() < 256 {
        return Ok(());
    }
    Err(Error::bad_request(format!(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )))
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).ok().into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        Some(if metadata.is_dir() {
            size(&entry.path())
        } else {
            metadata.len()
        })
    });
    sizes.sum()
}

fn copy_content(rootfs: &Path, path: &Path, data: &Path) -> io::Result<()> {
    if fs::read_dir(data)?.next().is_some() {
        return Ok(());
    }
    let source = match Root::open(rootfs)?.folder(path) {
        Ok(source) => source,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    copy_folder(&source, &Root::open(data)?)
}

/// Copies a folder with everything in it, its owner and its mode.
fn copy_folder(source: &std::os::fd::OwnedFd, target: &Root) -> io::Result<()> {
    let content = (OsStr::new("."), Path::new(""));
    packed(source, content, Pack::default(), |reader| {
        let reader = io::BufReader::with_capacity(1 << 16, reader);
        unpack(target, reader, Unpack::default())
    })?;
    let stat = rustix::fs::fstat(source)?;
    rustix::fs::fchown(
        target.fd(),
        Some(rustix::fs::Uid::from_raw(stat.st_uid)),
        Some(rustix::fs::Gid::from_raw(stat.st_gid)),
    )?;
    Ok(rustix::fs::fchmod(
        target.fd(),
        rustix::fs::Mode::from_raw_mode(stat.st_mode),
    )?)
}
