//! Files of a context that only the builder reads: its Dockerfile and its `.dockerignore`.
//!
//! A client sends both even where `.dockerignore` names them, as the builder needs them; so they
//! have to be kept from `COPY` here.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::OFlags;

use super::exclusion::{Exclusion, clean};
use crate::archive::{Root, remove_all};

/// Name of the patterns in a context.
const PATTERNS: &str = ".dockerignore";

/// What clients call a Dockerfile that they put into a context it is not of: this and digits, or
/// `rcompose`.
const ADDED: &str = ".dockerfile.";

/// Removes from the context what no instruction may see: `.dockerignore` and the Dockerfile where
/// the patterns name them, and a Dockerfile that is not of the context. Patterns of the Dockerfile's
/// own, in `Dockerfile.dockerignore`, go before those of the context. Answers whether something is gone that the client has not
/// put there for this build alone.
///
/// # Errors
/// Those of reading the patterns and of removing.
pub(super) fn hide(root: &Root, dockerfile: &str) -> io::Result<bool> {
    let mut is_missing = false;
    let own = format!("{dockerfile}{PATTERNS}");
    let (file, patterns) = match read(root, &own)? {
        Some(patterns) => (clean(&own), patterns),
        None => (
            PATTERNS.to_owned(),
            read(root, PATTERNS)?.unwrap_or_default(),
        ),
    };
    let patterns = Exclusion::of_text(&patterns);
    let dockerfile = clean(dockerfile);
    for name in [&file, &dockerfile] {
        if (is_added(name) || patterns.excludes(name))
            && let Some((folder, name)) = root.entry(Path::new(name))?
        {
            remove_all(folder, &name)?;
            is_missing |= !is_added(&name.to_string_lossy());
        }
    }
    Ok(is_missing)
}

/// A file of patterns; `None` where there is none.
fn read(root: &Root, name: &str) -> io::Result<Option<String>> {
    match root.open_at(Path::new(name), OFlags::RDONLY | OFlags::NONBLOCK) {
        Ok(file) => io::read_to_string(File::from(file)).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_added(name: &str) -> bool {
    let is_random = |text: &str| text.len() >= 10 && text.bytes().all(|b| b.is_ascii_hexdigit());
    name.strip_prefix(ADDED)
        .is_some_and(|rest| rest == "rcompose" || is_random(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(".dockerignore", "Dockerfile\n");
        write("Dockerfile", "FROM scratch");
        write(".dockerfile.rcompose", "FROM scratch");
        let root = Root::open(folder.path()).unwrap();
        assert!(hide(&root, "./Dockerfile").unwrap());
        assert!(!folder.path().join("Dockerfile").exists());
        assert!(folder.path().join(".dockerignore").exists());
        assert!(!hide(&root, ".dockerfile.rcompose").unwrap());
        assert!(!folder.path().join(".dockerfile.rcompose").exists());
        assert!(is_added(".dockerfile.0123456789abcdef0123"));
        assert!(!is_added(".dockerfile.dev"));
    }
}
