//! Paths that an instruction names → what has to be sent for them: the paths themselves and,
//! where parts of them are links, what the links point to.

use std::collections::BTreeSet;
use std::path::Path;

use crate::run::build::ignore::Ignore;

/// Links followed for one path before it is taken for a loop.
const MOST_LINKS: usize = 255;

/// Resolves `paths` (relative to `root`, `*` allowed). `.` in the result stands for everything.
pub(super) fn follow_links(root: &Path, paths: &[String]) -> Vec<String> {
    let mut resolver = Resolver {
        root,
        found: BTreeSet::new(),
        links: 0,
    };
    for path in paths {
        resolver.links = 0;
        resolver.follow(String::new(), parts(path));
    }
    resolver.found.into_iter().collect()
}

fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

struct Resolver<'a> {
    root: &'a Path,
    found: BTreeSet<String>,
    links: usize,
}

impl Resolver<'_> {
    /// Goes on with `rest` in the folder `at`, which holds no links.
    fn follow(&mut self, at: String, mut rest: Vec<String>) {
        if rest.is_empty() {
            let path = if at.is_empty() { ".".to_owned() } else { at };
            self.found.insert(path);
            return;
        }
        let part = rest.remove(0);
        if part == ".." {
            let parent = at.rsplit_once('/').map_or("", |(parent, _)| parent);
            self.follow(parent.to_owned(), rest);
            return;
        }
        if part.contains(['*', '?', '[']) {
            for name in self.matching(&at, &part) {
                self.step(&at, &name, rest.clone());
            }
            return;
        }
        self.step(&at, &part, rest);
    }

    fn step(&mut self, at: &str, name: &str, rest: Vec<String>) {
        let path = join(at, name);
        let Ok(target) = std::fs::read_link(self.root.join(&path)) else {
            self.follow(path, rest);
            return;
        };
        self.found.insert(path);
        self.links += 1;
        if self.links > MOST_LINKS {
            return;
        }
        let text = target.to_string_lossy().replace('\\', "/");
        let base = if text.starts_with('/') { "" } else { at };
        let mut next = parts(&text);
        next.extend(rest);
        self.follow(base.to_owned(), next);
    }

    fn matching(&self, at: &str, pattern: &str) -> Vec<String> {
        let Ok(pattern) = Ignore::parse(pattern, "path") else {
            return Vec::new();
        };
        let Ok(entries) = std::fs::read_dir(self.root.join(at)) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| pattern.excludes(name))
            .collect()
    }
}

fn join(at: &str, name: &str) -> String {
    match at {
        "" => name.to_owned(),
        at => format!("{at}/{name}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn followed(paths: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let root = folder.path();
        let make = || -> std::io::Result<()> {
            std::fs::create_dir_all(root.join("real/deep"))?;
            std::fs::write(root.join("real/deep/file"), "")?;
            std::fs::write(root.join("a.txt"), "")?;
            std::fs::write(root.join("b.txt"), "")?;
            symlink("real", root.join("link"))?;
            symlink("/real/deep/file", root.join("absolute"))?;
            symlink("loop", root.join("loop"))
        };
        make().unwrap_or_else(|error| panic!("{error}"));
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        follow_links(root, &paths)
    }

    #[test]
    fn links_bring_their_targets() {
        assert_eq!(followed(&["link/deep"]), ["link", "real/deep"]);
        assert_eq!(followed(&["absolute"]), ["absolute", "real/deep/file"]);
        assert_eq!(followed(&["loop"]), ["loop"]);
    }

    #[test]
    fn patterns_missing_files_and_everything() {
        assert_eq!(followed(&["*.txt"]), ["a.txt", "b.txt"]);
        assert_eq!(followed(&["missing/x"]), ["missing/x"]);
        assert_eq!(followed(&["./"]), ["."]);
        assert_eq!(followed(&["real/../a.txt"]), ["a.txt"]);
    }
}
