//! What `RUN --mount` brings into a container: caches that stay, files of the context or of
//! another stage, file systems in memory.

use std::collections::HashMap;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bollard_stubs::models::{Mount, MountTmpfsOptions, MountType};
use rustix::fs::{AtFlags, FileType, OFlags, statat, unlinkat};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::Instruction;
use super::builder::Builder;
use super::configure::join;
use super::copy;
use super::expand::Expander;
use super::secrets::SecretFile;
use super::stage::Stage;
use crate::archive::Root;
use crate::container::blocking;
use crate::image::digest;
use crate::{Error, Result};

/// One `--mount`, with its variables replaced.
#[derive(Debug)]
pub(super) struct RunMount {
    kind: Kind,
    /// Absolute path in the container.
    target: String,
    read_only: bool,
}

#[derive(Debug)]
enum Kind {
    Cache {
        id: String,
        /// Whether others wait while one has it.
        is_locked: bool,
        mode: u32,
        owner: (u32, u32),
    },
    Bind {
        source: String,
        /// A stage or an image; the context where there is none.
        from: Option<String>,
    },
    Tmpfs {
        /// Bytes.
        size: Option<i64>,
    },
    Secret {
        id: String,
        /// Whether the build fails without it.
        is_required: bool,
        mode: u32,
        owner: (u32, u32),
    },
}

/// Mounts as a container gets them, and what has to stay until it has ended.
#[derive(Default)]
pub(super) struct Mounted {
    /// For the container.
    pub(super) mounts: Vec<Mount>,
    /// Mounted stages, by their names.
    names: Vec<String>,
    /// Files of secrets.
    secrets: Vec<SecretFile>,
    /// Caches that others wait for.
    turns: Vec<OwnedMutexGuard<()>>,
}

/// The `--mount`s of a `RUN`.
///
/// # Errors
/// 400 for what makes no sense, 501 for kinds and options that are not supported, by name.
pub(super) fn read(stage: &Stage, instruction: &Instruction) -> Result<Vec<RunMount>> {
    let flags = instruction.flags.iter();
    let texts = flags.filter(|(key, _)| key == "mount");
    texts
        .map(|(_, text)| one(stage, instruction, text))
        .collect()
}

fn one(stage: &Stage, instruction: &Instruction, text: &str) -> Result<RunMount> {
    let variables = stage.variables();
    let lookup = |name: &str| variables.get(name).cloned();
    let text = Expander::new(instruction.escape, &lookup).word(text);
    let text = text.map_err(|error| instruction.error(error))?;
    let mut options = HashMap::new();
    for option in text.split(',') {
        let (key, value) = option.split_once('=').unwrap_or((option, "true"));
        let key = match key {
            "dst" | "destination" => "target",
            "src" => "source",
            "ro" => "readonly",
            "rw" => "readwrite",
            key => key,
        };
        options.insert(key, value);
    }
    let refused = |what: &str| {
        let line = instruction.lines.first;
        Error::not_supported(format!("dockerfile line {line}: RUN --mount={what}"))
    };
    let kind = options.remove("type").unwrap_or("bind");
    let mut target = options.remove("target").map(str::to_owned);
    let mut read_only = options.remove("readonly") == Some("true");
    let writable = options.remove("readwrite") == Some("true");
    let number = |text: Option<&str>, radix: u32, default: u32| match text {
        None => Ok(default),
        Some(text) => u32::from_str_radix(text, radix)
            .map_err(|_| instruction.error(format!("invalid number {text:?} of --mount"))),
    };
    let kind = match kind {
        "cache" => Kind::Cache {
            is_locked: !matches!(options.remove("sharing"), None | Some("shared")),
            id: options
                .remove("id")
                .or(target.as_deref())
                .unwrap_or_default()
                .to_owned(),
            mode: number(options.remove("mode"), 8, 0o755)?,
            owner: (
                number(options.remove("uid"), 10, 0)?,
                number(options.remove("gid"), 10, 0)?,
            ),
        },
        "bind" if writable => return Err(refused("type=bind,rw")),
        "bind" => {
            read_only = true;
            Kind::Bind {
                source: options.remove("source").unwrap_or(".").to_owned(),
                from: options.remove("from").map(str::to_owned),
            }
        }
        "tmpfs" => Kind::Tmpfs {
            size: match options.remove("size") {
                None => None,
                Some(size) => Some(size.parse().map_err(|error| instruction.error(error))?),
            },
        },
        "secret" => {
            let name = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
            let id = options.remove("id").map(str::to_owned);
            let id = id.or_else(|| target.as_ref().map(name));
            let id = id.ok_or_else(|| instruction.error("--mount of a secret has no id"))?;
            target.get_or_insert_with(|| format!("/run/secrets/{id}"));
            read_only = true;
            Kind::Secret {
                id,
                is_required: options.remove("required") == Some("true"),
                mode: number(options.remove("mode"), 8, 0o400)?,
                owner: (
                    number(options.remove("uid"), 10, 0)?,
                    number(options.remove("gid"), 10, 0)?,
                ),
            }
        }
        other => return Err(refused(&format!("type={other}"))),
    };
    if let Some((key, _)) = options.into_iter().next() {
        return Err(refused(&format!("…,{key}")));
    }
    let target = target.ok_or_else(|| instruction.error("--mount has no target"))?;
    let folder = stage.document.config().working_dir;
    Ok(RunMount {
        kind,
        target: join(folder.as_deref(), &target),
        read_only,
    })
}

