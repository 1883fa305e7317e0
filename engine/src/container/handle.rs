//! The containers of one engine, by id and by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::{Mutex as Turn, MutexGuard as TurnGuard, Semaphore, oneshot, watch};

use super::exec::Exec;
use super::health::Health;
use super::record::{Record, Status};
use super::records::Records;
use super::restart;
use crate::shim::{AttachRequest, Link};
use crate::{Error, Layout, Result, identifier};

/// All containers.
#[derive(Debug)]
pub(crate) struct Containers {
    known: Mutex<Known>,
    documents: Arc<Records>,
    execs: Mutex<HashMap<String, Arc<Exec>>>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: IndexMap<String, Arc<Handle>>,
    /// Id by name; a name is taken before its container is there.
    names: HashMap<String, String>,
}

/// One container.
#[derive(Debug)]
pub(crate) struct Handle {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    turn: Turn<()>,
    live: watch::Sender<Live>,
    /// The last pause before a restart.
    pause: Mutex<Option<Duration>>,
    /// Clients that are to be attached before it is started.
    waiting: Mutex<Vec<Waiting>>,
}

/// What is known of a container at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// Its document.
    pub(crate) record: Arc<Record>,
    /// Results of its health check; none without one.
    pub(crate) health: Option<Health>,
    /// How often it was started while this daemon runs: tells one run from another.
    pub(crate) run: u64,
    /// How often it ended while this daemon runs.
    pub(crate) exits: u64,
    /// Whether it is no more.
    pub(crate) removed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Containers {
    /// Loads the documents.
    ///
    /// # Errors
    /// 500 when their folder cannot be read.
    pub(crate) fn open(layout: &Layout) -> Result<Self> {
        let documents = Records::open(layout)?;
        let mut records = documents.load()?;
        records.sort_by(|a, b| a.created.cmp(&b.created));
        let mut known = Known::default();
        for record in records {
            known.names.insert(record.name.clone(), record.id.clone());
            known
                .by_id
                .insert(record.id.clone(), Arc::new(Handle::new(record)));
        }
        Ok(Self {
            known: Mutex::new(known),
            documents,
            execs: Mutex::default(),
        })
    }

    /// Every container, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Handle>> {
        lock(&self.known).by_id.values().cloned().collect()
    }

    /// The container that is meant by an id, the beginning of one, or a name.
    ///
    /// # Errors
    /// 404 when there is none, 400 when several ids begin so.
    pub(crate) fn get(&self, reference: &str) -> Result<Arc<Handle>> {
        let known = lock(&self.known);
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let by_id = |id: &str| known.by_id.get(id).cloned();
        let found = by_id(reference).or_else(|| known.names.get(name).and_then(|id| by_id(id)));
        if let Some(handle) = found {
            return Ok(handle);
        }
        let id = identifier::complete(reference, known.by_id.keys().map(String::as_str))?;
        id.and_then(by_id)
            .ok_or_else(|| Error::not_found(format!("No such container: {reference}")))
    }

    /// Takes a name for a container.
    ///
    /// # Errors
    /// 409 when another one has it.
    pub(crate) fn take_name(&self, name: &str, id: &str) -> Result<()> {
        let mut known = lock(&self.known);
        if let Some(other) = known.names.get(name) {
            return Err(Error::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \
                 \"{other}\". You have to remove (or rename) that container to be able to reuse \
                 that name."
            )));
        }
        known.names.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// Gives a name back.
    pub(crate) fn free_name(&self, name: &str) {
        lock(&self.known).names.remove(name);
    }

    /// Takes a new container in; its name is taken already.
    pub(crate) fn insert(&self, record: Record) -> Arc<Handle> {
        let handle = Arc::new(Handle::new(record));
        lock(&self.known)
            .by_id
            .insert(handle.id.clone(), handle.clone());
        handle
    }

    /// Forgets a container, its name and its exec instances.
    pub(crate) fn forget(&self, handle: &Handle) {
        let mut known = lock(&self.known);
        known.by_id.shift_remove(&handle.id);
        known.names.retain(|_, id| *id != handle.id);
        drop(known);
        lock(&self.execs).retain(|_, exec| exec.container != handle.id);
        handle.live.send_modify(|live| live.removed = true);
    }

    /// Writes a new container's document; it outlives whatever happens from then on.
    ///
    /// # Errors
    /// 500 when the disk does not take it.
    pub(crate) async fn save_new(&self, handle: &Handle) -> Result<()> {
        let record = handle.record();
        let documents = self.documents.clone();
        brief(move || documents.put(&record)).await
    }

    /// Writes a container's document: what the next daemon finds, whatever becomes of this one.
    /// The disk has it a moment later.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(crate) async fn save(&self, handle: &Handle) -> Result<()> {
        let record = handle.record();
        let documents = self.documents.clone();
        brief(move || documents.put_soon(&record)).await?;
        self.documents.write_later();
        Ok(())
    }

    /// Waits until the disk has all documents.
    pub(crate) async fn flush(&self) {
        let documents = self.documents.clone();
        let written = brief(move || {
            documents.write_pending();
            Ok(())
        });
        if let Err(error) = written.await {
            tracing::error!("{error}");
        }
    }

    /// Removes a container's document with its folder.
    ///
    /// # Errors
    /// 500 when it cannot be removed.
    pub(crate) async fn erase(&self, id: &str) -> Result<()> {
        let documents = self.documents.clone();
        let id = id.to_owned();
        brief(move || documents.remove(&id)).await
    }

    /// Remembers an exec instance.
    pub(crate) fn insert_exec(&self, exec: Arc<Exec>) {
        lock(&self.execs).insert(exec.id.clone(), exec);
    }

    /// An exec instance by its id.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn exec(&self, id: &str) -> Result<Arc<Exec>> {
        let found = lock(&self.execs).get(id).cloned();
        found.ok_or_else(|| Error::not_found(format!("No such exec instance: {id}")))
    }

    /// Ids of the exec instances of a container that have not ended.
    pub(crate) fn execs_of(&self, container: &str) -> Vec<String> {
        let execs = lock(&self.execs);
        let of = execs
            .values()
            .filter(|exec| exec.container == container && exec.is_open());
        of.map(|exec| exec.id.clone()).collect()
    }
}

