//! `up` without `-d`: shows the output of containers until they end or the person stops them.

mod beginning;
mod ending;
mod keyboard;
mod menu;
mod watcher;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::beginning::{Running, announce, create, origins};
use self::ending::{Stopping, sleep_until, some};
use self::menu::{Choice, Menu};
use self::watcher::Watcher;
use super::Error;
use super::creation::Prepared;
use super::session::{INTERRUPTED, Session, Signals, leave};
use super::watching::Watching;
use crate::report::event::{self, Event, Origin, Sender, Status, Stream, send};
use crate::run::execute::{OnFailure, execute};
use crate::run::logs::{self, Beginning, Follow, Range};
use crate::run::{self, error::Kind};
use crate::ui::progress::Mode;
use crate::ui::terminal;

/// Whose output is shown, and what an exit means.
#[derive(Debug, Clone)]
pub(super) struct Attachment {
    /// Services whose output is shown.
    pub(super) services: BTreeSet<String>,
    /// Services named on the command line.
    pub(super) named: Vec<String>,
    /// Put the container's name before each line.
    pub(super) prefix: bool,
    /// `--no-color`.
    pub(super) no_color: bool,
    /// `--timestamps`.
    pub(super) timestamps: bool,
    /// What the exit of a container means.
    pub(super) on_exit: OnExit,
    /// `--exit-code-from`.
    pub(super) exit_code_from: Option<String>,
    /// `--timeout` for stopping, seconds.
    pub(super) timeout: Option<i64>,
    /// Watch files from the start, and go on even when nothing runs any more, as what is watched
    /// starts containers too.
    pub(super) watch: bool,
    /// Offer keyboard shortcuts.
    pub(super) menu: bool,
}

/// What the exit of a container means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnExit {
    /// Nothing.
    GoOn,
    /// They are stopped.
    Stop,
    /// They are stopped if it failed.
    StopOnFailure,
}

/// Log lines that are read ahead of what is shown.
const READ_AHEAD: usize = 1024;

/// How long the last output of stopped containers is waited for.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// Runs the plan, shows output, and stops what it started when told to. `watching` is what can be
/// watched meanwhile.
pub(super) async fn run<'s>(
    session: &'s Session<'_>,
    prepared: Prepared,
    attachment: Attachment,
    watching: Option<Watching<'s>>,
) -> Result<ExitCode, Error> {
    let Prepared { observed, plan } = prepared;
    session.warn(&plan.warnings)?;
    let mut signals = Signals::new();
    let interrupt = CancellationToken::new();
    let origins = origins(session, &plan, &attachment);
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut job = session
        .job(sender)
        .interrupted_by(&interrupt)
        .listening_for(&plan, &observed.containers);
    job.hook_output = true;
    let gate = job.gate();
    let parallel = session.context.settings.parallel;
    let running = tokio::spawn(execute(plan, Arc::new(job), OnFailure::Halt, parallel));
    let created = create(
        session,
        &mut signals,
        &interrupt,
        &mut events,
        gate,
        running,
    )
    .await?;
    let Some((proceed, running)) = created else {
        return Ok(ExitCode::SUCCESS);
    };
    let log = session.context.log_options(
        attachment.prefix,
        attachment.no_color,
        attachment.timestamps,
    );
    let (sender, screen) = session.context.screen("Running", log);
    announce(&origins, &sender);
    let shown: BTreeSet<String> = origins
        .values()
        .map(|origin| origin.container.clone())
        .collect();
    let watcher =
        watching.map(|watching| Watcher::new(watching.shown_by(sender.clone()), attachment.watch));
    let mut foreground = Foreground {
        session,
        menu: None,
        watcher,
        attachment,
        origins,
        shown,
        sender: sender.clone(),
        shows_steps: session
            .context
            .settings
            .progress
            .resolve(terminal::stderr_is_terminal())
            == Mode::Tty,
        interrupt,
        started: CancellationToken::new(),
        live: HashSet::new(),
        code: None,
        code_from: None,
        signals: 0,
        stopping: false,
        detached: false,
    };
    drop(sender);
    let (lines, following) = foreground.follow().await;
    foreground.offer_menu();
    let _ = proceed.send(());
    let result = foreground.watch(signals, events, lines, running).await;
    following.abort();
    let ended = foreground.end();
    drop(foreground);
    screen.finish().await;
    result.map_err(|error| session.run_error(error))?;
    ended
}

