//! Git repositories, by the `git` of this machine: contexts of builds, and sources of `ADD`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::container::blocking;
use crate::{Error, Result};

/// A repository, and what of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GitRepository {
    url: String,
    /// A branch, a tag or a commit; the default branch where it is empty.
    reference: String,
    /// A folder in it; everything where it is empty.
    folder: String,
}

/// What has been checked out.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// The folder that is wanted.
    pub(crate) folder: PathBuf,
    /// Its commit and its path in the repository: what tells whether it is the same as before.
    pub(crate) key: String,
}

/// What would have `git` work on another repository: that of the hook, say, that has started the engine.
const OF_A_REPOSITORY: [&str; 6] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
];

impl GitRepository {
    /// Reads `https://host/path.git#reference:folder`, `git://…`, `ssh://…` and `git@host:path`; `None` for what is none of
    /// these.
    pub(crate) fn of(source: &str) -> Option<Self> {
        let (url, fragment) = source.split_once('#').unwrap_or((source, ""));
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let is_git = ["git://", "ssh://", "git@"]
            .iter()
            .any(|start| url.starts_with(start));
        let is_repository = is_git || is_web && url.strip_suffix(".git").is_some();
        is_repository.then(|| Self::new(url.to_owned(), fragment))
    }

    /// The same for the context of a build, where `github.com/owner/name` is one too.
    pub(crate) fn of_context(source: &str) -> Option<Self> {
        let (url, fragment) = source.split_once('#').unwrap_or((source, ""));
        if url.starts_with("github.com/") {
            return Some(Self::new(format!("https://{url}"), fragment));
        }
        Self::of(source)
    }

    fn new(url: String, fragment: &str) -> Self {
        let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
        Self {
            url,
            reference: reference.to_owned(),
            folder: folder.trim_matches('/').to_owned(),
        }
    }

    /// Checks it out into `top`, an empty folder: the commit must be `checksum`, if that is given, and without `keeps_git` the
    /// history is left out.
    ///
    /// # Errors
    /// 400 when it is not there, cannot be fetched, or is another commit; 501 where this machine has no `git`.
    pub(crate) async fn checkout(
        &self,
        top: &Path,
        checksum: Option<&str>,
        keeps_git: bool,
    ) -> Result<Checkout> {
        self.fetch(top).await?;
        let commit = self.git(top, &["rev-parse", "HEAD"]).await?;
        if let Some(checksum) = checksum.filter(|checksum| !commit.starts_with(*checksum)) {
            let url = &self.url;
            let message = format!("{url}: the commit is {commit}, expected {checksum}");
            return Err(Error::bad_request(message));
        }
        if top.join(".gitmodules").exists() {
            self.fetch_modules(top).await?;
        }
        let folder = self.inside(top)?;
        if !keeps_git {
            let history = top.join(".git");
            let remove = move || {
                let removed = std::fs::remove_dir_all(&history);
                removed.map_err(|error| Error::io("remove", &history, error))
            };
            blocking(remove).await?;
        }
        let key = format!("{commit} {} {keeps_git}", self.folder);
        Ok(Checkout { folder, key })
    }

    async fn fetch(&self, top: &Path) -> Result<()> {
        let reference = match self.reference.as_str() {
            "" => "HEAD",
            reference if reference.starts_with('-') => {
                let message = format!("invalid reference {reference:?}");
                return Err(Error::bad_request(message));
            }
            reference => reference,
        };
        self.git(top, &["init", "--quiet", "."]).await?;
        let add = ["remote", "add", "--", "origin", &self.url];
        self.git(top, &add).await?;
        let one = ["fetch", "--quiet", "--depth=1", "--", "origin", reference];
        // A server of plain files has to give away the history too.
        let whole = ["fetch", "--quiet", "--", "origin", reference];
        let found = match self.git(top, &one).await {
            Ok(_) => Ok("FETCH_HEAD"),
            Err(_) => self.git(top, &whole).await.map(|_| "FETCH_HEAD"),
        };
        let found = match found {
            // It may know a commit only as a part of its branches.
            Err(_) if is_commit(reference) => {
                let everything = ["fetch", "--quiet", "--tags", "--", "origin"];
                self.git(top, &everything).await.map(|_| reference)
            }
            found => found,
        };
        let checkout = ["checkout", "--quiet", "--detach", found?];
        self.git(top, &checkout).await.map(drop)
    }

