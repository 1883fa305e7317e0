//! The documents of containers.
//!
//! A container's state changes several times in the moments in which it is started or removed. Each
//! state is written beside what the container has while it runs, where the next daemon finds it
//! however this one ends; to the disk goes the last of them, a little later. What is removed
//! meanwhile never gets there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::handle::brief;
use super::record::Record;
use crate::store::Documents;
use crate::{Layout, Result, footprint};

/// How long a state waits for the next one.
const DELAY: Duration = Duration::from_millis(100);

/// The documents of all containers.
#[derive(Debug)]
pub(super) struct Records {
    durable: Documents<Record>,
    /// Those that may be newer, until the machine is booted again.
    volatile: Documents<Record>,
    /// What the disk does not have yet, by id.
    pending: Mutex<HashMap<String, Record>>,
    /// Held while the disk is written, so that nothing comes back that has been removed.
    disk: Mutex<()>,
    /// Whether what is pending is about to be written.
    is_due: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Records {
    /// Makes the folders.
    ///
    /// # Errors
    /// 500 when they cannot be made.
    pub(super) fn open(layout: &Layout) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            durable: Documents::open(layout.containers(), "container")?,
            volatile: Documents::open_volatile(layout.containers_run(), "container")?,
            pending: Mutex::default(),
            disk: Mutex::default(),
            is_due: AtomicBool::new(false),
        }))
    }

    /// All of them, each as it was written last.
    ///
    /// # Errors
    /// 500 when a folder cannot be read.
    pub(super) fn load(&self) -> Result<Vec<Record>> {
        let mut newer: HashMap<String, Record> = self.volatile.load()?.into_iter().collect();
        let durable = self.durable.load()?.into_iter();
        let last = durable.map(|(id, record)| newer.remove(&id).unwrap_or(record));
        Ok(last.collect())
    }

    /// Writes one to the disk. Blocks.
    ///
    /// # Errors
    /// 500 when the disk does not take it.
    pub(super) fn put(&self, record: &Record) -> Result<()> {
        self.durable.put(&record.id, record)
    }

    /// Writes one where the next daemon finds it; [`Self::write_later`] brings it to the disk.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(super) fn put_soon(&self, record: &Record) -> Result<()> {
        self.volatile.put(&record.id, record)?;
        lock(&self.pending).insert(record.id.clone(), record.clone());
        Ok(())
    }

    /// Brings to the disk what it does not have, after a moment.
    pub(super) fn write_later(self: &Arc<Self>) {
        if self.is_due.swap(true, Ordering::Relaxed) {
            return;
        }
        let records = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(DELAY).await;
            records.is_due.store(false, Ordering::Relaxed);
            let written = brief(move || {
                records.write_pending();
                // What the requests behind it needed is free by now.
                footprint::trim();
                Ok(())
            });
            if let Err(error) = written.await {
                tracing::error!("{error}");
            }
        });
    }

    /// Brings to the disk what it does not have. Blocks. What fails is told in the daemon's log.
    pub(super) fn write_pending(&self) {
        loop {
            let disk = lock(&self.disk);
            let next = {
                let mut pending = lock(&self.pending);
                let id = pending.keys().next().cloned();
                id.and_then(|id| pending.remove(&id))
            };
            let Some(record) = next else { return };
            if let Err(error) = self.put(&record) {
                tracing::error!("{error}");
            }
            drop(disk);
        }
    }

    /// Removes one with its whole folder on the disk. Blocks.
    ///
    /// # Errors
    /// 500 when it cannot be removed.
    pub(super) fn remove(&self, id: &str) -> Result<()> {
        lock(&self.pending).remove(id);
        let _disk = lock(&self.disk);
        self.durable.remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::Status;

    fn record(id: &str, status: Status) -> Record {
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "id": id, "name": id, "created": "", "path": "", "args": [], "image": "",
            "image_id": "", "config": {}, "host_config": {}, "endpoints": {}, "ports": {},
            "mounts": [], "restart_count": 0,
            "state": {
                "status": "created", "pid": 0, "exit_code": 0, "error": "", "oom_killed": false,
                "started_at": "", "finished_at": "", "stopped_by_hand": false,
            },
        }))
        .unwrap();
        record.state.status = status;
        record
    }

    fn statuses(layout: &Layout) -> Vec<Status> {
        let records = Records::open(layout).unwrap().load().unwrap();
        records.iter().map(|record| record.state.status).collect()
    }

    #[test]
    fn the_next_daemon_finds_the_last_state_and_the_next_boot_what_the_disk_has() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
        let records = Records::open(&layout).unwrap();
        records.put(&record("a", Status::Created)).unwrap();
        records.put_soon(&record("a", Status::Running)).unwrap();
        assert_eq!(statuses(&layout), [Status::Running]);
        std::fs::remove_dir_all(layout.run()).unwrap();
        assert_eq!(statuses(&layout), [Status::Created]);
        records.write_pending();
        assert_eq!(statuses(&layout), [Status::Running]);
    }

    #[test]
    fn what_is_removed_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
        let records = Records::open(&layout).unwrap();
        records.put(&record("a", Status::Created)).unwrap();
        records.put_soon(&record("a", Status::Exited)).unwrap();
        records.remove("a").unwrap();
        records.write_pending();
        assert_eq!(statuses(&layout), []);
    }
}
