//! Where a copy ends up, from how its paths are written. Paths have `/` between their parts.

use crate::run::Error;

/// What is there where something is to be copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// The path as it was written.
    pub(super) path: String,
    /// Whether something is there.
    pub(super) exists: bool,
    /// Whether that is a folder.
    pub(super) is_folder: bool,
}

/// Where an archive is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Landing {
    /// In this folder.
    pub(super) folder: String,
    /// Under this name; under its own where absent.
    pub(super) name: Option<String>,
}

/// Decides where a copy goes: into a folder that is there, over a file, or to a new name.
///
/// # Errors
/// When a folder is to be copied over a file, or a file to a folder that is not there.
pub(super) fn landing(source_is_folder: bool, destination: &Destination) -> Result<Landing, Error> {
    if destination.exists && destination.is_folder {
        return Ok(Landing {
            folder: destination.path.clone(),
            name: None,
        });
    }
    if destination.exists && source_is_folder {
        return Err(Error::new(format!(
            "cannot copy directory: {} is a file",
            destination.path
        )));
    }
    if !destination.exists && !source_is_folder && asserts_folder(&destination.path) {
        return Err(
            Error::new(format!("no such directory: {}", destination.path))
                .remedy("make the directory first, or leave out the \"/\" at the end of the path"),
        );
    }
    let (folder, name) = split_entry(&destination.path);
    Ok(Landing {
        folder,
        name: Some(name),
    })
}

/// Whether a path says by its end that it is a folder.
pub(super) fn asserts_folder(path: &str) -> bool {
    path.ends_with('/') || means_content(path)
}

/// Whether a path means what is in a folder: `folder/.`
pub(super) fn means_content(path: &str) -> bool {
    path == "." || path.ends_with("/.")
}

/// A path without `.`, `..` and repeated slashes; `.` where nothing is left.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// Two paths as one, cleaned.
pub(super) fn join(folder: &str, path: &str) -> String {
    clean(&format!("{folder}/{path}"))
}

/// `resolved` with the end that `written` has.
pub(super) fn with_end_of(written: &str, resolved: &str) -> String {
    let mut path = resolved.to_owned();
    if means_content(written) && !means_content(&path) {
        if !path.ends_with('/') {
            path.push('/');
        }
        path.push('.');
    }
    if written.ends_with('/') && !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// Folder of an entry, and the entry's name: `.` for the content of a folder, nothing for the
/// root.
pub(super) fn split_entry(path: &str) -> (String, String) {
    let mut path_cleaned = clean(path);
    if means_content(path) {
        if path_cleaned == "." {
            return (String::new(), ".".to_owned());
        }
        path_cleaned.push_str("/.");
    }
    match path_cleaned.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name.to_owned()),
        None => (String::new(), path_cleaned),
    }
}

/// The folder that something is in.
pub(super) fn parent(path: &str) -> String {
    split_entry(path).0
}

/// What a link leads to, with the end of the link's path, and the name of the link where it is
/// another one.
pub(super) fn renamed(written: &str, resolved: &str) -> (String, Option<String>) {
    let path = with_end_of(written, resolved);
    let (ours, theirs) = (name(written), name(&path));
    let renamed = (ours != theirs).then(|| ours.to_owned());
    (path, renamed)
}

/// The last part of a path as it is written.
pub(super) fn name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(path: &str, exists: bool, is_folder: bool) -> Destination {
        Destination {
            path: path.to_owned(),
            exists,
            is_folder,
        }
    }

    fn landed(
        is_folder: bool,
        destination: &Destination,
    ) -> Result<(String, Option<String>), String> {
        landing(is_folder, destination)
            .map(|landing| (landing.folder, landing.name))
            .map_err(|error| error.message)
    }

    #[test]
    fn a_folder_that_is_there_takes_everything() {
        for is_folder in [true, false] {
            let landed = landed(is_folder, &to("/data/", true, true));
            assert_eq!(landed, Ok(("/data/".to_owned(), None)));
        }
    }

    #[test]
    fn what_is_not_there_gets_the_last_part_as_its_name() {
        let expected = Ok(("/data/".to_owned(), Some("new".to_owned())));
        assert_eq!(landed(false, &to("/data/new", false, false)), expected);
        assert_eq!(landed(true, &to("/data/new/", false, false)), expected);
        assert_eq!(landed(false, &to("/data/new", true, false)), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = landed(true, &to("/data/file", true, false));
        assert_eq!(
            refused,
            Err("cannot copy directory: /data/file is a file".into())
        );
        let refused = landed(false, &to("/data/new/", false, false));
        assert_eq!(refused, Err("no such directory: /data/new/".into()));
    }

    #[test]
    fn entries_are_split_as_they_are_archived() {
        for (path, folder, name) in [
            ("/a/b", "/a/", "b"),
            ("/a/b/", "/a/", "b"),
            ("/a/b/.", "/a/b/", "."),
            ("/a/../b", "/", "b"),
            ("/", "/", ""),
            (".", "", "."),
            ("b", "", "b"),
        ] {
            let expected = (folder.to_owned(), name.to_owned());
            assert_eq!(split_entry(path), expected, "{path}");
        }
    }

    #[test]
    fn a_followed_link_keeps_its_name() {
        let (path, name) = renamed("/a/link", "/b/real");
        assert_eq!((path.as_str(), name.as_deref()), ("/b/real", Some("link")));
        let (path, name) = renamed("/a/link/.", "/b/real");
        assert_eq!((path.as_str(), name.as_deref()), ("/b/real/.", None));
    }
}
