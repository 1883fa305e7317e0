//! Relative paths of the model → absolute ones (or relative to the importing file's folder).

use std::path::Path as FilePath;

use super::diagnostic::{Diagnostic, code};
use super::node::{Node, Value};
use super::path::{Path, Pattern};

/// How the path at a place resolves.
#[derive(Clone, Copy)]
enum Kind {
    /// A path of this machine.
    Local,
    /// A path that may be meant for a Windows engine, and then stays.
    MaybeForeign,
    /// Another compose file: what is not on this machine stays.
    ComposeFile,
    /// A build context: URLs, images and services stay.
    Context,
    /// A path whose symbolic links are followed.
    Watched,
    /// A mount: its source, if it is a bind.
    Mount,
    /// A volume: its device, if the local driver binds it.
    Volume,
}

const PATHS: &[(Pattern, Kind)] = &[
    (&["services", "*", "build", "context"], Kind::Context),
    (
        &["services", "*", "build", "additional_contexts", "*"],
        Kind::Context,
    ),
    (&["services", "*", "build", "ssh", "*"], Kind::MaybeForeign),
    (&["services", "*", "env_file", "*", "path"], Kind::Local),
    (&["services", "*", "label_file", "*"], Kind::Local),
    (&["services", "*", "extends", "file"], Kind::ComposeFile),
    (
        &["services", "*", "develop", "watch", "*", "path"],
        Kind::Watched,
    ),
    (&["services", "*", "volumes", "*"], Kind::Mount),
    (&["configs", "*", "file"], Kind::MaybeForeign),
    (&["secrets", "*", "file"], Kind::MaybeForeign),
    (&["volumes", "*"], Kind::Volume),
];

/// The folder to resolve against, and the home folder for `~`.
pub(crate) struct Base<'a> {
    /// Absolute, or relative to the folder of an importing file.
    pub(crate) folder: &'a str,
    /// `HOME`.
    pub(crate) home: Option<&'a str>,
}

/// Resolves every path in a tree in long form.
pub(crate) fn resolve(tree: &mut Node, base: &Base<'_>, problems: &mut Vec<Diagnostic>) {
    walk(tree, Path::ROOT, base, problems);
}

fn walk(node: &mut Node, path: Path<'_>, base: &Base<'_>, problems: &mut Vec<Diagnostic>) {
    if let Some(kind) = path.find(PATHS) {
        resolve_at(node, kind, path, base, problems);
        return;
    }
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, path.key(key), base, problems);
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, path.item_at(index), base, problems);
            }
        }
        _ => {}
    }
}

fn resolve_at(
    node: &mut Node,
    kind: Kind,
    path: Path<'_>,
    base: &Base<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    match kind {
        Kind::Local => change(node, |text| local(text, base)),
        Kind::MaybeForeign => change(node, |text| maybe_foreign(text, base)),
        Kind::Context => change(node, |text| context(text, base)),
        Kind::ComposeFile if node.as_str().is_some_and(is_remote) => {}
        Kind::ComposeFile => change(node, |text| local(text, base)),
        Kind::Watched => change(node, |text| follow_links(&local(text, base))),
        Kind::Mount => mount(node, path, base, problems),
        Kind::Volume => volume(node, base),
    }
}

fn change(node: &mut Node, resolve: impl Fn(&str) -> String) {
    if let Value::Str(text) = &mut node.value {
        *text = resolve(text);
    }
}

fn mount(node: &mut Node, path: Path<'_>, base: &Base<'_>, problems: &mut Vec<Diagnostic>) {
    if node.get("type").and_then(Node::as_str) != Some("bind") {
        return;
    }
    let span = node.span;
    let Some(map) = node.as_map_mut() else {
        return;
    };
    match map.get_mut("source") {
        Some(source) => change(&mut source.node, |text| maybe_foreign(text, base)),
        None => problems.push(
            Diagnostic::error(format!(
                "{path} has no \"source\", which a bind mount needs"
            ))
            .path(format!("{path}.source"))
            .code(code::MISSING_ATTRIBUTE)
            .at(span)
            .help("set `source` to the path of a file or folder"),
        ),
    }
}

