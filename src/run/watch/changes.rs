//! Which files change, as the system tells it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, timeout_at};

use crate::run::Error;

/// Changes closer together than this belong together: an editor saves many files at once.
const QUIET: Duration = Duration::from_millis(200);

/// What never comes to rest is told this often.
const PATIENCE: Duration = Duration::from_secs(2);

/// Watches files and folders. Ends when dropped.
pub struct Changes {
    _watcher: RecommendedWatcher,
    events: UnboundedReceiver<Result<notify::Event, notify::Error>>,
}

impl Changes {
    /// Begins to watch; folders with all that is in them.
    ///
    /// # Errors
    /// When the system cannot watch them.
    pub fn watch<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, Error> {
        let (sender, events) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more when the program ends.
            let _ = sender.send(event);
        })
        .map_err(|error| failed(&error))?;
        let paths: BTreeSet<&Path> = paths.map(watched).collect();
        for path in &paths {
            let inside = paths
                .iter()
                .any(|other| path != other && path.starts_with(other));
            if !inside {
                watcher
                    .watch(path, RecursiveMode::Recursive)
                    .map_err(|error| failed(&error))?;
            }
        }
        Ok(Self {
            _watcher: watcher,
            events,
        })
    }

    /// Waits for changes and returns the paths, once nothing more has changed for a moment.
    ///
    /// # Errors
    /// When the system has stopped telling.
    pub async fn next(&mut self) -> Result<BTreeSet<PathBuf>, Error> {
        let mut changed = BTreeSet::new();
        let mut end: Option<Instant> = None;
        loop {
            let event = match end {
                None => self.events.recv().await,
                Some(end) => {
                    let quiet = Instant::now() + QUIET;
                    match timeout_at(quiet.min(end), self.events.recv()).await {
                        Ok(event) => event,
                        Err(_) => return Ok(changed),
                    }
                }
            };
            let event = event.ok_or_else(|| Error::new("the system tells no more changes"))?;
            let event = event.map_err(|error| failed(&error))?;
            if is_change(event.kind) && !event.paths.is_empty() {
                changed.extend(event.paths);
                end.get_or_insert(Instant::now() + PATIENCE);
            }
        }
    }
}

/// A file is watched by its folder: editors put a new file in its place.
fn watched(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !path.is_dir() => folder,
        _ => path,
    }
}

/// Reading is no change, and neither are modes and times.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

fn failed(error: &notify::Error) -> Error {
    let told = Error::new(format!("cannot watch files: {error}"));
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            told.remedy("raise the limit: sysctl fs.inotify.max_user_watches=524288")
        }
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_come_together() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().canonicalize();
        let path = path.unwrap_or_else(|error| panic!("{error}"));
        let mut changes = Changes::watch(std::iter::once(path.as_path()))
            .unwrap_or_else(|error| panic!("{error}"));
        for name in ["a", "b"] {
            std::fs::write(path.join(name), "1").unwrap_or_else(|error| panic!("{error}"));
        }
        let changed = changes.next().await.unwrap_or_default();
        let expected: BTreeSet<PathBuf> = ["a", "b"].map(|name| path.join(name)).into();
        assert_eq!(changed, expected);
    }

    #[test]
    fn reading_is_no_change() {
        use notify::event::{AccessKind, CreateKind};
        assert!(!is_change(EventKind::Access(AccessKind::Any)));
        assert!(is_change(EventKind::Create(CreateKind::File)));
    }
}
