//! Git repositories, by the `git` of this machine.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::Fetched;
use crate::{Error, Result};

/// A repository, and what of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    url: String,
    /// A branch, a tag or a commit; the default branch where it is empty.
    reference: String,
    /// A folder in it; everything where it is empty.
    folder: String,
}

impl Repository {
    /// Reads `https://host/path.git#reference:folder`, `git://…`, `ssh://…` and
    /// `git@host:path`; `None` for what is none of these.
    pub(super) fn of(source: &str) -> Option<Self> {
        let (url, fragment) = source.split_once('#').unwrap_or((source, ""));
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let is_git = ["git://", "ssh://", "git@"];
        if !(is_git.iter().any(|start| url.starts_with(start))
            || (is_web && url.strip_suffix(".git").is_some()))
        {
            return None;
        }
        let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
        Some(Self {
            url: url.to_owned(),
            reference: reference.to_owned(),
            folder: folder.trim_matches('/').to_owned(),
        })
    }
}

/// Checks a repository out into the folder.
pub(super) async fn fetch(
    repository: &Repository,
    checksum: Option<&str>,
    keeps_git: bool,
    fetched: &mut Fetched,
) -> Result<()> {
    let Repository { url, reference, .. } = repository;
    if reference.starts_with('-') {
        return Err(Error::bad_request(format!(
            "invalid reference {reference:?}"
        )));
    }
    let top = fetched.folder().join("tree");
    std::fs::create_dir_all(&top).map_err(|error| Error::io("create", &top, error))?;
    let wanted = if reference.is_empty() {
        "HEAD"
    } else {
        reference
    };
    git(&top, &["init", "--quiet", "."]).await?;
    git(&top, &["remote", "add", "--", "origin", url]).await?;
    let shallow = git(
        &top,
        &["fetch", "--quiet", "--depth=1", "--", "origin", wanted],
    )
    .await;
    let from = match shallow {
        Ok(_) => "FETCH_HEAD",
        // A server may know a commit only as a part of its branches.
        Err(error) if is_commit(wanted) => {
            let everything = ["fetch", "--quiet", "--tags", "--", "origin"];
            git(&top, &everything).await.map_err(|_| error)?;
            wanted
        }
        Err(error) => return Err(error),
    };
    git(&top, &["checkout", "--quiet", "--detach", from]).await?;
    let commit = git(&top, &["rev-parse", "HEAD"]).await?;
    if let Some(checksum) = checksum.filter(|checksum| !commit.starts_with(*checksum)) {
        let message = format!("{url}: the commit is {commit}, expected {checksum}");
        return Err(Error::bad_request(message));
    }
    let modules = [
        "submodule",
        "update",
        "--quiet",
        "--init",
        "--recursive",
        "--depth=1",
    ];
    git(&top, &modules).await?;
    if !keeps_git {
        let hidden = top.join(".git");
        std::fs::remove_dir_all(&hidden).map_err(|error| Error::io("remove", &hidden, error))?;
    }
    place(repository, &top, fetched)?;
    fetched.key = format!("{commit} {} {keeps_git}", repository.folder);
    Ok(())
}

/// Makes the folder that is wanted the one that was fetched.
fn place(repository: &Repository, top: &Path, fetched: &mut Fetched) -> Result<()> {
    let missing = |error: std::io::Error| {
        let (url, folder) = (&repository.url, &repository.folder);
        Error::bad_request(format!("{url}: the folder {folder:?}: {error}"))
    };
    let real = top
        .join(&repository.folder)
        .canonicalize()
        .map_err(missing)?;
    let whole = top.canonicalize().map_err(missing)?;
    if !real.starts_with(&whole) {
        let error = std::io::Error::other("it leads out of the repository");
        return Err(missing(error));
    }
    if !real.is_dir() {
        return Err(missing(std::io::ErrorKind::NotADirectory.into()));
    }
    fetched.place = Some(real);
    Ok(())
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Runs `git` in a folder; its output.
async fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "advice.detachedHead=false",
        ])
        .args([
            "-c",
            "protocol.ext.allow=never",
            "-c",
            "protocol.file.allow=never",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        .env("GIT_CEILING_DIRECTORIES", folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            let message = "a Git repository needs the program git on the engine's machine";
            return Error::bad_request(message);
        }
        Error::internal(format!("git: {error}"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let what = arguments.first().unwrap_or(&"");
        return Err(Error::bad_request(format!("git {what}: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_repositories() {
        let read = |source: &str| {
            Repository::of(source).map(|found| (found.url, found.reference, found.folder))
        };
        let own = |url: &str, reference: &str, folder: &str| {
            Some((url.to_owned(), reference.to_owned(), folder.to_owned()))
        };
        assert_eq!(
            read("https://x/y.git#v1:docs/"),
            own("https://x/y.git", "v1", "docs")
        );
        assert_eq!(read("git@x:y/z"), own("git@x:y/z", "", ""));
        assert_eq!(read("git://x/y#:sub"), own("git://x/y", "", "sub"));
        assert_eq!(read("https://x/y.tar"), None);
        assert_eq!(read("dir/x.git"), None);
    }
}
