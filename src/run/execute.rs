//! Runs a plan as wide as its edges allow.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::job::Job;
use super::wait::{self, Awaited};
use super::{Error, Kind, container, image, network, pre_start, volume};
use crate::plan::step::{ContainerRef, Step, Wait};
use crate::plan::{self, Action, Plan, StepId};
use crate::report::event::Step as Progress;

/// What a failure means for the steps that have not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// No new step is begun; those under way end.
    Halt,
    /// Only steps that need the failed one are left out: for taking down, where each thing gone
    /// is one less.
    Continue,
}

/// Runs a plan.
///
/// `parallel` limits how many steps run at once, waiting aside.
///
/// # Errors
/// All failures as one, once everything that was under way has ended.
pub async fn execute(
    plan: Plan,
    job: Arc<Job>,
    on_failure: OnFailure,
    parallel: Option<usize>,
) -> Result<(), Error> {
    let mut run = Run::new(Arc::new(plan), job, on_failure, parallel);
    run.begin_ready();
    while let Some(joined) = run.tasks.join_next().await {
        match joined {
            Ok((step, result)) => run.ended(step, result),
            Err(error) => run
                .errors
                .push(Error::new(format!("a step broke off: {error}"))),
        }
        run.begin_ready();
    }
    run.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Begun,
    Done,
    Failed,
    LeftOut,
}

struct Run {
    plan: Arc<Plan>,
    job: Arc<Job>,
    on_failure: OnFailure,
    permits: Option<Arc<Semaphore>>,
    /// By step: whether everything that comes after it does so even when it fails.
    optional: Vec<bool>,
    states: Vec<State>,
    tasks: JoinSet<(StepId, Result<(), Error>)>,
    errors: Vec<Error>,
}

impl Run {
    fn new(plan: Arc<Plan>, job: Arc<Job>, on_failure: OnFailure, parallel: Option<usize>) -> Self {
        let states = vec![State::Waiting; plan.steps.len()];
        Self {
            optional: optional(&plan),
            plan,
            job,
            on_failure,
            permits: parallel.map(|limit| Arc::new(Semaphore::new(limit.max(1)))),
            states,
            tasks: JoinSet::new(),
            errors: Vec::new(),
        }
    }

    /// Begins every step whose predecessors have ended. Steps come after what they wait for, so
    /// one pass settles chains of steps that are left out.
    fn begin_ready(&mut self) {
        for index in 0..self.states.len() {
            if self.states[index] != State::Waiting {
                continue;
            }
            if self.job.halt.is_cancelled() {
                self.states[index] = State::LeftOut;
                continue;
            }
            match self.readiness(&self.plan.steps[index]) {
                Readiness::NotYet => {}
                Readiness::Never => self.states[index] = State::LeftOut,
                Readiness::Ready => self.begin(StepId(index)),
            }
        }
    }

    fn readiness(&self, step: &Step) -> Readiness {
        let mut ready = Readiness::Ready;
        for edge in &step.after {
            match self.states[edge.step.0] {
                State::Waiting | State::Begun => ready = Readiness::NotYet,
                State::Done => {}
                State::Failed | State::LeftOut if edge.required => return Readiness::Never,
                State::Failed | State::LeftOut => {}
            }
        }
        ready
    }

    fn begin(&mut self, step: StepId) {
        self.states[step.0] = State::Begun;
        let plan = Arc::clone(&self.plan);
        let job = Arc::clone(&self.job);
        let permits = self.permits.clone();
        let optional = self.optional[step.0];
        self.tasks.spawn(async move {
            let action = &plan.step(step).action;
            let _permit = match permits {
                Some(permits) if is_limited(action) => permits.acquire_owned().await.ok(),
                _ => None,
            };
            let result = perform(&job, step, action, optional).await;
            (step, result)
        });
    }

    fn ended(&mut self, step: StepId, result: Result<(), Error>) {
        let Err(error) = result else {
            self.states[step.0] = State::Done;
            return;
        };
        self.states[step.0] = State::Failed;
        if error.kind == Kind::Interrupted {
            return;
        }
        if self.optional[step.0] {
            self.job.warn(error.message);
            return;
        }
        self.errors.push(error);
        if self.on_failure == OnFailure::Halt {
            self.job.halt.cancel();
        }
    }

