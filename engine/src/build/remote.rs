//! `ADD` of addresses: files over HTTP, and Git repositories.

mod http;

use std::path::{Path, PathBuf};

use super::builder::Builder;
use crate::git::GitRepository;
use crate::{Error, Result};

/// Something that is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remote {
    /// One file, by `http` or `https`.
    File(String),
    /// A Git repository.
    Repository(GitRepository),
}

/// What was got, in a folder of its own, which goes with this.
pub(super) struct Fetched {
    folder: PathBuf,
    /// What of the folder is meant, where that is not all.
    place: Option<PathBuf>,
    /// The file's name; none for everything in the folder.
    pub(super) file: Option<String>,
    /// Whether an archive is unpacked.
    pub(super) unpacks: bool,
    /// What tells whether it is the same as before.
    pub(super) key: String,
}

impl Remote {
    /// What a source of `ADD` means; `None` for a path.
    pub(super) fn of(source: &str) -> Option<Self> {
        if let Some(repository) = GitRepository::of(source) {
            return Some(Self::Repository(repository));
        }
        let is_address = source.starts_with("http://") || source.starts_with("https://");
        is_address.then(|| Self::File(source.to_owned()))
    }
}

impl Fetched {
    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        self.place.as_deref().unwrap_or(&self.folder)
    }

    fn new(builder: &Builder<'_>) -> Result<Self> {
        let folder = builder.engine.images.temporary();
        std::fs::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, error))?;
        Ok(Self {
            folder,
            place: None,
            file: None,
            unpacks: false,
            key: String::new(),
        })
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::error!("remove {}: {error}", self.folder.display());
        }
    }
}

/// Gets it.
///
/// # Errors
/// 400 when it is not there, or is not what `checksum` says.
pub(super) async fn fetch(
    builder: &Builder<'_>,
    remote: &Remote,
    checksum: Option<&str>,
    (unpacks, keeps_git): (bool, bool),
) -> Result<Fetched> {
    let mut fetched = Fetched::new(builder)?;
    fetched.unpacks = unpacks;
    match remote {
        Remote::File(url) => http::fetch(url, checksum, &mut fetched).await?,
        Remote::Repository(repository) => {
            let top = fetched.folder.join("tree");
            std::fs::create_dir(&top).map_err(|error| Error::io("create", &top, error))?;
            let done = repository.checkout(&top, checksum, keeps_git).await?;
            fetched.place = Some(done.folder);
            fetched.key = done.key;
        }
    }
    Ok(fetched)
}
