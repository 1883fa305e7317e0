//! What all steps of one running plan share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::CancellationToken;

use super::events::Hub;
use super::{Error, observe};
use crate::compose::Project;
use crate::connect::Engine;
use crate::plan::step::{ContainerRef, Origin, StepId};
use crate::plan::{Plan, Settings};
use crate::report::event::{Event, Sender, Step, send};

/// What all steps of one running plan share.
#[derive(Debug)]
pub struct Job {
    /// The engine.
    pub engine: Engine,
    /// The project; absent for commands that work from labels alone.
    pub project: Option<Arc<Project>>,
    /// The project's name.
    pub project_name: String,
    /// What holds for the whole invocation.
    pub settings: Settings,
    /// Where events go.
    pub sender: Sender,
    /// The subscription that waits are answered from.
    pub hub: Option<Hub>,
    /// Whether the output of hooks is sent as log lines.
    pub hook_output: bool,
    /// How builds are done.
    pub build: BuildSettings,
    /// `--quiet-pull`: pulls are told without their layers.
    pub quiet_pull: bool,
    /// The person wants it all to end.
    pub interrupt: CancellationToken,
    /// No new step is begun, and waits end; also after a failure.
    pub halt: CancellationToken,
    ids: Mutex<HashMap<StepId, String>>,
    pulls: Mutex<HashSet<StepId>>,
    images: Mutex<HashMap<String, Arc<OnceCell<Option<String>>>>>,
    gate: Mutex<Option<Gate>>,
}

/// How builds are done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildSettings {
    /// Whether their output is left out.
    pub quiet: bool,
    /// `DOCKER_BUILDKIT=0`: by the engine's first builder.
    pub classic: bool,
}

/// Stops a plan between creating and starting.
#[derive(Debug)]
struct Gate {
    reached: oneshot::Sender<()>,
    proceed: oneshot::Receiver<()>,
}

/// The other side of a gate: waits until everything is created, then lets the plan go on.
#[derive(Debug)]
pub struct Gatekeeper {
    /// Ends when everything is created; fails when the plan ended before.
    pub reached: oneshot::Receiver<()>,
    /// Lets the plan go on.
    pub proceed: oneshot::Sender<()>,
}

impl Job {
    /// A job with nothing unusual about it.
    pub fn new(
        engine: Engine,
        project_name: impl Into<String>,
        settings: Settings,
        sender: Sender,
    ) -> Self {
        let interrupt = CancellationToken::new();
        let halt = interrupt.child_token();
        Self {
            engine,
            project: None,
            project_name: project_name.into(),
            settings,
            sender,
            hub: None,
            hook_output: false,
            build: BuildSettings::default(),
            quiet_pull: false,
            interrupt,
            halt,
            ids: Mutex::default(),
            pulls: Mutex::default(),
            images: Mutex::default(),
            gate: Mutex::default(),
        }
    }

    /// With the project's files at hand.
    #[must_use]
    pub fn with_project(mut self, project: Arc<Project>) -> Self {
        self.project = Some(project);
        self
    }

    /// With another token that ends it all.
    #[must_use]
    pub fn interrupted_by(mut self, token: &CancellationToken) -> Self {
        self.interrupt = token.clone();
        self.halt = token.child_token();
        self
    }

    /// Subscribes to events when the plan has something to wait for. `seen` are the containers
    /// as observed on this connection.
    #[must_use]
    pub fn listening_for(mut self, plan: &Plan, seen: &[crate::plan::observed::Container]) -> Self {
        use crate::plan::Action;
        let waits = plan.steps.iter().any(|step| match &step.action {
            Action::Wait(wait) => !wait.satisfied,
            _ => false,
        });
        if waits {
            self.hub = Some(Hub::subscribe(&self.engine, &self.project_name, seen));
        }
        self
    }

    /// Makes the plan stop between creating and starting.
    pub fn gate(&self) -> Gatekeeper {
        let (reached, reached_receiver) = oneshot::channel();
        let (proceed_sender, proceed) = oneshot::channel();
        *self.lock(&self.gate) = Some(Gate { reached, proceed });
        Gatekeeper {
            reached: reached_receiver,
            proceed: proceed_sender,
        }
    }

    /// Passes the gate, where there is one.
    pub(super) async fn pass_gate(&self) -> Result<(), Error> {
        let Some(gate) = self.lock(&self.gate).take() else {
            return Ok(());
        };
        let _ = gate.reached.send(());
        tokio::select! {
            () = self.halt.cancelled() => Err(Error::interrupted()),
            // A keeper who left does not hold the plan up.
            _ = gate.proceed => Ok(()),
        }
    }

    /// The project.
    ///
    /// # Errors
    /// When the command works from labels alone.
    pub(super) fn project(&self) -> Result<&Arc<Project>, Error> {
        self.project
            .as_ref()
            .ok_or_else(|| Error::new("this needs the project's compose files"))
    }

    /// Sends a step of progress.
    pub(super) fn tell(&self, step: Step) {
        send(&self.sender, step);
    }

    /// Sends a warning.
    pub(super) fn warn(&self, text: impl Into<String>) {
        send(&self.sender, Event::Warning(text.into()));
    }

    /// Id of a container that exists or was made by an earlier step.
    pub(super) fn id(&self, container: &ContainerRef) -> Result<String, Error> {
        match &container.origin {
            Origin::Existing(id) => Ok(id.clone()),
            Origin::Created(step) => {
                self.lock(&self.ids).get(step).cloned().ok_or_else(|| {
                    Error::new(format!("container {} was not created", container.name))
                })
            }
        }
    }

    /// Remembers the container a step made.
    pub(super) fn made(&self, step: StepId, id: String) {
        self.lock(&self.ids).insert(step, id);
    }

    /// The container a step made, if it did.
    pub fn made_by(&self, step: StepId) -> Option<String> {
        self.lock(&self.ids).get(&step).cloned()
    }

    /// Id of an image; asked once for each image.
    pub(super) async fn image_id(&self, image: &str) -> Result<Option<String>, Error> {
        let cell = Arc::clone(self.lock(&self.images).entry(image.to_owned()).or_default());
        let id = cell
            .get_or_try_init(|| async {
                let wanted = [image.to_owned()].into();
                let mut found: BTreeMap<_, _> = observe::images(&self.engine, &wanted).await?;
                Ok::<_, Error>(found.remove(image).map(|image| image.id))
            })
            .await?;
        Ok(id.clone())
    }

    /// Remembers that a pull succeeded.
    pub(super) fn pulled(&self, step: StepId) {
        self.lock(&self.pulls).insert(step);
    }

    /// Whether a pull succeeded.
    pub(super) fn was_pulled(&self, step: StepId) -> bool {
        self.lock(&self.pulls).contains(&step)
    }

    /// Runs something that ends early when the person interrupts.
    pub(super) async fn until_interrupt<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.interrupt.cancelled() => Err(Error::interrupted()),
            result = work => result,
        }
    }

    /// Runs something that ends early when the person interrupts or another step fails.
    pub(super) async fn until_halt<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.halt.cancelled() => Err(Error::interrupted()),
            result = work => result,
        }
    }

    #[expect(clippy::unused_self, reason = "reads as a method where it is used")]
    fn lock<'m, T>(&self, mutex: &'m Mutex<T>) -> std::sync::MutexGuard<'m, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
