//! A project, an engine, and what it takes to run plans on it: what most commands share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Context, Error};
use crate::compose::model::{MountType, Service};
use crate::compose::{Diagnostic, LoadError, Project, SourceMap};
use crate::connect::Engine;
use crate::plan::observed::Observed;
use crate::plan::reconcile::Scope;
use crate::plan::{self, Plan, PlanError};
use crate::report::Excerpt;
use crate::report::event;
use crate::run::execute::{OnFailure, execute};
use crate::run::job::Job;
use crate::run::observe::{self, Wants};
use crate::run::{self, rehearse};
use crate::ui;

/// A project on an engine.
#[derive(Debug)]
pub(super) struct Session<'c> {
    /// The surroundings of the command.
    pub(super) context: &'c Context,
    /// The engine.
    pub(super) engine: Engine,
    /// What holds for the whole invocation.
    pub(super) settings: plan::Settings,
    /// The project's name.
    pub(super) name: String,
    /// The project, where its files are at hand.
    pub(super) project: Option<Arc<Project>>,
    /// Variables that providers have given so far, by the dependent's name: later plans of the same command need them too.
    pub(super) provided: Mutex<Provided>,
    sources: SourceMap,
}

/// Variables of providers by the name of the service that gets them.
pub(super) type Provided = BTreeMap<String, BTreeMap<String, String>>;

impl<'c> Session<'c> {
    /// Loads the project from its files and connects.
    pub(super) async fn open(context: &'c Context, services: &[String]) -> Result<Self, Error> {
        let loaded = context.load_project(services)?;
        let name = loaded.project.name.clone();
        Self::connect(context, name, Some(loaded.project), loaded.sources).await
    }

    /// Loads the project where there are files to load, and connects.
    pub(super) async fn open_by_name(
        context: &'c Context,
        services: &[String],
    ) -> Result<Self, Error> {
        let (loaded, name) = context.project_or_name(services)?;
        let (project, sources) = loaded.map_or_else(
            || (None, SourceMap::default()),
            |loaded| (Some(loaded.project), loaded.sources),
        );
        Self::connect(context, name, project, sources).await
    }

    async fn connect(
        context: &'c Context,
        name: String,
        project: Option<Project>,
        sources: SourceMap,
    ) -> Result<Self, Error> {
        let engine = context.engine().await?;
        let settings = plan::Settings {
            separator: if context.compatibility() { '_' } else { '-' },
            strict: context.strict(),
            api: engine.api,
        };
        Ok(Self {
            context,
            engine,
            settings,
            name,
            project: project.map(Arc::new),
            provided: Mutex::default(),
            sources,
        })
    }

    /// The project.
    pub(super) fn project(&self) -> Result<&Arc<Project>, Error> {
        self.project
            .as_ref()
            .ok_or_else(|| Error::user("this command needs the project's compose files"))
    }

    /// Enables services in spite of their profiles.
    pub(super) fn enable(&mut self, services: &[String]) {
        let Some(project) = &mut self.project else {
            return;
        };
        for name in services {
            if project.disabled_services.contains_key(name) {
                let project = Arc::make_mut(project);
                if let Some(service) = project.disabled_services.remove(name) {
                    project.services.insert(name.clone(), service);
                }
            }
        }
    }

    /// Looks at the engine.
    pub(super) async fn observe(&self, wants: &Wants) -> Result<Observed, Error> {
        Ok(observe::observe(&self.engine, wants).await?)
    }

    /// What there is to look at for creating these services (all where none is named).
    pub(super) fn wants_for_up(&self, project: &Project, services: &[String]) -> Wants {
        let mut wants = self.wants_for_down(true);
        for service in closure(project, services) {
            wants
                .images
                .extend(images_of(project, service, self.settings.separator));
        }
        wants.volumes = !project.volumes.is_empty();
        wants
    }

