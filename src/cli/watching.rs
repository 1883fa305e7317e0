//! What `watch` and `up --watch` do when files change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Error;
use super::creation::{self, Making};
use super::session::Session;
use super::settings::truth;
use crate::compose::Project;
use crate::compose::model::WatchAction;
use crate::compose::node::Value;
use crate::plan::options::{Build, Recreate, Restart, Up};
use crate::plan::{Plan, reconcile};
use crate::report::event::{self, Event, Sender, Stream, send};
use crate::run;
use crate::run::build::{self, BuildOptions};
use crate::run::execute::{OnFailure, execute};
use crate::run::observe::Wants;
use crate::run::select::{self, Target, Wanted};
use crate::run::watch::{Changes, Rule, prune, run_command, sync, sync_initially};
use crate::ui;
use crate::ui::screen::Screen;

/// What `initial_sync` was called once.
const OLD_INITIAL_SYNC: &str = "x-initialSync";

/// How to watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Remove images that a rebuild left without a name.
    pub(super) prune: bool,
    /// Show nothing of builds.
    pub(super) quiet: bool,
    /// `--no-build`: nothing may be built.
    pub(super) no_build: bool,
}

/// Rules, and what they are followed with.
pub(super) struct Watching<'s> {
    session: &'s Session<'s>,
    project: Arc<Project>,
    rules: Arc<Vec<Rule>>,
    /// What the rules have that is probably not meant.
    warnings: Vec<String>,
    options: Options,
    /// Ends what is under way.
    token: CancellationToken,
    /// Where everything is shown; nothing where this is on its own.
    sender: Option<Sender>,
}

impl<'s> Watching<'s> {
    /// Reads the rules of the services (all where none is named), before anything is started.
    pub(super) fn prepare(
        session: &'s Session<'s>,
        services: &[String],
        options: Options,
        token: CancellationToken,
    ) -> Result<Self, Error> {
        let project = Arc::clone(session.project()?);
        let chosen = |name: &String| services.is_empty() || services.contains(name);
        let (mut rules, mut warnings) = (Vec::new(), Vec::new());
        for (name, service) in &project.services {
            if !chosen(name) {
                continue;
            }
            let found = Rule::of_service(service);
            let (mut found, mut doubts) = found.map_err(|error| session.run_error(error))?;
            for rule in &mut found {
                if asks_in_the_old_way(rule) {
                    rule.trigger.initial_sync = true;
                    doubts.push(format!(
                        "{OLD_INITIAL_SYNC} is DEPRECATED, please use the official `initial_sync` attribute"
                    ));
                }
            }
            rules.append(&mut found);
            warnings.append(&mut doubts);
        }
        if rules.is_empty() {
            return Err(
                Error::user("none of the selected services is configured for watch")
                    .help("give a service a `develop` section with `watch`"),
            );
        }
        let builds = |rule: &&Rule| rule.trigger.action == WatchAction::Rebuild;
        if let (true, Some(rule)) = (options.no_build, rules.iter().find(builds)) {
            return Err(Error::user(format!(
                "--no-build is incompatible with watch action rebuild in service {}",
                rule.service
            )));
        }
        Ok(Self {
            session,
            project,
            rules: Arc::new(rules),
            warnings,
            options,
            token,
            sender: None,
        })
    }

    /// The same, shown on a screen that shows other things too.
    pub(super) fn shown_by(self, sender: Sender) -> Self {
        Self {
            sender: Some(sender),
            ..self
        }
    }

    /// The same, until another token is cancelled; without the warnings, which are told once.
    pub(super) fn until(&mut self, token: CancellationToken) -> Self {
        Self {
            session: self.session,
            project: Arc::clone(&self.project),
            rules: Arc::clone(&self.rules),
            warnings: std::mem::take(&mut self.warnings),
            options: self.options,
            token,
            sender: self.sender.clone(),
        }
    }

