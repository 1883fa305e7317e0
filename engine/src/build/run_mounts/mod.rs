//! What `RUN --mount` brings into a container: caches that stay, files of the context or of
//! another stage, file systems in memory, secrets and agents.

mod agent;
mod options;

use std::collections::HashMap;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bollard_stubs::models::{Mount, MountTmpfsOptions, MountType};
use rustix::fs::{AtFlags, FileType, OFlags, statat, unlinkat};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::builder::Builder;
use super::copy::{Copying, How};
use super::progress::Step;
use super::secrets::PrivateFile;
use super::stage::Stage;
use super::{Instruction, canceled};
use crate::archive::Root;
use crate::container::blocking;
use crate::image::digest;
use crate::{Error, Result};
use agent::AgentSocket;
use options::{Kind, Options, Sharing};

/// One `--mount`.
#[derive(Debug)]
pub(super) struct RunMount(Options);

/// Mounts as a container gets them, and what has to stay until it has ended.
#[derive(Default)]
pub(super) struct Mounted {
    /// For the container.
    pub(super) mounts: Vec<Mount>,
    /// `NAME=value` for the container alone.
    pub(super) variables: Vec<String>,
    /// Mounted stages, by their names.
    names: Vec<String>,
    /// Files of secrets.
    secrets: Vec<PrivateFile>,
    /// Sockets of agents.
    agents: Vec<AgentSocket>,
    /// Folders that go with the container.
    passing: Vec<PathBuf>,
    /// Caches that others wait for.
    turns: Vec<OwnedMutexGuard<()>>,
}

/// The `--mount`s of a `RUN`.
///
/// # Errors
/// 400 for what makes no sense, 501 for kinds and options that are not supported, by name.
pub(super) fn read(stage: &Stage, instruction: &Instruction) -> Result<Vec<RunMount>> {
    let mut mounts = Vec::new();
    let mut agents = 0;
    for text in instruction.flag_values("mount") {
        let mut mount = options::read(stage, instruction, text)?;
        if mount.kind == Kind::Ssh {
            let own = || format!("/run/buildkit/ssh_agent.{agents}");
            mount.target.get_or_insert_with(own);
            agents += 1;
        }
        mounts.push(RunMount(mount));
    }
    Ok(mounts)
}

