//! `develop.watch`: which files of this machine mean what.

use std::path::{Path, PathBuf};

use crate::compose::model::{MountType, Service, WatchAction, WatchTrigger};
use crate::run::Error;
use crate::run::build::ignore::Ignore;

/// Files that editors and tools write for themselves, and what belongs to version control.
const EPHEMERAL: &str = "\
**/.git
**/.idea
**/*___jb_old___
**/*___jb_tmp___
**/.#*
**/#*#
**/4913
**/*~
**/.*.swp
**/.*.swx
**/.*.swo
**/.*.swn
**/.*.kate-swp
**/*-go-tmp-umask
";

/// One entry of `develop.watch`, ready to be compared with files.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The service.
    pub service: String,
    /// What the compose file says.
    pub trigger: WatchTrigger,
    /// The watched path, without links.
    pub root: PathBuf,
    include: Option<Ignore>,
    ignore: Ignore,
    ephemeral: Ignore,
    /// The build context with what its `.dockerignore` leaves out.
    context: Option<(PathBuf, Ignore)>,
}

impl Rule {
    /// The rules of a service, with a warning for each that cannot have an effect.
    ///
    /// # Errors
    /// When a rule cannot work, or patterns cannot be read.
    pub fn of_service(service: &Service) -> Result<(Vec<Self>, Vec<String>), Error> {
        let (mut rules, mut warnings) = (Vec::new(), Vec::new());
        let triggers = service.develop.iter().flat_map(|develop| &develop.watch);
        for (place, trigger) in triggers.enumerate() {
            let path = || {
                let index = place.to_string();
                ["services", &service.name, "develop", "watch", &index].map(str::to_owned)
            };
            let rule = Self::new(service, trigger).map_err(|mut error| {
                error.path = path().to_vec();
                error
            })?;
            if rule.copies() && is_mounted(service, &rule.trigger.path) {
                warnings.push(format!(
                    "path \"{}\" is also a bind mount of service \"{}\", it is not watched",
                    trigger.path, service.name
                ));
            } else {
                rules.push(rule);
            }
        }
        Ok((rules, warnings))
    }

    fn new(service: &Service, trigger: &WatchTrigger) -> Result<Self, Error> {
        let name = &service.name;
        if trigger.action == WatchAction::Rebuild && service.build.is_none() {
            return Err(Error::new(format!(
                "can't watch service {name:?} with action rebuild without a build context"
            ))
            .remedy("give the service a `build`, or use another action"));
        }
        let root = std::fs::canonicalize(&trigger.path).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
                _ => error.to_string(),
            };
            Error::new(format!("cannot watch {}: {why}", trigger.path))
                .remedy("make it, or change `path` under `develop.watch`")
        })?;
        let patterns = |list: &[String]| Ignore::parse(&list.join("\n"), "develop.watch");
        Ok(Self {
            service: name.clone(),
            include: match trigger.include.as_slice() {
                [] => None,
                list => Some(patterns(list)?),
            },
            ignore: patterns(&trigger.ignore)?,
            ephemeral: Ignore::parse(EPHEMERAL, "files of editors")?,
            context: context(service)?,
            trigger: trigger.clone(),
            root,
        })
    }

    /// Whether files are copied into containers.
    pub fn copies(&self) -> bool {
        matches!(
            self.trigger.action,
            WatchAction::Sync | WatchAction::SyncRestart | WatchAction::SyncExec
        )
    }

    /// Whether the rule is about a file.
    pub fn matches(&self, path: &Path) -> bool {
        let Some(relative) = relative(&self.root, path) else {
            return false;
        };
        if let Some((root, ignore)) = &self.context
            && relative_in(root, path).is_some_and(|path| ignore.excludes(&path))
        {
            return false;
        }
        if relative.is_empty() {
            return true;
        }
        let included = self
            .include
            .as_ref()
            .is_none_or(|include| include.excludes(&relative));
        included && !self.ignore.excludes(&relative) && !self.ephemeral.excludes(&relative)
    }

    /// Where a file is in the container; nothing where the rule has no target.
    pub fn target(&self, path: &Path) -> Option<String> {
        let target = self.trigger.target.as_deref()?;
        let relative = relative(&self.root, path)?;
        if relative.is_empty() {
            return Some(target.to_owned());
        }
        Some(format!("{}/{relative}", target.trim_end_matches('/')))
    }

    /// The files that a change is about: the path itself, or all in a folder that is new.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn concerned(&self, changed: &Path) -> Result<Vec<PathBuf>, Error> {
        let is_folder = std::fs::symlink_metadata(changed).is_ok_and(|found| found.is_dir());
        if is_folder && changed.starts_with(&self.root) {
            return self.files(changed);
        }
        let matching = self.matches(changed).then(|| changed.to_owned());
        Ok(matching.into_iter().collect())
    }

    /// All files below a path that the rule is about.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn files(&self, start: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        let mut todo = vec![start.to_owned()];
        while let Some(path) = todo.pop() {
            let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
            if !is_folder {
                if self.matches(&path) {
                    found.push(path);
                }
                continue;
            }
            let failed = |error: std::io::Error| {
                Error::new(format!("cannot read {}: {error}", path.display()))
            };
            let entries = match std::fs::read_dir(&path) {
                Ok(entries) => entries,
                // Gone since it was told.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            for entry in entries {
                todo.push(entry.map_err(failed)?.path());
            }
        }
        found.sort();
        Ok(found)
    }
}

/// A path from a root, with `/` between its parts; nothing where it is outside.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let rest = path.strip_prefix(root).ok()?;
    let parts: Vec<_> = rest
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    Some(parts.join("/"))
}

/// As [`relative`], for what is inside alone.
fn relative_in(root: &Path, path: &Path) -> Option<String> {
    relative(root, path).filter(|path| !path.is_empty())
}

fn is_mounted(service: &Service, path: &str) -> bool {
    service
        .volumes
        .iter()
        .filter(|mount| mount.kind == MountType::Bind)
        .filter_map(|mount| mount.source.as_deref())
        .any(|source| Path::new(path).starts_with(source))
}

/// The folder that the service's image is built from, and what stays out of it.
fn context(service: &Service) -> Result<Option<(PathBuf, Ignore)>, Error> {
    let context = service
        .build
        .as_ref()
        .and_then(|build| build.context.as_ref());
    // A context may be a URL.
    let Some(root) = context.and_then(|path| std::fs::canonicalize(path).ok()) else {
        return Ok(None);
    };
    let file = root.join(".dockerignore");
    let Ok(text) = std::fs::read_to_string(&file) else {
        return Ok(None);
    };
    let ignore = Ignore::parse(&text, &file.display().to_string())?;
    Ok(Some((root, ignore)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(folder: &Path, include: &[&str], ignore: &[&str]) -> Rule {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let trigger = WatchTrigger {
            path: folder.display().to_string(),
            target: Some("/app/".to_owned()),
            include: owned(include),
            ignore: owned(ignore),
            ..WatchTrigger::default()
        };
        Rule::new(&Service::default(), &trigger).unwrap_or_else(|error| panic!("{error}"))
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let real = folder.path().canonicalize();
        let real = real.unwrap_or_else(|error| panic!("{error}"));
        (folder, real)
    }

    #[test]
    fn patterns_are_those_of_dockerignore() {
        let (_folder, path) = folder();
        let rule = rule(&path, &[], &["node_modules", "*.log", "!keep.log"]);
        for (name, wanted) in [
            ("a.js", true),
            ("sub/a.js", true),
            ("node_modules/x/y.js", false),
            ("a.log", false),
            ("keep.log", true),
            (".git/HEAD", false),
            ("sub/.a.js.swp", false),
            ("sub/4913", false),
            ("a.js~", false),
        ] {
            assert_eq!(rule.matches(&path.join(name)), wanted, "{name}");
        }
        assert!(!rule.matches(Path::new("/elsewhere")));
    }

    #[test]
    fn only_what_is_included_counts() {
        let (_folder, path) = folder();
        let rule = rule(&path, &["**/*.html"], &["old"]);
        assert!(rule.matches(&path.join("sub/a.html")));
        assert!(!rule.matches(&path.join("a.js")));
        assert!(!rule.matches(&path.join("old/a.html")));
    }

    #[test]
    fn a_new_folder_means_what_is_in_it() {
        let (_folder, path) = folder();
        let rule = rule(&path, &["**/*.js"], &[]);
        let inner = path.join("new/deep");
        std::fs::create_dir_all(&inner).unwrap_or_else(|error| panic!("{error}"));
        for name in ["a.js", "b.txt"] {
            std::fs::write(inner.join(name), "1").unwrap_or_else(|error| panic!("{error}"));
        }
        let concerned = |path: &Path| rule.concerned(path).unwrap_or_default();
        assert_eq!(concerned(&path.join("new")), [inner.join("a.js")]);
        assert_eq!(concerned(&inner.join("a.js")), [inner.join("a.js")]);
        assert_eq!(concerned(&inner.join("gone.js")), [inner.join("gone.js")]);
        assert!(concerned(&inner.join("b.txt")).is_empty());
    }

    #[test]
    fn targets_follow_the_path() {
        let (_folder, path) = folder();
        let rule = rule(&path, &[], &[]);
        let target = |name: &str| rule.target(&path.join(name));
        assert_eq!(target("sub/a").as_deref(), Some("/app/sub/a"));
        assert_eq!(rule.target(Path::new("/elsewhere")), None);
    }

    #[test]
    fn what_is_not_there_cannot_be_watched() {
        let trigger = WatchTrigger {
            path: "/nowhere/to/be".to_owned(),
            ..WatchTrigger::default()
        };
        let refused = Rule::new(&Service::default(), &trigger).map(|_| ());
        let message = refused.map_err(|error| error.message);
        assert_eq!(
            message,
            Err("cannot watch /nowhere/to/be: it does not exist".into())
        );
    }
}
