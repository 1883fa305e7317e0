//! What containers are writing, across restarts and replacements.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::cursor::Cursor;
use super::history::unreadable;
use super::reader::{Reader, Report};
use super::{Lines, Range, Sink};
use crate::report::event::{Event, Origin};
use crate::run::Error;
use crate::run::select::{self, Target, Wanted};

/// A container that was told to stop may be about to start again (`restart`, a replacement);
/// following ends only when nothing has started for this long.
const GRACE: Duration = Duration::from_secs(3);

/// How long after the start of a container its event may come.
const LATE_EVENTS: Duration = Duration::from_millis(300);

/// Which part of the logs that are already there is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// What [`Range`] says.
    Log,
    /// Nothing; containers that start later are shown from their start.
    Now,
}

/// Whose logs to follow, and how.
#[derive(Debug, Clone)]
pub struct Follow {
    /// The project's name.
    pub project: String,
    /// Only these services; all where empty.
    pub services: Vec<String>,
    /// Only the container with this number; all where 0.
    pub index: u64,
    /// What of the logs that are already there.
    pub beginning: Beginning,
    /// Which part of each log.
    pub range: Range,
}

/// Sends log lines and exits until no container is left, or none is left running after one
/// stopped and nothing is about to start. Ends early when nobody reads any more.
///
/// # Errors
/// When the connection to the engine is lost.
pub async fn follow(docker: &Docker, options: &Follow, sink: &Sink) -> Result<(), Error> {
    let (ready, _) = oneshot::channel();
    let started = CancellationToken::new();
    started.cancel();
    follow_and_tell(docker, options, sink, ready, started).await
}

/// As [`follow`], and tells when nothing can be missed any more. Does not end before `started` is
/// cancelled: whoever starts containers says so when all of them are started.
///
/// # Errors
/// When the connection to the engine is lost.
pub async fn follow_and_tell(
    docker: &Docker,
    options: &Follow,
    sink: &Sink,
    ready: oneshot::Sender<()>,
    started: CancellationToken,
) -> Result<(), Error> {
    let now = engine_time(docker).await;
    let mut events = events(docker, &options.project, now);
    let (told, mut reports) = mpsc::unbounded_channel();
    let mut follower = Follower {
        docker,
        options,
        sink,
        told,
        followed: HashMap::new(),
        stopped_one: false,
    };
    follower.begin(now).await?;
    let _ = ready.send(());
    let mut settled = false;
    while !(settled && follower.is_over()) {
        let pause = follower.pause();
        tokio::select! {
            event = events.next() => match event {
                Some(event) => follower.on_event(event?).await?,
                None => return Err(Error::new("the engine ended the stream of events")
                    .remedy("check that the engine runs, then follow again")),
            },
            Some(report) = reports.recv() => follower.on_report(report).await?,
            () = sink.closed() => return Ok(()),
            () = settle(&started, follower.has_idle()), if !settled => settled = true,
            () = tokio::time::sleep(pause.unwrap_or(GRACE)), if pause.is_some() => {
                follower.give_up_on_stopped();
            }
        }
    }
    // What the readers still have in hand.
    while follower.is_reading() {
        tokio::select! {
            report = reports.recv() => match report {
                Some(report) => follower.on_report(report).await?,
                None => break,
            },
            () = sink.closed() => break,
        }
    }
    Ok(())
}

/// Waits until everything is started, and where something seems not to be, for the events that
/// tell so.
async fn settle(started: &CancellationToken, some_idle: bool) {
    started.cancelled().await;
    if some_idle {
        tokio::time::sleep(LATE_EVENTS).await;
    }
}

/// The engine's clock; the start of the events to be sent.
async fn engine_time(docker: &Docker) -> Option<Timestamp> {
    docker.info().await.ok()?.system_time?.parse().ok()
}

fn events(
    docker: &Docker,
    project: &str,
    since: Option<Timestamp>,
) -> std::pin::Pin<Box<dyn futures::Stream<Item = EngineEvent> + Send>> {
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        (
            "label".to_owned(),
            vec![format!("com.docker.compose.project={project}")],
        ),
    ]);
    let mut options = EventsOptionsBuilder::default().filters(&filters);
    if let Some(since) = since {
        let text = format!("{}.{:09}", since.as_second(), since.subsec_nanosecond());
        options = options.since(&text);
    }
    Box::pin(docker.events(Some(options.build())))
}

type EngineEvent = Result<EventMessage, bollard::errors::Error>;