impl Builder<'_> {
    /// What tells whether a command had the same mounts before: contents of caches do not count.
    ///
    /// # Errors
    /// 400 for files that are not there.
    pub(super) async fn mounts_digest(&self, mounts: &[RunMount]) -> Result<String> {
        let mut parts = Vec::new();
        for mount in mounts {
            let content = match &mount.kind {
                Kind::Cache { id, .. } => format!("cache {id}"),
                Kind::Tmpfs { .. } => "tmpfs".to_owned(),
                // What it is must not show, and a new one is no reason to do the same again.
                Kind::Secret { id, .. } => format!("secret {id}"),
                Kind::Bind { source, from: None } => {
                    let (context, sources) = (self.build.context.clone(), vec![source.clone()]);
                    blocking(move || {
                        let root = Root::open(&context)
                            .map_err(|error| Error::io("open", &context, error))?;
                        copy::digest(&root, &sources).map_err(Error::bad_request)
                    })
                    .await?
                }
                Kind::Bind {
                    source,
                    from: Some(from),
                } => {
                    let (_, id) = self.layers_of(from)?;
                    format!("{id} {source}")
                }
            };
            parts.push(format!("{} {content}", mount.target));
        }
        Ok(parts.join("\n"))
    }

    /// Makes ready what a container is to have.
    ///
    /// # Errors
    /// 400 for files that are not there, 500 when something cannot be made.
    pub(super) async fn mount_all(&self, mounts: &[RunMount]) -> Result<Mounted> {
        let mut mounted = Mounted::default();
        for mount in mounts {
            if let Err(error) = self.mount_one(mount, &mut mounted).await {
                self.unmount_all(mounted).await?;
                return Err(error);
            }
        }
        Ok(mounted)
    }

    async fn mount_one(&self, mount: &RunMount, mounted: &mut Mounted) -> Result<()> {
        let mut made = Mount {
            target: Some(mount.target.clone()),
            typ: Some(MountType::BIND),
            read_only: Some(mount.read_only),
            ..Mount::default()
        };
        match &mount.kind {
            Kind::Cache {
                id,
                is_locked,
                mode,
                owner,
            } => {
                if *is_locked {
                    mounted.turns.push(turn(id).lock_owned().await);
                }
                let folder = self.cache_folder(id);
                make_cache(&folder, *mode, *owner)
                    .map_err(|error| Error::io("create", &folder, error))?;
                made.source = Some(folder.to_string_lossy().into_owned());
            }
            Kind::Bind { source, from } => {
                let root = match from {
                    None => self.build.context.clone(),
                    Some(from) => {
                        let (layers, _) = self.layers_of(from)?;
                        let (name, path) = self.mounted(&layers).await?;
                        mounted.names.push(name);
                        path
                    }
                };
                let path = real(&root, source)
                    .map_err(|error| Error::bad_request(format!("--mount of {source}: {error}")))?;
                made.source = Some(path.to_string_lossy().into_owned());
            }
            Kind::Secret {
                id,
                is_required,
                mode,
                owner,
            } => {
                let Some(value) = self.build.secrets.get(id) else {
                    if *is_required {
                        return Err(Error::bad_request(format!("secret {id}: not found")));
                    }
                    return Ok(());
                };
                let folder = self.engine.layout.build_secrets();
                let file = SecretFile::write(&folder, value, *mode, *owner)
                    .map_err(|error| Error::io("write a secret in", &folder, error))?;
                made.source = Some(file.path().to_string_lossy().into_owned());
                mounted.secrets.push(file);
            }
            Kind::Tmpfs { size } => {
                made.typ = Some(MountType::TMPFS);
                made.tmpfs_options = Some(MountTmpfsOptions {
                    size_bytes: *size,
                    ..MountTmpfsOptions::default()
                });
            }
        }
        mounted.mounts.push(made);
        Ok(())
    }

    /// Takes away what a container had.
    ///
    /// # Errors
    /// 500 when it cannot be unmounted.
    pub(super) async fn unmount_all(&self, mounted: Mounted) -> Result<()> {
        for name in &mounted.names {
            self.engine.images.discard(name).await?;
        }
        drop((mounted.turns, mounted.secrets));
        Ok(())
    }

    fn cache_folder(&self, id: &str) -> PathBuf {
        let key = digest(id.as_bytes());
        let key = key.strip_prefix("sha256:").unwrap_or(&key);
        self.engine.layout.build_caches().join(key)
    }
}

/// A path in a folder, out of which no link leads.
fn real(root: &Path, source: &str) -> std::io::Result<PathBuf> {
    let file = Root::open(root)?.open_at(Path::new(source), OFlags::PATH)?;
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn make_cache(folder: &Path, mode: u32, (user, group): (u32, u32)) -> std::io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
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

/// Takes away the empty mount points that a command has left in what it wrote, and the folders
/// that were made for them; `is_below` says whether a path is in the layers that it had.
pub(super) fn remove_targets(upper: &Path, mounts: &[RunMount], is_below: impl Fn(&Path) -> bool) {
    let Ok(root) = Root::open(upper) else { return };
    for mount in mounts.iter().rev() {
        let target = Path::new(mount.target.trim_start_matches('/'));
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
