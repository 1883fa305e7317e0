//! An image as `docker save` gives it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::project::Project;

/// Everything that is in a saved image.
pub(super) struct Image {
    config: Value,
    /// Lowest first.
    layers: Vec<Vec<u8>>,
}

/// A file, a folder or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: char,
    mode: u32,
    owner: (u64, u64),
    /// Where a link leads, or a digest of a file's content.
    content: String,
    time: u64,
}

type Tree = BTreeMap<String, Entry>;

impl Image {
    /// Takes an image out of the engine.
    pub(super) fn saved(project: &Project, name: &str) -> Self {
        let mut command = Command::new("docker");
        let command = command
            .args(["save", name])
            .env("DOCKER_HOST", &project.engine().host);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the docker command runs");
        let mut files = BTreeMap::new();
        let output = child.stdout.take().expect("its output is taken");
        let mut archive = tar::Archive::new(output);
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("a whole archive");
            let path = entry.path().expect("a path").to_string_lossy().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("a whole file");
            files.insert(path, content);
        }
        assert!(
            child.wait().is_ok_and(|status| status.success()),
            "docker save {name}"
        );
        let read = |path: &str| -> Value { serde_json::from_slice(&files[path]).expect("JSON") };
        let manifest = read("manifest.json");
        let paths = manifest[0]["Layers"].as_array().expect("layers");
        let layer = |path: &Value| {
            let content = &files[path.as_str().expect("a path")];
            let mut plain = Vec::new();
            if content.starts_with(&[0x1f, 0x8b]) {
                let mut decoder = flate2::read::GzDecoder::new(content.as_slice());
                decoder.read_to_end(&mut plain).expect("a layer");
            } else {
                plain.clone_from(content);
            }
            plain
        };
        Self {
            config: read(manifest[0]["Config"].as_str().expect("a configuration")),
            layers: paths.iter().map(layer).collect(),
        }
    }

    /// The configuration and what is different from the base, one line each.
    pub(super) fn told(
        &self,
        base: Option<&Self>,
        start: SystemTime,
        ignored: &[&str],
        with_history: bool,
    ) -> String {
        let mut told = String::new();
        for key in ["architecture", "os", "author"] {
            if let Some(value) = self.config.get(key).and_then(super::trimmed) {
                let _ = writeln!(told, "{key} {}", value.to_string().replace("amd64", "ARCH"));
            }
        }
        let config = super::trimmed(&self.config["config"]).unwrap_or_default();
        let is_told = |value: &Value| *value != "" && *value != serde_json::json!({});
        let config = config.as_object().into_iter().flatten();
        for (key, value) in config.filter(|(_, value)| is_told(value)) {
            let _ = writeln!(told, "config {key} {value}");
        }
        let start = start
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        if let Some(year) = self.config["created"]
            .as_str()
            .and_then(|time| time.get(..4))
            && year < "2020"
        {
            let _ = writeln!(told, "created {}", self.config["created"]);
        }
        if with_history {
            self.tell_history(base, &mut told);
        }
        let own = self.tree(self.layers.len());
        let of_base = base
            .map(|base| base.tree(base.layers.len()))
            .unwrap_or_default();
        let is_ignored = |path: &str| {
            ignored.iter().any(|ignored| {
                path.strip_prefix(ignored)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        for (path, entry) in own.iter().filter(|(path, _)| !is_ignored(path)) {
            let same = of_base.get(path).is_some_and(|other| other.is_like(entry));
            if !same {
                let _ = writeln!(told, "{path} {}", entry.told(start));
            }
        }
        for path in of_base.keys().filter(|path| !is_ignored(path)) {
            if !own.contains_key(path) {
                let _ = writeln!(told, "{path} removed");
            }
        }
        told
    }

    fn tell_history(&self, base: Option<&Self>, told: &mut String) {
        let empty = Vec::new();
        let list = |image: &Self| image.config["history"].as_array().unwrap_or(&empty).clone();
        let before = base.map_or(0, |base| list(base).len());
        for step in list(self).iter().skip(before) {
            let text = step["created_by"].as_str().unwrap_or_default();
            let layer = if step["empty_layer"] == true {
                "empty"
            } else {
                "layer"
            };
            let comment = step["comment"].as_str().unwrap_or_default();
            let _ = writeln!(told, "history {layer} {comment} {text:?}");
        }
    }

    /// The files of the lowest layers.
    fn tree(&self, layers: usize) -> Tree {
        let mut tree = Tree::new();
        for layer in &self.layers[..layers] {
            apply(&mut tree, layer);
        }
        tree
    }
}

impl Entry {
    /// Whether another is the same, times of folders apart.
    fn is_like(&self, other: &Self) -> bool {
        let same_time = self.kind == 'd' || self.time == other.time;
        let same = (self.kind, self.mode, self.owner) == (other.kind, other.mode, other.owner);
        same && same_time && self.content == other.content
    }

    fn told(&self, start: u64) -> String {
        let time = if self.time >= start.saturating_sub(5) {
            "new".to_owned()
        } else {
            self.time.to_string()
        };
        let (user, group) = self.owner;
        let line = format!(
            "{} {:o} {user}:{group} @{time} {}",
            self.kind, self.mode, self.content
        );
        line.trim_end().to_owned()
    }
}

fn apply(tree: &mut Tree, layer: &[u8]) {
    let mut archive = tar::Archive::new(layer);
    let mut removed = Vec::new();
    let mut added = Tree::new();
    for entry in archive.entries().expect("a layer is an archive") {
        let mut entry = entry.expect("a whole layer");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        let path = format!("/{}", path.trim_start_matches("./").trim_matches('/'));
        let (above, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == ".wh..wh..opq" {
            removed.push((above.to_owned(), false));
            continue;
        }
        if let Some(hidden) = name.strip_prefix(".wh.") {
            removed.push((format!("{above}/{hidden}"), true));
            continue;
        }
        let header = entry.header().clone();
        let link = entry.link_name().ok().flatten();
        let link = link
            .map(|link| link.to_string_lossy().into_owned())
            .unwrap_or_default();
        let kind = header.entry_type();
        let mut content = String::new();
        if kind.is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a whole file");
            let digest = Sha256::digest(&bytes);
            for byte in digest.iter().take(6) {
                let _ = write!(content, "{byte:02x}");
            }
        }
        if kind.is_hard_link() {
            let target = format!("/{}", link.trim_start_matches("./").trim_start_matches('/'));
            let first = added.get(&target).or_else(|| tree.get(&target)).cloned();
            added.insert(path, first.expect("a hard link to what came before"));
            continue;
        }
        let letter = match kind {
            kind if kind.is_dir() => 'd',
            kind if kind.is_symlink() => 'l',
            kind if kind.is_fifo() => 'p',
            _ => 'f',
        };
        added.insert(
            path,
            Entry {
                kind: letter,
                mode: header.mode().expect("a mode") & 0o7777,
                owner: (
                    header.uid().expect("a user"),
                    header.gid().expect("a group"),
                ),
                content: if letter == 'l' {
                    format!("-> {link}")
                } else {
                    content
                },
                time: header.mtime().expect("a time"),
            },
        );
    }
    for (path, itself) in removed {
        let below = format!("{path}/");
        tree.retain(|other, _| !(other.starts_with(&below) || (itself && *other == path)));
    }
    for (path, entry) in added {
        if entry.kind != 'd' {
            let below = format!("{path}/");
            tree.retain(|other, _| !other.starts_with(&below));
        }
        tree.insert(path, entry);
    }
}