    /// What there is to look at for removing the project.
    pub(super) fn wants_for_down(&self, volumes: bool) -> Wants {
        let mut wants = Wants::containers(&self.name);
        wants.networks = true;
        wants.volumes = volumes;
        if let Some(project) = &self.project {
            let networks = project.networks.iter();
            wants.network_names = networks
                .map(|(key, network)| plan::names::network(&self.name, key, network))
                .collect();
            let volumes = project.volumes.iter();
            wants.volume_names = volumes
                .map(|(key, volume)| plan::names::volume(&self.name, key, volume))
                .collect();
        }
        wants
    }

    /// What the command works on: the project, or what labels tell.
    pub(super) fn scope(&self, observed: &Observed) -> Scope {
        match &self.project {
            Some(project) => Scope::of(project),
            None => Scope::observed(&self.name, observed),
        }
    }

    /// Shows warnings with their places, before any progress.
    pub(super) fn warn(&self, warnings: &[Diagnostic]) -> Result<(), Error> {
        self.context.show_warnings(warnings, &self.sources)
    }

    /// A plan that cannot be made, with its places.
    pub(super) fn plan_error(&self, error: PlanError) -> Error {
        LoadError {
            diagnostics: error.diagnostics,
            sources: self.sources.clone(),
        }
        .into()
    }

    /// A failure, with the place of the attribute it has to do with.
    pub(super) fn run_error(&self, error: run::Error) -> Error {
        match &self.project {
            Some(project) => with_place(error, project, &self.sources),
            None => Error::Run(error),
        }
    }

    /// A job whose events go to `sender`.
    pub(super) fn job(&self, sender: event::Sender) -> Job {
        let job = Job::new(self.engine.clone(), &self.name, self.settings, sender);
        match &self.project {
            Some(project) => job.with_project(Arc::clone(project)),
            None => job,
        }
    }

    /// Runs a plan and shows its progress under a title. With `--dry-run` it is only told.
    pub(super) async fn perform(&self, plan: Plan, work: Work<'_>) -> Result<(), Error> {
        self.warn(&plan.warnings)?;
        if self.context.dry_run() {
            return self.rehearse(&plan, work.title).await;
        }
        if plan.steps.is_empty() {
            return Ok(());
        }
        let (sender, screen) = self.context.progress(work.title);
        let interrupt = until_signal();
        let job = self
            .job(sender)
            .interrupted_by(&interrupt)
            .listening_for(&plan, &work.observed.containers);
        let job = (work.adjust)(job);
        let parallel = self.context.settings.parallel;
        let result = execute(plan, Arc::new(job), work.on_failure, parallel).await;
        screen.finish().await;
        result.map_err(|error| self.run_error(error))
    }

    /// Tells what a plan would do, as progress, and why.
    pub(super) async fn rehearse(&self, plan: &Plan, title: &'static str) -> Result<(), Error> {
        let (sender, screen) = self.context.progress(title);
        rehearse::rehearse(plan, &sender);
        drop(sender);
        screen.finish().await;
        let lines = plan::explain::lines(plan);
        if lines.is_empty() {
            return Ok(());
        }
        Ok(ui::out::stdout(&(lines.join("\n") + "\n"))?)
    }
}

/// A failure, with the place of the attribute it has to do with.
pub(super) fn with_place(mut error: run::Error, project: &Project, sources: &SourceMap) -> Error {
    if let Some(excerpt) = &mut error.excerpt {
        move_into_compose_file(excerpt, project, sources);
        return Error::Run(error);
    }
    let path: Vec<&str> = error.path.iter().map(String::as_str).collect();
    if path
        .first()
        .is_some_and(|key| project.tree.get(key).is_some())
    {
        let place = sources.locate(project.span_of(&path));
        let place = format!("\n  at {place} ({})", error.path.join("."));
        error.message.push_str(&place);
    }
    Error::Run(error)
}

