//! Files of a context that only the builder reads: its Dockerfile and its `.dockerignore`.
//!
//! A client sends both even where `.dockerignore` names them, as the builder needs them; so they
//! have to be kept from `COPY` here.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::OFlags;

use crate::archive::{Root, remove_all};
use crate::image::glob;

/// Name of the patterns in a context.
const PATTERNS: &str = ".dockerignore";

/// What clients call a Dockerfile that they put into a context it is not of: this and digits, or
/// `rcompose`.
const ADDED: &str = ".dockerfile.";

/// Removes from the context what no instruction may see: `.dockerignore` and the Dockerfile where
/// the patterns name them, and a Dockerfile that is not of the context.
///
/// # Errors
/// Those of reading the patterns and of removing.
pub(super) fn hide(root: &Root, dockerfile: &str) -> io::Result<()> {
    let patterns = match root.open_at(Path::new(PATTERNS), OFlags::RDONLY | OFlags::NONBLOCK) {
        Ok(file) => io::read_to_string(File::from(file))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let dockerfile = clean(dockerfile);
    for name in [PATTERNS, &dockerfile] {
        if (is_added(name) || is_excluded(&patterns, name))
            && let Some((folder, name)) = root.entry(Path::new(name))?
        {
            remove_all(folder, &name)?;
        }
    }
    Ok(())
}

fn is_added(name: &str) -> bool {
    let is_random = |text: &str| text.len() >= 10 && text.bytes().all(|b| b.is_ascii_hexdigit());
    name.strip_prefix(ADDED)
        .is_some_and(|rest| rest == "rcompose" || is_random(rest))
}

/// Whether the last pattern that matches the path, or a folder it is in, excludes it.
fn is_excluded(patterns: &str, path: &str) -> bool {
    let patterns = patterns.strip_prefix('\u{feff}').unwrap_or(patterns);
    let mut excluded = false;
    for line in patterns.lines().filter(|line| !line.starts_with('#')) {
        let line = line.trim();
        let (keeps, pattern) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let pattern = clean(pattern);
        if !pattern.is_empty() && excluded == keeps && matches(&pattern, path) {
            excluded = !keeps;
        }
    }
    excluded
}

/// A path without `.`, `..` and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    (1..=path.len()).any(|end| parts_match(&pattern, &path[..end]))
}

/// `**` stands for any number of folders.
fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**"], path) => !path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|at| parts_match(rest, &path[at..])),
        ([part, rest @ ..], [name, path @ ..]) => {
            glob(part.as_bytes(), name.as_bytes()) && parts_match(rest, path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let cases = [
            ("Dockerfile", "Dockerfile", true),
            ("# note\n\n/Dock*\n", "Dockerfile", true),
            ("*\n!Dockerfile", "Dockerfile", false),
            ("**", "a/b", true),
            ("**/Dockerfile", "Dockerfile", true),
            ("**/Dockerfile", "a/b/Dockerfile", true),
            ("docker", "docker/Dockerfile", true),
            ("./docker/", "docker/Dockerfile", true),
            ("Dockerfile", "docker/Dockerfile", false),
            ("a/**", "a", false),
            ("Dockerfile.*", "Dockerfile", false),
        ];
        for (patterns, path, expected) in cases {
            assert_eq!(is_excluded(patterns, path), expected, "{patterns} {path}");
        }
    }

    #[test]
    fn what_is_hidden_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(".dockerignore", "Dockerfile\n");
        write("Dockerfile", "FROM scratch");
        write(".dockerfile.rcompose", "FROM scratch");
        let root = Root::open(folder.path()).unwrap();
        hide(&root, "./Dockerfile").unwrap();
        assert!(!folder.path().join("Dockerfile").exists());
        assert!(folder.path().join(".dockerignore").exists());
        hide(&root, ".dockerfile.rcompose").unwrap();
        assert!(!folder.path().join(".dockerfile.rcompose").exists());
        assert!(is_added(".dockerfile.0123456789abcdef0123"));
        assert!(!is_added(".dockerfile.dev"));
    }
}