struct Foreground<'s> {
    session: &'s Session<'s>,
    /// Keyboard shortcuts, where they are offered.
    menu: Option<Menu>,
    /// What can be watched.
    watcher: Option<Watcher<'s>>,
    attachment: Attachment,
    /// Containers whose output is shown, keyed by their full name.
    origins: BTreeMap<String, Origin>,
    /// Their short names.
    shown: BTreeSet<String>,
    sender: Sender,
    /// Whether the progress of starting is shown too.
    shows_steps: bool,
    interrupt: CancellationToken,
    /// Cancelled once the plan starts nothing more.
    started: CancellationToken,
    /// Short names of the shown containers that run.
    live: HashSet<String>,
    /// Exit code of the container whose exit stops the others.
    code: Option<i64>,
    /// Exit code of the service of `--exit-code-from`.
    code_from: Option<i64>,
    /// How often the person has asked for an end.
    signals: u32,
    stopping: bool,
    /// Whether the person has asked to leave everything running.
    detached: bool,
}

impl<'s> Foreground<'s> {
    /// Follows the output of the shown services; returns once nothing can be missed.
    async fn follow(&self) -> (mpsc::Receiver<Event>, JoinHandle<()>) {
        let (sink, lines) = mpsc::channel(READ_AHEAD);
        let options = Follow {
            project: self.session.name.clone(),
            services: self.attachment.services.iter().cloned().collect(),
            index: 0,
            beginning: Beginning::Now,
            range: Range {
                timestamps: self.attachment.timestamps,
                ..Range::default()
            },
        };
        let docker = self.session.engine.docker.clone();
        let sender = self.sender.clone();
        let nothing = self.attachment.services.is_empty();
        let (ready, begun) = oneshot::channel();
        let started = self.started.clone();
        let task = tokio::spawn(async move {
            if nothing {
                return;
            }
            let followed = logs::follow_and_tell(&docker, &options, &sink, ready, started);
            if let Err(error) = followed.await {
                send(&sender, Event::Warning(format!("no more output: {error}")));
            }
        });
        // Where following fails at once, the plan goes on all the same.
        let _ = begun.await;
        (lines, task)
    }

    /// Shows what happens until it is over.
    async fn watch(
        &mut self,
        mut signals: Signals,
        mut events: UnboundedReceiver<Event>,
        mut lines: mpsc::Receiver<Event>,
        mut running: Running,
    ) -> Result<(), run::Error> {
        let mut started = false;
        let mut followed = true;
        let mut stop: Option<Stopping<'s>> = None;
        let mut kill: Option<Stopping<'s>> = None;
        let mut last_output = None;
        let mut failure = None;
        loop {
            if started && self.is_over(followed, stop.is_some(), last_output) {
                break;
            }
            if started && self.may_leave() {
                break;
            }
            if started && self.stopping && stop.is_none() && last_output.is_none() {
                stop = Some(self.stop());
            }
            let deadline = last_output;
            tokio::select! {
                Some(event) = events.recv() => self.on_event(event),
                line = lines.recv(), if followed => match line {
                    Some(event) => self.on_line(event),
                    None => followed = false,
                },
                result = &mut running, if !started => {
                    started = true;
                    self.on_started();
                    if let Err(error) = flatten(result) && !self.stopping {
                        failure = Some(error);
                        break;
                    }
                }
                choice = menu::next(&mut self.menu) => self.on_choice(choice),
                result = watcher::ended(&mut self.watcher) => self.on_unwatched(result),
                () = signals.next() => {
                    self.on_signal();
                    if self.signals == 2 {
                        kill = Some(self.kill());
                    }
                }
                result = some(&mut stop), if stop.is_some() => {
                    stop = None;
                    last_output = Some(Instant::now() + LAST_OUTPUT);
                    if let Err(error) = result && error.kind != Kind::Interrupted {
                        failure.get_or_insert(error);
                    }
                }
                result = some(&mut kill), if kill.is_some() => {
                    kill = None;
                    if let Err(error) = result {
                        failure.get_or_insert(error);
                    }
                }
                () = sleep_until(deadline), if deadline.is_some() => break,
            }
        }
        while let Ok(event) = events.try_recv() {
            self.on_event(event);
        }
        failure.map_or(Ok(()), Err)
    }

    /// Offers keyboard shortcuts, where that is wanted and there is a keyboard.
    fn offer_menu(&mut self) {
        if self.attachment.menu {
            let watched = self.watcher.as_ref().map(Watcher::is_on);
            self.menu = Menu::open(watched, &self.sender);
        }
    }

