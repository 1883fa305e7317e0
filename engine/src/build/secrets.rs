//! Secrets that commands of a build may read and that no layer has.
//!
//! A client hands them over before the build, under a name that it then gives the build; they
//! are in memory, and in files below the run folder while a command has them mounted.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard_stubs::models::HostConfig;

use super::contexts::{Context, Contexts};
use crate::{Error, Result};

/// Values by id.
pub(crate) type Secrets = BTreeMap<String, Vec<u8>>;

/// How long they wait for their build.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// For how many builds they may wait at once.
const WAITING: usize = 64;

/// What a registry wants to know, Base64 as in `X-Registry-Auth`, by the registry's host.
pub(crate) type Auth = HashMap<String, String>;

/// What a client hands over before its build.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// What `RUN --mount=type=secret` gives commands.
    pub(crate) secrets: Secrets,
    /// What registries want to know.
    pub(crate) auth: Auth,
    /// Sockets of ssh agents, on this machine, by id.
    pub(crate) agents: BTreeMap<String, PathBuf>,
    /// Limits of the commands' containers, and whether they may be privileged.
    pub(crate) host: HostConfig,
    /// The stages that take nothing from the cache, by name.
    pub(crate) uncached: Vec<String>,
    /// What to call the context when it is kept.
    pub(crate) fingerprint: Option<String>,
    /// The context, where it was kept or a manifest of it has come.
    pub(crate) context: Option<Context>,
}

/// What was handed over for builds that have not begun, and contexts of builds that are over.
#[derive(Default)]
pub(crate) struct Offered {
    offers: Mutex<Vec<Offer>>,
    /// The contexts.
    pub(crate) contexts: Contexts,
}

struct Offer {
    session: String,
    since: Instant,
    handed: Handed,
}

impl Offered {
    /// Keeps it for the build that will name this session. Blocks.
    ///
    /// # Errors
    /// 400 without a name, 409 when too many wait.
    pub(crate) fn offer(&self, session: &str, handed: Handed) -> Result<()> {
        if session.is_empty() {
            return Err(Error::bad_request("secrets need the parameter session"));
        }
        self.forget(|offer| offer.session == session);
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if offers.len() >= WAITING {
            return Err(Error::conflict(
                "the secrets of too many builds wait: try again later",
            ));
        }
        offers.push(Offer {
            session: session.to_owned(),
            since: Instant::now(),
            handed,
        });
        Ok(())
    }

    /// Adds the context that the build of a session will have.
    ///
    /// # Errors
    /// 404 where nothing was offered for that session.
    pub(crate) fn add_context(&self, session: &str, context: Context) -> Result<()> {
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut offers = offers.iter_mut();
        let Some(offer) = offers.find(|offer| offer.session == session) else {
            return Err(Error::not_found(format!("no such session: {session}")));
        };
        offer.handed.context = Some(context);
        Ok(())
    }

    /// What was offered for a session, which is forgotten here.
    ///
    /// # Errors
    /// 404 where nothing was, or too long ago: the build would miss what its client has not sent.
    pub(crate) fn take(&self, session: &str) -> Result<Handed> {
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = offers.iter().position(|offer| offer.session == session) else {
            return Err(Error::not_found(format!(
                "the engine has nothing of the session {session}, or no more: build again"
            )));
        };
        Ok(offers.swap_remove(at).handed)
    }

    /// Forgets what has waited for too long. Blocks: contexts go with it.
    pub(crate) fn forget_late(&self) {
        self.forget(|offer| offer.since.elapsed() >= PATIENCE);
    }

    fn forget(&self, is_over: impl Fn(&Offer) -> bool) {
        let over: Vec<Offer> = {
            let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
            offers.extract_if(.., |offer| is_over(offer)).collect()
        };
        // Nobody waits for that.
        drop(over);
    }
}

impl std::fmt::Debug for Offered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Offered")
    }
}

/// A file or a socket of a build, in a folder that only root can enter. It is removed when this is dropped, and the folder with
/// the last one.
#[derive(Debug)]
pub(super) struct PrivateFile(PathBuf);

/// Who makes or removes a file there: the folder must not go while another one comes.
static TURN: Mutex<()> = Mutex::new(());

impl PrivateFile {
    /// Makes one by `make`, which gets the open folder and a name that is not there.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn make<T>(
        folder: &Path,
        make: impl FnOnce(&fs::File, &str) -> io::Result<T>,
    ) -> io::Result<(Self, T)> {
        let name = crate::identifier::new();
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        let made = make(&fs::File::open(folder)?, &name)?;
        Ok((Self(folder.join(name)), made))
    }

    /// Writes a secret.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn write(
        folder: &Path,
        value: &[u8],
        mode: u32,
        (user, group): (u32, u32),
    ) -> io::Result<Self> {
        let (written, mut file) = Self::make(folder, |_, name| {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o400);
            options.open(folder.join(name))
        })?;
        file.write_all(value)?;
        fchown(&file, Some(user), Some(group))?;
        file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
        Ok(written)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::error!("remove {}: {error}", self.0.display());
        }
        // With the last one.
        if let Some(folder) = self.0.parent() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_once() {
        let offered = Offered::default();
        let secrets = Secrets::from([("a".to_owned(), b"1".to_vec())]);
        let offer = |session: &str| {
            let handed = Handed {
                secrets: secrets.clone(),
                ..Handed::default()
            };
            offered.offer(session, handed)
        };
        assert_eq!(offer("").unwrap_err().status, 400);
        offer("one").unwrap();
        offer("one").unwrap();
        assert_eq!(offered.take("other").unwrap_err().status, 404);
        assert_eq!(offered.take("one").unwrap().secrets, secrets);
        assert_eq!(offered.take("one").unwrap_err().status, 404);
        for number in 0..WAITING {
            offer(&number.to_string()).unwrap();
        }
        assert_eq!(offer("more").unwrap_err().status, 409);
    }

    #[test]
    fn a_file_of_a_secret_goes_with_its_use() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("secrets");
        let file = PrivateFile::write(&folder, b"x", 0o440, (3, 4)).unwrap();
        let metadata = fs::metadata(file.path()).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o440);
        drop(file);
        assert!(!folder.exists());
    }

    #[test]
    fn files_come_and_go_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("secrets");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        drop(PrivateFile::write(&folder, b"x", 0o400, (0, 0)).unwrap());
                    }
                });
            }
        });
        assert!(!folder.exists());
    }
}