/// Runs what waits for the disk or the kernel beside the daemon's thread.
///
/// # Errors
/// Those of `work`; 500 when it ended early.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal(format!("interrupted: {error}"))),
    }
}

/// As [`blocking`], for what is over in moments. Only a few at a time: more would not be through
/// any sooner, and each needs a thread with its memory.
///
/// # Errors
/// Those of `work`; 500 when it ended early.
pub(crate) async fn brief<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    static PLACES: Semaphore = Semaphore::const_new(8);
    // Nobody closes it.
    let _place = PLACES.acquire().await.map_err(Error::internal)?;
    blocking(work).await
}

/// A client that is to be attached before the container is started.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Which streams it wants.
    pub(crate) wants: AttachRequest,
    /// Where its connection to the shim goes.
    pub(crate) link: oneshot::Sender<Link>,
}

impl Live {
    /// Whether it runs, or is about to.
    pub(crate) fn is_busy(&self) -> bool {
        self.record.state.is_up() || self.record.state.status == Status::Restarting
    }
}

impl Handle {
    fn new(record: Record) -> Self {
        Self {
            id: record.id.clone(),
            turn: Turn::new(()),
            pause: Mutex::default(),
            waiting: Mutex::default(),
            live: watch::channel(Live {
                health: Health::resumed(&record),
                record: Arc::new(record),
                run: 0,
                exits: 0,
                removed: false,
            })
            .0,
        }
    }

    /// Waits until no other operation is on this container.
    pub(crate) async fn turn(&self) -> TurnGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Attaches a client with the container's next start, before it writes anything.
    pub(crate) fn attach_later(&self, wants: AttachRequest) -> oneshot::Receiver<Link> {
        let (link, receiver) = oneshot::channel();
        lock(&self.waiting).push(Waiting { wants, link });
        receiver
    }

    /// The clients that wait for the start and have not gone.
    pub(crate) fn take_waiting(&self) -> Vec<Waiting> {
        let mut waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting.retain(|waiting| !waiting.link.is_closed());
        waiting
    }

    /// The pause before the next restart; `ran`: how long the last run was.
    pub(crate) fn pause(&self, ran: Duration) -> Duration {
        let mut last = lock(&self.pause);
        let pause = restart::pause(*last, ran);
        *last = Some(pause);
        pause
    }

    /// Its document as it is now.
    pub(crate) fn record(&self) -> Arc<Record> {
        self.live.borrow().record.clone()
    }

    /// Everything as it is now.
    pub(crate) fn live(&self) -> Live {
        self.live.borrow().clone()
    }

    /// Changes its document, in memory.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Record)) {
        self.live
            .send_modify(|live| change(Arc::make_mut(&mut live.record)));
    }

    /// Changes what is known of it.
    pub(crate) fn change_live(&self, change: impl FnOnce(&mut Live)) {
        self.live.send_modify(change);
    }

    /// Waits until `done` is true of it.
    pub(crate) async fn until(&self, mut done: impl FnMut(&Live) -> bool) -> Live {
        let mut changes = self.live.subscribe();
        // The sender lives in `self`, so there is always an answer.
        match changes.wait_for(|live| done(live)).await {
            Ok(live) => live.clone(),
            Err(_) => self.live(),
        }
    }
}
