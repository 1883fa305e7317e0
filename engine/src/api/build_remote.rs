//! Contexts of builds that the engine fetches by itself: git repositories, archives, and Dockerfiles.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::archive::{Root, Unpack, body_reader, decompress, unpack};
use crate::container::blocking;
use crate::http::get;
use crate::{Error, Result};

/// Where archives have their mark, and the mark.
const MARK: (usize, &[u8]) = (257, b"ustar");

/// The largest Dockerfile that is taken from a URL, in bytes.
const LARGEST: u64 = 4 << 20;

/// A git repository, `URL#REFERENCE:FOLDER`.
#[derive(Debug, PartialEq, Eq)]
struct Repository {
    url: String,
    /// Branch, tag or commit; empty for what the repository shows by itself.
    reference: String,
    /// The part of it that is the context; empty for all of it.
    folder: String,
}

/// Fetches what `remote` names into `folder`, which is there; the folder of the context in it.
///
/// # Errors
/// 400 for what is not understood, cannot be fetched, or is not there.
pub(super) async fn fetch(remote: &str, folder: &Path) -> Result<PathBuf> {
    if let Some(repository) = Repository::parse(remote) {
        return repository.fetch(folder).await;
    }
    if !remote.starts_with("http://") && !remote.starts_with("https://") {
        return Err(Error::not_supported(format!("the build context {remote}")));
    }
    let reader = body_reader(get(remote).await?.into_body());
    let target = folder.to_owned();
    let name = remote.to_owned();
    blocking(move || {
        write(reader, &target).map_err(|error| Error::bad_request(format!("{name}: {error}")))
    })
    .await?;
    Ok(folder.to_owned())
}

/// An archive is unpacked; anything else is the Dockerfile.
fn write(mut reader: impl Read + Send, folder: &Path) -> io::Result<()> {
    let mut content = decompress(&mut reader)?;
    let mut start = Vec::new();
    (&mut content).take(512).read_to_end(&mut start)?;
    let (at, mark) = MARK;
    let is_archive = start.get(at..at + mark.len()) == Some(mark);
    let mut all = io::Cursor::new(start).chain(content);
    if is_archive {
        unpack(&Root::open(folder)?, &mut all, Unpack::default())?;
        return Ok(());
    }
    let mut file = std::fs::File::create(folder.join("Dockerfile"))?;
    io::copy(&mut all.take(LARGEST), &mut file)?;
    Ok(())
}

impl Repository {
    /// Reads what names a git repository; none for anything else.
    fn parse(remote: &str) -> Option<Self> {
        let (url, fragment) = remote.split_once('#').unwrap_or((remote, ""));
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let is_git = ["git://", "ssh://", "git@"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        let url = match url.strip_prefix("github.com/") {
            Some(rest) => format!("https://github.com/{rest}"),
            None if is_git || is_web && url.strip_suffix(".git").is_some() => url.to_owned(),
            None => return None,
        };
        let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
        Some(Self {
            url,
            reference: reference.to_owned(),
            folder: folder.trim_matches('/').to_owned(),
        })
    }

    async fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        if self.reference.starts_with('-') {
            let reference = &self.reference;
            return Err(Error::bad_request(format!(
                "no such reference: {reference}"
            )));
        }
        let reference = match self.reference.as_str() {
            "" => "HEAD",
            reference => reference,
        };
        self.git(folder, &["init", "--quiet"]).await?;
        self.git(folder, &["remote", "add", "origin", &self.url])
            .await?;
        // A server of plain files has to give away the history too.
        let one: [&[&str]; 2] = [
            &["fetch", "--quiet", "--depth", "1", "origin", reference],
            &["fetch", "--quiet", "origin", reference],
        ];
        let checkout = |what| ["checkout", "--quiet", what];
        if self.git(folder, one[0]).await.is_ok() || self.git(folder, one[1]).await.is_ok() {
            self.git(folder, &checkout("FETCH_HEAD")).await?;
        } else {
            // Commits may not be given away by their ids.
            let all = ["fetch", "--quiet", "--tags", "origin"];
            self.git(folder, &all).await?;
            self.git(folder, &checkout(reference)).await?;
        }
        if folder.join(".gitmodules").exists() {
            let update = ["submodule", "--quiet", "update", "--init", "--recursive"];
            self.git(folder, &update).await?;
        }
        let context = self.inside(folder)?;
        let git = folder.join(".git");
        let removed = blocking(move || std::fs::remove_dir_all(git).map_err(Error::internal));
        removed.await?;
        Ok(context)
    }

    /// The folder of the context, which no link may lead out of the repository.
    fn inside(&self, root: &Path) -> Result<PathBuf> {
        let missing = || {
            let (url, folder) = (&self.url, &self.folder);
            Error::bad_request(format!("{url} has no folder {folder:?}"))
        };
        let root = root.canonicalize().map_err(Error::internal)?;
        let context = root.join(&self.folder).canonicalize();
        let context = context.map_err(|_| missing())?;
        if context.starts_with(&root) && context.is_dir() {
            Ok(context)
        } else {
            Err(missing())
        }
    }

    async fn git(&self, folder: &Path, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(folder)
            // It can ask nobody.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
            .env_remove("GIT_DIR")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_supported(
                "a git repository as build context where git is not installed: install git on the engine's machine; it",
            ),
            _ => Error::internal(format!("git: {error}")),
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().strip_prefix("fatal: ").unwrap_or(said.trim());
        let url = &self.url;
        Err(Error::bad_request(format!("cannot fetch {url}: {said}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(url: &str, reference: &str, folder: &str) -> Repository {
        Repository {
            url: url.to_owned(),
            reference: reference.to_owned(),
            folder: folder.to_owned(),
        }
    }

    #[test]
    fn repositories_are_told_from_other_urls() {
        let parse = Repository::parse;
        assert_eq!(
            parse("https://h/a.git#main:sub/dir"),
            Some(repository("https://h/a.git", "main", "sub/dir"))
        );
        assert_eq!(
            parse("git@h:a/b.git"),
            Some(repository("git@h:a/b.git", "", ""))
        );
        assert_eq!(
            parse("github.com/a/b#:x/"),
            Some(repository("https://github.com/a/b", "", "x"))
        );
        assert_eq!(parse("https://h/a.tar.gz"), None);
    }

    #[test]
    fn an_archive_is_told_from_a_dockerfile() {
        let folder = tempfile::tempdir().unwrap();
        write(b"FROM scratch\n".as_slice(), folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("Dockerfile")).unwrap();
        assert_eq!(text, "FROM scratch\n");
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        let added = archive.append_data(&mut header, "file", b"x".as_slice());
        added.unwrap();
        let bytes = archive.into_inner().unwrap();
        write(bytes.as_slice(), folder.path()).unwrap();
        assert!(folder.path().join("file").is_file());
    }

    #[test]
    fn no_folder_leads_out_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("out")).unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let inside = |name: &str| {
            let repository = Repository::parse(&format!("https://h/a.git#:{name}"));
            repository.unwrap().inside(folder.path())
        };
        assert!(inside("in").is_ok());
        assert!(inside("out").is_err());
        assert!(inside("../..").is_err());
    }
}