    /// Watches until the token is cancelled. What fails on the way is told, and watching goes on.
    pub(super) async fn run(&self) -> Result<(), Error> {
        for warning in &self.warnings {
            self.warn(warning)?;
        }
        let roots = self.rules.iter().map(|rule| rule.root.as_path());
        let mut changes = Changes::watch(roots)?;
        self.copy_initially().await?;
        self.say("Watch enabled")?;
        loop {
            let changed = tokio::select! {
                () = self.token.cancelled() => break,
                changed = changes.next() => changed?,
            };
            if let Err(error) = self.react(&changed).await {
                if self.token.is_cancelled() {
                    break;
                }
                self.say(&format!("Error handling changed files: {error}"))?;
            }
        }
        self.say("Watch disabled")
    }

    async fn copy_initially(&self) -> Result<(), Error> {
        for rule in self.rules.iter() {
            if rule.trigger.initial_sync && rule.copies() {
                let targets = self.targets(&rule.service, true).await?;
                sync_initially(&self.session.engine, &targets, rule).await?;
            }
        }
        Ok(())
    }

    /// Does what the rules say about changed files: builds, copies, restarts, runs commands.
    async fn react(&self, changed: &BTreeSet<PathBuf>) -> Result<(), Error> {
        let mut rebuild = BTreeSet::new();
        let mut restart = BTreeSet::new();
        let mut copies: BTreeMap<&str, Vec<(&Rule, PathBuf)>> = BTreeMap::new();
        let mut commands = Vec::new();
        for rule in self.rules.iter() {
            let mut matching = Vec::new();
            for path in changed {
                let files = rule.concerned(path)?.into_iter();
                matching.extend(files.map(|file| (rule, file)));
            }
            if matching.is_empty() {
                continue;
            }
            if rule.copies() {
                copies.entry(&rule.service).or_default().extend(matching);
            }
            match rule.trigger.action {
                WatchAction::Rebuild => {
                    rebuild.insert(rule.service.clone());
                }
                WatchAction::Restart | WatchAction::SyncRestart => {
                    restart.insert(rule.service.clone());
                }
                WatchAction::SyncExec => commands.push(rule),
                WatchAction::Sync => {}
            }
        }
        if !rebuild.is_empty() {
            self.rebuild(rebuild.into_iter().collect()).await?;
        }
        for (service, files) in copies {
            self.copy(service, files).await?;
        }
        if !restart.is_empty() {
            self.restart(restart.into_iter().collect()).await?;
        }
        for rule in commands {
            self.command(rule).await?;
        }
        Ok(())
    }

    async fn copy(&self, service: &str, files: Vec<(&Rule, PathBuf)>) -> Result<(), Error> {
        self.say(&format!(
            "Syncing service {service:?} after {} changes were detected",
            files.len()
        ))?;
        let targets = self.targets(service, true).await?;
        let files = files.iter().map(|(rule, file)| (*rule, file.as_path()));
        sync(&self.session.engine, &targets, files).await?;
        Ok(())
    }

    async fn command(&self, rule: &Rule) -> Result<(), Error> {
        let targets = self.targets(&rule.service, false).await?;
        let (sender, screen) = self.progress("Running");
        let running = targets
            .iter()
            .map(|target| run_command(&self.session.engine, target, &rule.trigger.exec, &sender));
        let results = futures::future::join_all(running).await;
        drop(sender);
        finish(screen).await;
        let errors = results.into_iter().filter_map(Result::err).collect();
        run::Error::join(errors).map_or(Ok(()), |error| Err(error.into()))
    }

    async fn restart(&self, services: Vec<String>) -> Result<(), Error> {
        let words = format!("service(s) {services:?} restarted");
        let observed = self
            .session
            .observe(&Wants::containers(&self.session.name))
            .await?;
        let options = Restart {
            services,
            no_deps: false,
            timeout: None,
        };
        let plan = reconcile::restart(&self.session.scope(&observed), &observed, &options)
            .map_err(|error| self.session.plan_error(error))?;
        self.perform(plan, &observed.containers).await?;
        self.say(&words)
    }