    async fn fetch_modules(&self, top: &Path) -> Result<()> {
        let all = ["submodule", "--quiet", "update", "--init", "--recursive"];
        let newest = [&all[..], &["--depth=1"]].concat();
        if self.git(top, &newest).await.is_err() {
            self.git(top, &all).await?;
        }
        Ok(())
    }

    /// The folder that is wanted, which no link may lead out of the repository.
    fn inside(&self, top: &Path) -> Result<PathBuf> {
        let missing = |error: io::Error| {
            let (url, folder) = (&self.url, &self.folder);
            Error::bad_request(format!("{url}: the folder {folder:?}: {error}"))
        };
        let whole = top.canonicalize().map_err(missing)?;
        let real = whole.join(&self.folder).canonicalize().map_err(missing)?;
        if !real.starts_with(&whole) {
            let error = io::Error::other("it leads out of the repository");
            return Err(missing(error));
        }
        if !real.is_dir() {
            return Err(missing(io::ErrorKind::NotADirectory.into()));
        }
        Ok(real)
    }

    /// Runs `git` in a folder; its output.
    async fn git(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        for setting in [
            "init.defaultBranch=main",
            "advice.detachedHead=false",
            "protocol.ext.allow=never",
            "protocol.file.allow=never",
        ] {
            command.args(["-c", setting]);
        }
        command
            .args(arguments)
            .current_dir(folder)
            // It can ask nobody.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
            .env("GIT_CEILING_DIRECTORIES", folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for variable in OF_A_REPOSITORY {
            command.env_remove(variable);
        }
        let output = command.output().await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_supported(
                "a git repository where git is not installed: install git on the engine's machine; it",
            ),
            _ => Error::internal(format!("git: {error}")),
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().strip_prefix("fatal: ").unwrap_or(said.trim());
        let url = &self.url;
        Err(Error::bad_request(format!("cannot fetch {url}: {said}")))
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str, reference: &str, folder: &str) -> GitRepository {
        GitRepository {
            url: url.to_owned(),
            reference: reference.to_owned(),
            folder: folder.to_owned(),
        }
    }

    #[test]
    fn addresses_of_repositories() {
        let of = GitRepository::of;
        assert_eq!(
            of("https://x/y.git#v1:docs/"),
            Some(named("https://x/y.git", "v1", "docs"))
        );
        assert_eq!(of("git@x:y/z"), Some(named("git@x:y/z", "", "")));
        assert_eq!(of("git://x/y#:sub"), Some(named("git://x/y", "", "sub")));
        assert_eq!(of("https://x/y.tar"), None);
        assert_eq!(of("dir/x.git"), None);
        assert_eq!(of("github.com/a/b"), None);
    }

    #[test]
    fn contexts_have_a_short_form() {
        let of = GitRepository::of_context;
        assert_eq!(
            of("github.com/a/b#:x/"),
            Some(named("https://github.com/a/b", "", "x"))
        );
        assert_eq!(
            of("https://h/a.git#main:sub/dir"),
            Some(named("https://h/a.git", "main", "sub/dir"))
        );
        assert_eq!(of("git@h:a/b.git"), Some(named("git@h:a/b.git", "", "")));
        assert_eq!(of("https://h/a.tar.gz"), None);
    }

    #[test]
    fn no_folder_leads_out_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("out")).unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let inside = |name: &str| {
            let repository = GitRepository::of(&format!("https://h/a.git#:{name}"));
            repository.unwrap().inside(folder.path())
        };
        assert!(inside("in").is_ok());
        for wrong in ["out", "../..", "file", "none"] {
            assert!(inside(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn no_options_of_git_are_references() {
        let folder = tempfile::tempdir().unwrap();
        let repository = GitRepository::of("https://h/a.git#--upload-pack=x").unwrap();
        let error = repository.checkout(folder.path(), None, false).await;
        assert!(error.unwrap_err().message.contains("invalid reference"));
    }
}