impl Builder<'_> {
    /// What tells whether a command had the same mounts before: contents of caches do not count.
    ///
    /// # Errors
    /// 400 for files that are not there.
    pub(super) async fn mounts_digest(&self, mounts: &[RunMount], step: &Step) -> Result<String> {
        let mut parts = Vec::new();
        for RunMount(mount) in mounts {
            let content = match (mount.kind, &mount.from) {
                (Kind::Bind, None) => {
                    self.digest(
                        &self.build.context,
                        std::slice::from_ref(&mount.source),
                        false,
                    )
                    .await?
                }
                (Kind::Bind, Some(from)) => self.layers_of(from, step).await?.join(" "),
                // What a secret is must not show, and a new one is no reason to do the same again.
                _ => format!("{:?}", mount.id),
            };
            parts.push(format!(
                "{:?} {:?} {} {:?} {} {content}",
                mount.kind, mount.target, mount.source, mount.variable, mount.read_only
            ));
        }
        Ok(parts.join("\n"))
    }

    /// Makes ready what a container is to have.
    ///
    /// # Errors
    /// 400 for files that are not there, 500 when something cannot be made.
    pub(super) async fn mount_all(&self, mounts: &[RunMount], step: &Step) -> Result<Mounted> {
        let mut mounted = Mounted::default();
        for RunMount(mount) in mounts {
            if let Err(error) = self.mount_one(mount, &mut mounted, step).await {
                if let Err(left) = self.unmount_all(mounted).await {
                    tracing::error!("{left}");
                }
                return Err(error);
            }
        }
        Ok(mounted)
    }

    async fn mount_one(&self, mount: &Options, mounted: &mut Mounted, step: &Step) -> Result<()> {
        let mut made = Mount {
            target: mount.target.clone(),
            typ: Some(MountType::BIND),
            read_only: Some(mount.read_only),
            ..Mount::default()
        };
        let source = match mount.kind {
            Kind::Cache => Some(self.cache(mount, mounted, step).await?),
            Kind::Bind => Some(self.bound(mount, mounted, step).await?),
            Kind::Secret => self.secret(mount, mounted)?,
            Kind::Ssh => self.agent(mount, mounted)?,
            Kind::Tmpfs => {
                made.typ = Some(MountType::TMPFS);
                made.tmpfs_options = Some(MountTmpfsOptions {
                    size_bytes: mount.size,
                    ..MountTmpfsOptions::default()
                });
                mounted.mounts.push(made);
                return Ok(());
            }
        };
        if let Some(source) = source.filter(|_| mount.target.is_some()) {
            made.source = Some(source.to_string_lossy().into_owned());
            mounted.mounts.push(made);
        }
        Ok(())
    }

    /// The folder of a cache; with what `from` has where it is new.
    async fn cache(&self, mount: &Options, mounted: &mut Mounted, step: &Step) -> Result<PathBuf> {
        let id = mount.id.as_deref().unwrap_or_default();
        let id = match mount.sharing {
            Sharing::Shared => id.to_owned(),
            Sharing::Locked => {
                let turn = tokio::select! {
                    turn = turn(id).lock_owned() => turn,
                    () = self.canceled.cancelled() => {
                        return Err(canceled());
                    }
                };
                mounted.turns.push(turn);
                id.to_owned()
            }
            Sharing::Private => {
                let (id, turn) = own_turn(id);
                mounted.turns.extend(turn);
                id
            }
        };
        let folder = self.cache_folder(&id);
        if folder.exists() {
            return Ok(folder);
        }
        let failed = |error| Error::io("create", &folder, error);
        make_cache(&folder, mount.mode.unwrap_or(0o755), mount.owner).map_err(failed)?;
        if let Some(from) = &mount.from
            && let Err(error) = self.fill(&folder, (from, &mount.source), step).await
        {
            // The next build would take it for one that has been filled.
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        Ok(folder)
    }

    /// Copies what `source` is in a stage or an image into the folder of a cache.
    async fn fill(&self, folder: &Path, (from, source): (&str, &str), step: &Step) -> Result<()> {
        let layers = self.layers_of(from, step).await?;
        let (name, path) = self.mounted(&layers).await?;
        let copied = copied(&path, source, folder).await;
        self.engine.images.discard(&name).await?;
        copied
    }

    /// What a bind mount shows: nothing that is written there stays.
    async fn bound(&self, mount: &Options, mounted: &mut Mounted, step: &Step) -> Result<PathBuf> {
        let source = &mount.source;
        let missing = |error| Error::bad_request(format!("--mount of {source:?}: {error}"));
        if let Some(from) = &mount.from {
            let layers = self.layers_of(from, step).await?;
            let (name, path) = self.mounted(&layers).await?;
            mounted.names.push(name);
            return real(&path, source).map_err(missing);
        }
        let path = real(&self.build.context, source).map_err(missing)?;
        if mount.read_only {
            return Ok(path);
        }
        let folder = self.engine.images.temporary();
        fs::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, error))?;
        mounted.passing.push(folder.clone());
        copied(&self.build.context, source, &folder).await?;
        match path.file_name().filter(|_| !path.is_dir()) {
            Some(name) => Ok(folder.join(name)),
            None => Ok(folder),
        }
    }

    fn secret(&self, mount: &Options, mounted: &mut Mounted) -> Result<Option<PathBuf>> {
        let id = mount.id.as_deref().unwrap_or_default();
        let Some(value) = self.build.secrets.get(id) else {
            if mount.is_required {
                return Err(Error::bad_request(format!("secret {id}: not found")));
            }
            return Ok(None);
        };
        if let Some(name) = &mount.variable {
            let value = String::from_utf8_lossy(value);
            mounted.variables.push(format!("{name}={value}"));
        }
        if mount.target.is_none() {
            return Ok(None);
        }
        let folder = self.engine.layout.build_secrets();
        let file = PrivateFile::write(&folder, value, mount.mode.unwrap_or(0o400), mount.owner)
            .map_err(|error| Error::io("write a secret in", &folder, error))?;
        let path = file.path().to_owned();
        mounted.secrets.push(file);
        Ok(Some(path))
    }

    fn agent(&self, mount: &Options, mounted: &mut Mounted) -> Result<Option<PathBuf>> {
        let target = mount.target.as_deref().unwrap_or_default();
        // The variable is that of the first, even if that has no agent.
        let is_known = |variable: &String| variable.starts_with("SSH_AUTH_SOCK=");
        if !mounted.variables.iter().any(is_known) {
            mounted.variables.push(format!("SSH_AUTH_SOCK={target}"));
        }
        let id = mount.id.as_deref().unwrap_or_default();
        let Some(socket) = self.build.agents.get(id) else {
            if mount.is_required {
                let message = format!("ssh agent {id}: the client offers none");
                return Err(Error::bad_request(message));
            }
            return Ok(None);
        };
        let folder = self.engine.layout.build_secrets();
        let mode = mount.mode.unwrap_or(0o600);
        let socket = AgentSocket::open(&folder, socket.clone(), mode, mount.owner)
            .map_err(|error| Error::io("open a socket in", &folder, error))?;
        let path = socket.path().to_owned();
        mounted.agents.push(socket);
        Ok(Some(path))
    }

    /// Gives a container a script that names its interpreter.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(super) fn mount_script(
        &self,
        target: &str,
        script: &str,
        mounted: &mut Mounted,
    ) -> Result<()> {
        let folder = self.engine.layout.build_secrets();
        let file = PrivateFile::write(&folder, script.as_bytes(), 0o755, (0, 0))
            .map_err(|error| Error::io("write a script in", &folder, error))?;
        mounted.mounts.push(Mount {
            target: Some(target.to_owned()),
            source: Some(file.path().to_string_lossy().into_owned()),
            typ: Some(MountType::BIND),
            read_only: Some(true),
            ..Mount::default()
        });
        mounted.secrets.push(file);
        Ok(())
    }

    /// Takes away what a container had: all that can be, even where something cannot.
    ///
    /// # Errors
    /// 500 when something cannot be unmounted or removed.
    pub(super) async fn unmount_all(&self, mounted: Mounted) -> Result<()> {
        let mut result = Ok(());
        for name in &mounted.names {
            result = result.and(self.engine.images.discard(name).await);
        }
        for folder in &mounted.passing {
            let removed = fs::remove_dir_all(folder);
            result = result.and(removed.map_err(|error| Error::io("remove", folder, error)));
        }
        drop((mounted.turns, mounted.secrets, mounted.agents));
        result
    }

    fn cache_folder(&self, id: &str) -> PathBuf {
        let key = digest(id.as_bytes());
        let key = key.strip_prefix("sha256:").unwrap_or(&key);
        self.engine.layout.build_caches().join(key)
    }
}