    fn finish(self) -> Result<(), Error> {
        if self.job.interrupt.is_cancelled() {
            return Err(Error::interrupted());
        }
        match Error::join(self.errors) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// For each step, whether something comes after it, and all of that even when it fails.
fn optional(plan: &Plan) -> Vec<bool> {
    let mut needed = vec![false; plan.steps.len()];
    let mut followed = needed.clone();
    for edge in plan.steps.iter().flat_map(|step| &step.after) {
        followed[edge.step.0] = true;
        needed[edge.step.0] |= edge.required;
    }
    let pairs = followed.into_iter().zip(needed);
    pairs
        .map(|(followed, needed)| followed && !needed)
        .collect()
}

enum Readiness {
    Ready,
    NotYet,
    Never,
}

/// Whether a step counts against the limit of steps at once.
fn is_limited(action: &Action) -> bool {
    !matches!(
        action,
        Action::Wait(_) | Action::Created | Action::Started | Action::Keep { .. }
    )
}

async fn perform(job: &Job, step: StepId, action: &Action, optional: bool) -> Result<(), Error> {
    match action {
        Action::Pull(wanted) => {
            if job.until_halt(image::pull(job, wanted)).await? {
                job.pulled(step);
            }
            Ok(())
        }
        Action::Build {
            service,
            unless_pulled,
            ..
        } => {
            if unless_pulled.is_some_and(|pull| job.was_pulled(pull)) {
                return Ok(());
            }
            job.until_halt(image::build(job, service)).await
        }
        Action::CreateNetwork { key, name } => network::create(job, key, name).await,
        Action::RemoveNetwork { id, name, required } => {
            network::remove(job, id, name, *required).await
        }
        Action::Connect {
            network,
            key,
            container,
            service,
            ..
        } => {
            let endpoint = plan::container::endpoint(service, &container.name, key);
            network::connect(job, network, &job.id(container)?, endpoint).await
        }
        Action::Disconnect {
            network,
            name,
            container,
        } => network::disconnect(job, network, name, &job.id(container)?).await,
        Action::CreateVolume { key, name } => volume::create(job, key, name).await,
        Action::RemoveVolume { name, required } => volume::remove(job, name, *required).await,
        Action::RemoveImage { image } => image::remove(job, image).await,
        Action::Create(wanted) => {
            job.made(step, container::create(job, wanted).await?);
            Ok(())
        }
        Action::Recreate {
            old,
            create,
            temporary_name,
            timeout,
        } => {
            let made = container::recreate(job, old, create, temporary_name, *timeout).await;
            job.made(step, made?);
            Ok(())
        }
        Action::Keep { container, running } => {
            if *running {
                let id = container::step_id(&container.name);
                job.tell(Progress::done(id, "Running"));
            }
            Ok(())
        }
        Action::Created => job.pass_gate().await,
        Action::Started => Ok(()),
        Action::PreStart {
            service,
            hook,
            container,
        } => pre_start::run(job, service, *hook, container).await,
        Action::Start(wanted) => container::start(job, wanted).await,
        Action::Wait(wanted) => job.until_halt(wait_for(job, wanted, optional)).await,
        Action::Stop(wanted) => container::stop(job, wanted).await,
        Action::Restart { stop, post_start } => container::restart(job, stop, post_start).await,
        Action::Kill { container, signal } => container::kill(job, container, signal).await,
        Action::Pause { container } => container::freeze(job, container, true).await,
        Action::Unpause { container } => container::freeze(job, container, false).await,
        Action::Remove {
            container,
            volumes,
            force,
        } => container::remove(job, container, *volumes, *force).await,
    }
}

async fn wait_for(job: &Job, wanted: &Wait, optional: bool) -> Result<(), Error> {
    let containers = wanted
        .containers
        .iter()
        .map(|container| awaited(job, container))
        .collect::<Result<Vec<_>, _>>()?;
    let deadline = wanted
        .timeout
        .filter(|seconds| *seconds > 0)
        .map(|seconds| {
            let allowed = Duration::from_secs(seconds);
            (Instant::now() + allowed, allowed)
        });
    let condition = wait::Condition {
        service: &wanted.service,
        until: wanted.until,
        containers: &containers,
        for_dependents: !wanted.dependents.is_empty(),
        optional,
        deadline,
    };
    match &job.hub {
        Some(hub) if !wanted.satisfied => {
            wait::wait(hub, &job.engine.docker, &condition, &job.sender).await
        }
        _ => {
            wait::tell_met(&condition, &job.sender);
            Ok(())
        }
    }
}

fn awaited(job: &Job, container: &ContainerRef) -> Result<Awaited, Error> {
    Ok(Awaited {
        id: job.id(container)?,
        name: container.name.clone(),
    })
}