/// How a container stands, as far as following goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Did not run when following began.
    Idle,
    /// Was created and will start.
    Created,
    /// Runs, or is being restarted by its policy.
    Running,
    /// Was told to stop at this time and may start again.
    Stopped(tokio::time::Instant),
    /// Ended.
    Dead,
}

struct Followed {
    origin: Origin,
    name: String,
    life: Life,
    /// Whether it was told to stop by somebody.
    signalled: bool,
    reading: bool,
    /// Whether it started again while its log was still being read.
    read_again: bool,
    cursor: Cursor,
    /// An exit that is told once everything before it was read.
    exit: Option<(i64, bool)>,
}

struct Follower<'a> {
    docker: &'a Docker,
    options: &'a Follow,
    sink: &'a Sink,
    told: mpsc::UnboundedSender<Report>,
    followed: HashMap<String, Followed>,
    stopped_one: bool,
}

impl Follower<'_> {
    /// Starts reading the logs of the containers there are.
    async fn begin(&mut self, now: Option<Timestamp>) -> Result<(), Error> {
        let wanted = Wanted {
            project: &self.options.project,
            services: &self.options.services,
            stopped: true,
            one_offs: false,
        };
        for target in select::containers(self.docker, wanted).await? {
            if self.options.index != 0 && target.number != self.options.index {
                continue;
            }
            let id = target.id.clone();
            let (running, new) = (target.running, target.new);
            let mut followed = Followed::new(target);
            let from_now = self.options.beginning == Beginning::Now;
            if from_now && running {
                followed.cursor = now.map_or_else(Cursor::default, Cursor::after);
            } else if from_now {
                followed.life = Life::Idle;
                if !new {
                    followed.cursor = last_end(self.docker, &id).await;
                }
            }
            self.followed.insert(id.clone(), followed);
            if running || !from_now {
                self.read(&id, &self.options.range.clone());
            }
        }
        Ok(())
    }

    /// Reads a container's log from its cursor on in a task of its own.
    fn read(&mut self, id: &str, range: &Range) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        followed.reading = true;
        followed.read_again = false;
        let cursor = followed.cursor;
        let lines = Lines::open(self.docker, id, range, cursor, true);
        let reader = Reader {
            id: id.to_owned(),
            origin: followed.origin.clone(),
            timestamps: self.options.range.timestamps,
            cursor,
            sink: self.sink.clone(),
        };
        let told = self.told.clone();
        tokio::spawn(async move {
            let _ = told.send(reader.run(lines).await);
        });
    }

    async fn on_event(&mut self, event: EventMessage) -> Result<(), Error> {
        let Some(actor) = event.actor else {
            return Ok(());
        };
        let Some(id) = actor.id else {
            return Ok(());
        };
        let attributes = actor.attributes.unwrap_or_default();
        if !self.concerns(&attributes) {
            return Ok(());
        }
        match event.action.as_deref().unwrap_or_default() {
            "create" => self.created(id, &attributes),
            "start" => self.started(id, &attributes),
            "kill" => {
                if let Some(followed) = self.followed.get_mut(&id) {
                    followed.signalled = true;
                }
            }
            "die" => self.died(&id, &attributes).await,
            "destroy" => self.destroyed(&id).await,
            _ => {}
        }
        Ok(())
    }

    fn concerns(&self, attributes: &HashMap<String, String>) -> bool {
        let label = |key: &str| attributes.get(key).map_or("", String::as_str);
        let service = label("com.docker.compose.service");
        let number = label("com.docker.compose.container-number");
        let services = &self.options.services;
        label("com.docker.compose.oneoff") != "True"
            && attributes.contains_key("com.docker.compose.config-hash")
            && (services.is_empty() || services.iter().any(|wanted| wanted == service))
            && (self.options.index == 0 || number.parse() == Ok(self.options.index))
    }

    fn created(&mut self, id: String, attributes: &HashMap<String, String>) {
        let name = attributes.get("name").cloned().unwrap_or_default();
        let origin = select::origin(&self.options.project, &name, attributes);
        self.followed.entry(id).or_insert_with(|| Followed {
            origin,
            name,
            life: Life::Created,
            signalled: false,
            reading: false,
            read_again: false,
            cursor: Cursor::default(),
            exit: None,
        });
    }

    fn started(&mut self, id: String, attributes: &HashMap<String, String>) {
        self.created(id.clone(), attributes);
        let Some(followed) = self.followed.get_mut(&id) else {
            return;
        };
        followed.life = Life::Running;
        followed.signalled = false;
        if followed.reading {
            followed.read_again = true;
            return;
        }
        self.read(&id, &self.later_range());
    }

    /// What is read of logs that went on after following began.
    fn later_range(&self) -> Range {
        Range {
            tail: None,
            ..self.options.range.clone()
        }
    }

    async fn died(&mut self, id: &str, attributes: &HashMap<String, String>) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        let code = attributes
            .get("exitCode")
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let restarting = is_restarting(self.docker, id).await;
        self.stopped_one = true;
        followed.exit = Some((code, restarting));
        followed.life = match (restarting, followed.signalled) {
            (true, _) => Life::Running,
            (false, true) => Life::Stopped(tokio::time::Instant::now()),
            (false, false) => Life::Dead,
        };
        if !followed.reading {
            self.tell_exit(id).await;
        }
    }

    async fn destroyed(&mut self, id: &str) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        followed.life = Life::Dead;
        if !followed.reading {
            self.tell_exit(id).await;
            self.followed.remove(id);
        }
    }

    async fn tell_exit(&mut self, id: &str) {
        let Some(followed) = self.followed.get_mut(id) else {
            return;
        };
        if let Some((code, restarting)) = followed.exit.take() {
            let event = Event::Exited {
                origin: followed.origin.clone(),
                code,
                restarting,
            };
            let _ = self.sink.send(event).await;
        }
    }

    async fn on_report(&mut self, report: Report) -> Result<(), Error> {
        let (id, cursor) = match report {
            Report::Read { id, cursor } => (id, Some(cursor)),
            Report::Unreadable { id, error } => {
                self.warn_unreadable(&id, &error).await;
                (id, None)
            }
            // A container that is being removed takes its log with it.
            Report::Failed { id, error } if error.is_not_found() => (id, None),
            Report::Failed { error, .. } => return Err(error),
        };
        let Some(followed) = self.followed.get_mut(&id) else {
            return Ok(());
        };
        followed.reading = false;
        let again = followed.read_again;
        if let Some(cursor) = cursor {
            followed.cursor = cursor;
        }
        self.tell_exit(&id).await;
        if again {
            self.read(&id, &self.later_range());
        }
        Ok(())
    }

    async fn warn_unreadable(&self, id: &str, error: &Error) {
        if let Some(followed) = self.followed.get(id) {
            let warning = unreadable(&followed.name, error);
            let _ = self.sink.send(warning).await;
        }
    }

    /// Whether nothing is left to follow.
    fn is_over(&self) -> bool {
        let alive = |followed: &Followed| {
            !matches!(followed.life, Life::Dead | Life::Idle)
                || (followed.life == Life::Idle && !self.stopped_one)
        };
        !self.followed.values().any(alive)
    }

    fn has_idle(&self) -> bool {
        self.followed
            .values()
            .any(|followed| matches!(followed.life, Life::Idle | Life::Created))
    }

    fn is_reading(&self) -> bool {
        self.followed.values().any(|followed| followed.reading)
    }

    /// How long to wait for stopped containers to start again, when that is all there is left
    /// to wait for.
    fn pause(&self) -> Option<Duration> {
        let mut latest = None;
        for followed in self.followed.values() {
            match followed.life {
                Life::Running | Life::Created => return None,
                Life::Idle | Life::Dead => {}
                Life::Stopped(at) => latest = latest.max(Some(at)),
            }
        }
        latest.map(|at| GRACE.saturating_sub(at.elapsed()))
    }

    fn give_up_on_stopped(&mut self) {
        for followed in self.followed.values_mut() {
            if let Life::Stopped(_) = followed.life {
                followed.life = Life::Dead;
            }
        }
    }
}

impl Followed {
    fn new(target: Target) -> Self {
        Self {
            origin: target.origin,
            name: target.name,
            life: match (target.running, target.new) {
                (true, _) => Life::Running,
                (false, true) => Life::Created,
                (false, false) => Life::Idle,
            },
            signalled: false,
            reading: false,
            read_again: false,
            cursor: Cursor::default(),
            exit: None,
        }
    }
}

/// The place in the log where a container ended last; the beginning of the log where that cannot
/// be told.
async fn last_end(docker: &Docker, id: &str) -> Cursor {
    let ended = docker
        .inspect_container(id, None)
        .await
        .ok()
        .and_then(|container| container.state?.finished_at?.parse::<Timestamp>().ok())
        .filter(|ended| ended.as_second() > 0);
    ended.map_or_else(Cursor::default, Cursor::after)
}

/// Whether the engine is about to start a container again that just died.
async fn is_restarting(docker: &Docker, id: &str) -> bool {
    let state = docker.inspect_container(id, None).await.ok();
    state
        .and_then(|container| container.state)
        .is_some_and(|state| state.restarting == Some(true) || state.running == Some(true))
}
