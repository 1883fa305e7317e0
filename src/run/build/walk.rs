//! The files of a build context.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::ignore::Ignore;
use crate::run::Error;
use crate::run::file_metadata::is_socket;

/// One file, folder or link of a context.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Relative to the context, `/` between its parts.
    pub(super) path: String,
    /// Where it is.
    pub(super) source: PathBuf,
    /// What the file system says of it; of a link itself, not of what it points to.
    pub(super) metadata: Metadata,
}

/// Which files of a folder.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Only what these patterns match; everything where absent.
    pub(super) include: Option<Ignore>,
    /// Not what these match.
    pub(super) exclude: Ignore,
}

impl Filter {
    fn leaves_out(&self, path: &str) -> bool {
        self.exclude.excludes(path)
            || self
                .include
                .as_ref()
                .is_some_and(|include| !include.excludes(path))
    }

    /// Whether something in a folder that is left out itself may be wanted.
    fn may_want_inside(&self, folder: &str) -> bool {
        let wanted = self
            .include
            .as_ref()
            .is_none_or(|include| include.may_match_inside(folder));
        wanted && (!self.exclude.excludes(folder) || self.exclude.may_keep_inside(folder))
    }
}

/// Lists a context without what `ignore` leaves out.
pub(super) fn walk(root: &Path, ignore: &Ignore) -> Result<Vec<Entry>, Error> {
    let filter = Filter {
        include: None,
        exclude: ignore.clone(),
    };
    let mut entries = Vec::new();
    visit(root, &filter, &mut |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}

/// What is done with an entry that is found; an error ends the walk.
type Visit<'a> = dyn FnMut(Entry) -> Result<(), Error> + 'a;

/// Walks through a folder as far as `filter` wants it: parents before their content, names in byte
/// order. Sockets are left out.
///
/// # Errors
/// Those of `visit`, and when a folder cannot be read.
pub(super) fn visit(root: &Path, filter: &Filter, visit: &mut Visit<'_>) -> Result<(), Error> {
    let mut walker = Walker {
        filter,
        visit,
        held: Vec::new(),
    };
    walker.folder(root, "")
}

struct Walker<'a, 'b> {
    filter: &'a Filter,
    visit: &'a mut Visit<'b>,
    /// Excluded folders that are being looked through for something that is kept.
    held: Vec<Entry>,
}

impl Walker<'_, '_> {
    fn folder(&mut self, folder: &Path, path: &str) -> Result<(), Error> {
        let failed = |error: std::io::Error| {
            let place = folder.display();
            Error::new(format!("cannot read build context folder {place}: {error}"))
                .remedy("make it readable, or leave it out with .dockerignore")
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else {
                return Err(Error::new(format!(
                    "build context {} has a file whose name is not UTF-8: {}",
                    folder.display(),
                    name.display()
                ))
                .remedy("rename it"));
            };
            let inner = match path {
                "" => name.to_owned(),
                path => format!("{path}/{name}"),
            };
            self.entry(folder.join(name), inner)?;
        }
        Ok(())
    }

    fn entry(&mut self, source: PathBuf, path: String) -> Result<(), Error> {
        let excluded = self.filter.leaves_out(&path);
        if excluded && !self.filter.may_want_inside(&path) {
            return Ok(());
        }
        let metadata = match source.symlink_metadata() {
            Ok(metadata) => metadata,
            // Gone since the folder was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                let place = source.display();
                return Err(Error::new(format!("cannot read {place}: {error}")));
            }
        };
        if is_socket(&metadata) {
            return Ok(());
        }
        let is_folder = metadata.is_dir();
        let entry = Entry {
            path: path.clone(),
            source: source.clone(),
            metadata,
        };
        match (excluded, is_folder) {
            (true, false) => return Ok(()),
            (true, true) => self.held.push(entry),
            (false, _) => {
                for held in std::mem::take(&mut self.held) {
                    (self.visit)(held)?;
                }
                (self.visit)(entry)?;
            }
        }
        if is_folder {
            self.folder(&source, &path)?;
            // Nothing inside was kept.
            if self.held.last().is_some_and(|held| held.path == path) {
                self.held.pop();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(ignore: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        for path in ["a/x", "a/y", "b/c/z", "b/c/keep", "top"] {
            let file = folder.path().join(path);
            let parent = file.parent().unwrap_or(folder.path());
            std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{error}"));
            std::fs::write(file, path).unwrap_or_else(|error| panic!("{error}"));
        }
        let ignore = Ignore::parse(ignore, "t").unwrap_or_default();
        let entries = walk(folder.path(), &ignore).unwrap_or_default();
        entries.into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn parents_come_first_in_byte_order() {
        let all = ["a", "a/x", "a/y", "b", "b/c", "b/c/keep", "b/c/z", "top"];
        assert_eq!(paths(""), all);
    }

    #[test]
    fn excluded_folders_stay_out() {
        assert_eq!(paths("a\nb/c"), ["b", "top"]);
    }

    #[test]
    fn the_parents_of_an_exception_come_along() {
        assert_eq!(paths("*\n!b/c/keep"), ["b", "b/c", "b/c/keep"]);
    }
}