    /// Whether the person wants to leave and nothing stands in the way.
    fn may_leave(&self) -> bool {
        self.detached && !self.watcher.as_ref().is_some_and(Watcher::runs)
    }

    /// Nothing more is started by the plan.
    fn on_started(&mut self) {
        if !self.attachment.watch {
            self.started.cancel();
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.ready();
        }
    }

    /// What a keyboard shortcut asks for.
    fn on_choice(&mut self, choice: Choice) {
        match choice {
            Choice::Watch => self.switch_watch(),
            Choice::Detach => {
                self.detached = true;
                self.unwatch();
                self.menu = None;
            }
        }
    }

    fn switch_watch(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.switch(!watcher.is_on());
            if let Some(menu) = &mut self.menu {
                menu.watches(watcher.is_on());
            }
        }
    }

    fn unwatch(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.switch(false);
        }
    }

    /// Watching has ended; containers run without it too.
    fn on_unwatched(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            let text = format!("files are no longer watched: {error}");
            send(&self.sender, Event::Warning(text));
        }
        if let (Some(watcher), Some(menu)) = (&self.watcher, &mut self.menu) {
            menu.watches(watcher.is_on());
        }
    }

    /// Whether nothing more is to come.
    fn is_over(&self, followed: bool, stop_runs: bool, last_output: Option<Instant>) -> bool {
        if !self.stopping {
            return !followed && !self.attachment.services.is_empty();
        }
        last_output.is_some() && !stop_runs && (!followed || self.live.is_empty())
    }

    /// Progress of the plan, or of stopping.
    fn on_event(&mut self, event: Event) {
        if let Event::Step(step) = &event {
            self.note_start(step);
            if !self.shows_steps && step.status != Status::Error {
                return;
            }
        }
        send(&self.sender, event);
    }

    fn note_start(&mut self, step: &event::Step) {
        if !matches!(step.text.as_str(), "Started" | "Running") {
            return;
        }
        let name = step.id.trim_start_matches("Container ");
        if let Some(origin) = self.origins.get(name) {
            self.live.insert(origin.container.clone());
        }
    }

    /// Output of a container, or its end.
    fn on_line(&mut self, event: Event) {
        if let Event::Exited {
            origin,
            code,
            restarting,
        } = &event
            && !restarting
        {
            self.live.remove(&origin.container);
            self.on_exit(&origin.clone(), *code);
        }
        send(&self.sender, event);
    }

    fn on_exit(&mut self, origin: &Origin, code: i64) {
        if self.attachment.exit_code_from.as_ref() == Some(&origin.service) {
            self.code_from.get_or_insert(code);
        }
        let ends = match self.attachment.on_exit {
            OnExit::GoOn => false,
            OnExit::Stop => true,
            OnExit::StopOnFailure => code != 0,
        };
        if !ends || self.stopping || !self.shown.contains(&origin.container) {
            return;
        }
        self.code = Some(code);
        self.note("Aborting on container exit...", Stream::Stderr);
        self.begin_to_stop();
    }

    fn on_signal(&mut self) {
        self.signals += 1;
        match self.signals {
            1 => {
                self.menu = None;
                self.note(
                    "Gracefully Stopping... press Ctrl+C again to force",
                    Stream::Stdout,
                );
                self.begin_to_stop();
            }
            2 => {}
            _ => leave(),
        }
    }

    fn begin_to_stop(&mut self) {
        self.stopping = true;
        self.menu = None;
        self.unwatch();
        // Nothing more is to be started.
        self.interrupt.cancel();
    }

    fn note(&self, text: &str, stream: Stream) {
        let text = text.to_owned();
        send(&self.sender, Event::Note { text, stream });
    }

    /// The exit code.
    fn end(&self) -> Result<ExitCode, Error> {
        if self.signals > 0 {
            return Err(Error::Exit(INTERRUPTED));
        }
        let code = match self.attachment.exit_code_from {
            Some(_) => self.code_from.unwrap_or(0),
            None => self.code.unwrap_or(0),
        };
        match code {
            0 => Ok(ExitCode::SUCCESS),
            code => Err(Error::exit(code)),
        }
    }
}

fn flatten(
    result: Result<Result<(), run::Error>, tokio::task::JoinError>,
) -> Result<(), run::Error> {
    result.unwrap_or_else(|error| Err(run::Error::new(format!("the plan broke off: {error}"))))
}