/// Lines of a text that stands in a compose file → the lines of that file.
fn move_into_compose_file(excerpt: &mut Excerpt, project: &Project, sources: &SourceMap) {
    let path: Vec<&str> = excerpt.path.iter().map(String::as_str).collect();
    if path
        .first()
        .is_none_or(|key| project.tree.get(key).is_none())
    {
        return;
    }
    let span = project.span_of(&path);
    let source = sources.get(span.source);
    let written = source.text.get(span.start as usize..span.end as usize);
    // Lines of other styles are not those of the value.
    excerpt.lines = if written.is_some_and(|text| text.starts_with('|')) {
        (excerpt.lines.0 + span.line, excerpt.lines.1 + span.line)
    } else {
        (span.line, span.line)
    };
    excerpt.file.clone_from(&source.name);
    excerpt.text = source.text.to_string();
    excerpt.path.clear();
}

/// How a plan is run.
pub(super) struct Work<'w> {
    /// Title of the progress.
    pub(super) title: &'static str,
    /// What a failure means for the rest.
    pub(super) on_failure: OnFailure,
    /// What the plan was made from.
    pub(super) observed: &'w Observed,
    /// Changes to the job.
    pub(super) adjust: fn(Job) -> Job,
}

impl<'w> Work<'w> {
    /// Work that stops at the first failure.
    pub(super) fn new(title: &'static str, observed: &'w Observed) -> Self {
        Self {
            title,
            on_failure: OnFailure::Halt,
            observed,
            adjust: std::convert::identity,
        }
    }

    /// Work that does what it can in spite of failures.
    pub(super) fn thorough(title: &'static str, observed: &'w Observed) -> Self {
        Self {
            on_failure: OnFailure::Continue,
            ..Self::new(title, observed)
        }
    }
}

/// The named services and all they depend on.
fn closure<'p>(project: &'p Project, services: &[String]) -> Vec<&'p Service> {
    if services.is_empty() {
        return project.services.values().collect();
    }
    let mut todo: VecDeque<&str> = services.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(name) = todo.pop_front() {
        if let (Some(service), true) = (project.services.get(name), seen.insert(name)) {
            found.push(service);
            todo.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    found
}

/// Images a service is made from: its own, those of its hooks and of its image mounts.
fn images_of(project: &Project, service: &Service, separator: char) -> Vec<String> {
    let mut images = Vec::new();
    if service.provider.is_none() {
        images.push(plan::names::image(&project.name, service, separator));
    }
    let hooks = service.pre_start.iter();
    images.extend(hooks.filter_map(|hook| hook.image.clone()));
    let mounts = service.volumes.iter();
    images.extend(
        mounts
            .filter(|mount| mount.kind == MountType::Image)
            .filter_map(|mount| mount.source.clone()),
    );
    images
}

/// A token that the first SIGINT or SIGTERM cancels. The second ends the program at once.
pub(super) fn until_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let first = token.clone();
    tokio::spawn(async move {
        let mut signals = Signals::new();
        signals.next().await;
        first.cancel();
        signals.next().await;
        leave();
    });
    token
}

/// Exit code of a program ended by a signal.
pub(super) const INTERRUPTED: u8 = 130;

/// Ends the program at once: the person has asked more than once.
#[expect(
    clippy::disallowed_methods,
    reason = "whatever main waits for is what the person does not want to wait for"
)]
pub(super) fn leave() -> ! {
    std::process::exit(INTERRUPTED.into())
}

/// SIGINT and SIGTERM, or Ctrl-C where there are no signals.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    last: Option<Instant>,
}

/// Signals closer together than this are one: programs such as `timeout` and `make` pass on what
/// the terminal has sent to the whole group already.
const SAME_SIGNAL: Duration = Duration::from_millis(15);

impl Signals {
    /// Begins to listen.
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
            last: None,
        }
    }

    /// Begins to listen.
    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        loop {
            self.any().await;
            let now = Instant::now();
            let echo = self
                .last
                .is_some_and(|last| now.duration_since(last) < SAME_SIGNAL);
            if !echo {
                self.last = Some(now);
                return;
            }
        }
    }

    #[cfg(unix)]
    async fn any(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => {
                    signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => {}
            () = one(&mut self.terminate) => {}
        }
    }

    #[cfg(not(unix))]
    async fn any(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