    async fn rebuild(&self, services: Vec<String>) -> Result<(), Error> {
        let words = format!("{services:?}");
        self.say(&format!(
            "Rebuilding service(s) {words} after changes were detected..."
        ))?;
        let built = self.build(&services).await;
        let built = built.inspect_err(|error| {
            // That the build failed is told by the caller too.
            let _ = self.say(&format!("Build failed. Error: {error}"));
        })?;
        if self.options.prune {
            let keep: Vec<&str> = built.values().map(String::as_str).collect();
            prune(&self.session.engine, &self.session.name, &keep).await?;
        }
        self.say(&format!("service(s) {words} successfully built"))?;
        let mut options = Up {
            services,
            no_deps: true,
            recreate: Recreate::Force,
            inherit_volumes: true,
            ignore_orphans: true,
            start: true,
            build: Build::Never,
            now: creation::now(),
            ..Up::default()
        };
        let prepared = creation::prepare(self.session, &mut options, Making::default()).await?;
        self.perform(prepared.plan, &prepared.observed.containers)
            .await
    }

    async fn build(&self, services: &[String]) -> Result<BTreeMap<String, String>, Error> {
        let context = self.session.context;
        let options = BuildOptions {
            separator: context.compatibility().then_some('_'),
            default_platform: context.env.get("DOCKER_DEFAULT_PLATFORM").cloned(),
            single_platform: true,
            parallel: context.settings.parallel,
            classic: context
                .env
                .get("DOCKER_BUILDKIT")
                .is_some_and(|value| !truth(value)),
            ..BuildOptions::default()
        };
        let (sender, screen) = if self.options.quiet {
            (event::nobody(), None)
        } else {
            self.progress("Building")
        };
        let engine = &self.session.engine;
        let built = tokio::select! {
            () = self.token.cancelled() => Err(run::Error::interrupted()),
            built = build::build_services(engine, &self.project, services, &options, &sender) => built,
        };
        drop(sender);
        finish(screen).await;
        built.map_err(|error| self.session.run_error(error))
    }

    async fn perform(
        &self,
        plan: Plan,
        seen: &[crate::plan::observed::Container],
    ) -> Result<(), Error> {
        let (sender, screen) = self.progress("Running");
        let job = self
            .session
            .job(sender)
            .interrupted_by(&self.token)
            .listening_for(&plan, seen);
        let parallel = self.session.context.settings.parallel;
        let result = execute(plan, Arc::new(job), OnFailure::Halt, parallel).await;
        finish(screen).await;
        result.map_err(|error| self.session.run_error(error))
    }

    async fn targets(&self, service: &str, stopped: bool) -> Result<Vec<Target>, Error> {
        let services = [service.to_owned()];
        let wanted = Wanted {
            project: &self.session.name,
            services: &services,
            stopped,
            one_offs: false,
        };
        Ok(select::containers(&self.session.engine.docker, wanted).await?)
    }

    /// Where progress goes, and the screen to wait for where it is one of its own.
    fn progress(&self, title: &'static str) -> (Sender, Option<Screen>) {
        if let Some(sender) = &self.sender {
            return (sender.clone(), None);
        }
        let (sender, screen) = self.session.context.progress(title);
        (sender, Some(screen))
    }

    fn say(&self, text: &str) -> Result<(), Error> {
        let line = ui::watch::line(text, self.session.context.settings.color_stdout);
        let Some(sender) = &self.sender else {
            return Ok(ui::out::stdout(&(line + "\n"))?);
        };
        let stream = Stream::Stdout;
        send(sender, Event::Note { text: line, stream });
        Ok(())
    }

    fn warn(&self, text: &str) -> Result<(), Error> {
        let Some(sender) = &self.sender else {
            let color = self.session.context.settings.color_stderr;
            return Ok(ui::out::stderr(&ui::warning::text(text, color))?);
        };
        send(sender, Event::Warning(text.to_owned()));
        Ok(())
    }
}

async fn finish(screen: Option<Screen>) {
    if let Some(screen) = screen {
        screen.finish().await;
    }
}

fn asks_in_the_old_way(rule: &Rule) -> bool {
    let old = rule.trigger.extensions.get(OLD_INITIAL_SYNC);
    old.is_some_and(|node| node.value == Value::Bool(true))
}