fn volume(node: &mut Node, base: &Base<'_>) {
    if node.get("driver").and_then(Node::as_str) != Some("local") {
        return;
    }
    if node.at(&["driver_opts", "o"]).and_then(Node::as_str) != Some("bind") {
        return;
    }
    let device = node
        .as_map_mut()
        .and_then(|map| map.get_mut("driver_opts"))
        .and_then(|entry| entry.node.as_map_mut())
        .and_then(|map| map.get_mut("device"));
    if let Some(device) = device {
        change(&mut device.node, |text| maybe_foreign(text, base));
    }
}

fn expand_home(text: &str, base: &Base<'_>) -> String {
    match (text.strip_prefix('~'), base.home) {
        (Some(rest), Some(home)) => join(home, rest.trim_start_matches('/')),
        _ => text.to_owned(),
    }
}

fn local(text: &str, base: &Base<'_>) -> String {
    let text = expand_home(text, base);
    if text.is_empty() || FilePath::new(&text).is_absolute() {
        return text;
    }
    join(base.folder, &text)
}

fn maybe_foreign(text: &str, base: &Base<'_>) -> String {
    let text = expand_home(text, base);
    if text.starts_with('/') || FilePath::new(&text).is_absolute() || is_windows_absolute(&text) {
        return text;
    }
    join(base.folder, &text)
}

fn context(text: &str, base: &Base<'_>) -> String {
    if is_remote(text) || text.starts_with("service:") {
        return text.to_owned();
    }
    local(text, base)
}

/// Whether a compose file is named by a repository or registry instead of a path.
pub(crate) fn is_remote(text: &str) -> bool {
    const PREFIXES: [&str; 2] = ["github.com/", "git@"];
    text.contains("://") || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Whether a path has a drive letter or is a UNC or device path.
pub(crate) fn is_windows_absolute(text: &str) -> bool {
    let is_separator = |byte: &u8| matches!(byte, b'\\' | b'/');
    let bytes = text.as_bytes();
    match bytes {
        [_, b':', rest @ ..] => rest.first().is_some_and(is_separator),
        [first, second, ..] => is_separator(first) && is_separator(second),
        _ => false,
    }
}

/// Replaces the first symbolic link of the path by what it points to.
fn follow_links(text: &str) -> String {
    let path = FilePath::new(text);
    let mut prefixes: Vec<&FilePath> = path.ancestors().collect();
    prefixes.reverse();
    for prefix in prefixes {
        if !prefix.is_symlink() {
            continue;
        }
        let Ok(target) = prefix.canonicalize() else {
            break;
        };
        let rest = path.strip_prefix(prefix).unwrap_or(FilePath::new(""));
        return join(&target.to_string_lossy(), &rest.to_string_lossy());
    }
    text.to_owned()
}

/// Joins and cleans two paths written with slashes.
pub(crate) fn join(folder: &str, rest: &str) -> String {
    match (folder, rest) {
        ("", rest) => clean(rest),
        (folder, "") => clean(folder),
        (folder, rest) => clean(&format!("{folder}/{rest}")),
    }
}

/// Removes `.`, `..` and doubled slashes without looking at the file system.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

/// The path that leads from one absolute folder to another.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let (from, to) = (clean(from), clean(to));
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = to.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - common];
    parts.extend(&to[common..]);
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans() {
        for (path, cleaned) in [
            ("", "."),
            ("./a", "a"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/..//a/", "/a"),
            ("a/../..", ".."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn leads_from_folder_to_folder() {
        assert_eq!(relative("/a/b", "/a/b"), ".");
        assert_eq!(relative("/a/b", "/a/b/c"), "c");
        assert_eq!(relative("/a/b", "/a/x/y"), "../x/y");
    }

    #[test]
    fn resolves_against_folder_and_home() {
        let base = Base {
            folder: "/p",
            home: Some("/home/me"),
        };
        assert_eq!(local("./a", &base), "/p/a");
        assert_eq!(local("~/a", &base), "/home/me/a");
        assert_eq!(maybe_foreign(r"C:\x", &base), r"C:\x");
        assert_eq!(context("https://x/y.git", &base), "https://x/y.git");
        assert_eq!(context(".", &base), "/p");
        assert_eq!(context("service:x", &base), "service:x");
    }
}