/// Copies what a path means into a folder.
async fn copied(root: &Path, source: &str, folder: &Path) -> Result<()> {
    let (root, source, folder) = (root.to_owned(), source.to_owned(), folder.to_owned());
    blocking(move || {
        let open = |path: &Path| Root::open(path).map_err(|error| Error::io("open", path, error));
        let (from, to) = (open(&root)?, open(&folder)?);
        let how = How {
            target: "/".to_owned(),
            ..How::default()
        };
        let mut copying = Copying::new(&to, &how, None);
        copying
            .patterns(&from, &[source])
            .map_err(Error::bad_request)
    })
    .await
}

/// A path in a folder, out of which no link leads.
fn real(root: &Path, source: &str) -> std::io::Result<PathBuf> {
    let file = Root::open(root)?.open_at(Path::new(source), OFlags::PATH)?;
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn make_cache(folder: &Path, mode: u32, (user, group): (u32, u32)) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode & 0o7777))?;
    chown(folder, Some(user), Some(group))
}

/// Whose turn it is to have a cache.
fn turn(id: &str) -> Arc<Turn<()>> {
    static TURNS: OnceLock<Mutex<HashMap<String, Arc<Turn<()>>>>> = OnceLock::new();
    let turns = TURNS.get_or_init(Mutex::default).lock();
    let mut turns = turns.unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(id.to_owned()).or_default())
}

/// A cache that nobody else has now: the first, or one more.
fn own_turn(id: &str) -> (String, Option<OwnedMutexGuard<()>>) {
    let ids = (0..).map(|number| match number {
        0 => id.to_owned(),
        number => format!("{id}\n{number}"),
    });
    let mut free = ids.filter_map(|id| {
        let guard = turn(&id).try_lock_owned().ok()?;
        Some((id, Some(guard)))
    });
    free.next().unwrap_or_else(|| (id.to_owned(), None))
}

/// Takes away the empty mount points that a command has left in what it wrote, and the folders
/// that were made for them; `is_below` says whether a path is in the layers that it had.
pub(super) fn remove_targets(upper: &Path, mounts: &[RunMount], is_below: impl Fn(&Path) -> bool) {
    let Ok(root) = Root::open(upper) else { return };
    let targets = mounts
        .iter()
        .rev()
        .filter_map(|mount| mount.0.target.as_deref());
    for target in targets {
        let target = Path::new(target.trim_start_matches('/'));
        if !remove_target(&root, target) {
            continue;
        }
        let folders = target.ancestors().skip(1);
        let mut folders = folders.take_while(|folder| !folder.as_os_str().is_empty());
        while folders
            .next()
            .is_some_and(|folder| !is_below(folder) && remove_target(&root, folder))
        {}
    }
}

/// Removes an empty file or folder; whether it did.
fn remove_target(root: &Root, target: &Path) -> bool {
    let Ok(Some((folder, name))) = root.entry(target) else {
        return false;
    };
    let stat = statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW);
    let Ok(stat) = stat else { return false };
    let flags = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => AtFlags::REMOVEDIR,
        FileType::RegularFile if stat.st_size == 0 => AtFlags::empty(),
        _ => return false,
    };
    // A folder that is not empty stays.
    unlinkat(&folder, &name, flags).is_ok()
}
