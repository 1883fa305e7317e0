//! What `up` and `create` share: images first, then the plan of everything else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::session::{Session, until_signal};
use super::{Context, Error, prompt, providers};
use crate::compose::Project;
use crate::plan::observed::Observed;
use crate::plan::options::{Build, Recreate, Up};
use crate::plan::{Action, Plan, reconcile};
use crate::run::execute::{OnFailure, execute};
use crate::run::job::{BuildSettings, Job};
use crate::run::observe;

/// How images are made and questions answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Making {
    /// `--quiet-pull`.
    pub(super) quiet_pull: bool,
    /// `--quiet-build`.
    pub(super) quiet_build: bool,
    /// `--yes`.
    pub(super) yes: bool,
}

/// Everything is decided and the images are there.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What is on the engine.
    pub(super) observed: Observed,
    /// What is to be done.
    pub(super) plan: Plan,
}

/// Makes the images, then the plan of the rest.
pub(super) async fn prepare(
    session: &Session<'_>,
    options: &mut Up,
    making: Making,
) -> Result<Prepared, Error> {
    let project = Arc::clone(session.project()?);
    check_services(&project, &options.services)?;
    options.all_resources = session.context.global.all_resources;
    let wants = session.wants_for_up(&project, &options.services);
    let mut observed = session.observe(&wants).await?;
    confirm_volumes(&project, &observed, options, making)?;
    let settings = &session.settings;
    let plan = reconcile::images(&project, &observed, settings, options)
        .map_err(|error| session.plan_error(error))?;
    session.warn(&plan.warnings)?;
    if !plan.steps.is_empty() {
        make_images(session, plan, making).await?;
        if !session.context.dry_run() {
            observed.images = observe::images(&session.engine, &wants.images).await?;
        }
    }
    providers::up(session, options).await?;
    let plan = reconcile::up(&project, &observed, settings, options)
        .map_err(|error| session.plan_error(error))?;
    Ok(Prepared { observed, plan })
}

fn check_services(project: &Project, services: &[String]) -> Result<(), Error> {
    match services
        .iter()
        .find(|name| !project.services.contains_key(*name))
    {
        Some(name) => Err(Error::no_such_service(name, project)),
        None => Ok(()),
    }
}

async fn make_images(session: &Session<'_>, plan: Plan, making: Making) -> Result<(), Error> {
    let building = |step: &crate::plan::Step| matches!(step.action, Action::Build { .. });
    let title = if plan.steps.iter().any(building) {
        "Building"
    } else {
        "Pulling"
    };
    if session.context.dry_run() {
        return session.rehearse(&plan, title).await;
    }
    let (sender, screen) = session.context.progress(title);
    let job = adjust(session.job(sender), session.context, making).interrupted_by(&until_signal());
    let parallel = session.context.settings.parallel;
    let result = execute(plan, Arc::new(job), OnFailure::Halt, parallel).await;
    screen.finish().await;
    result.map_err(|error| session.run_error(error))
}

/// Tells a job how images are made.
pub(super) fn adjust(mut job: Job, context: &Context, making: Making) -> Job {
    job.quiet_pull = making.quiet_pull;
    job.build = BuildSettings {
        quiet: making.quiet_build,
        classic: context
            .env
            .get("DOCKER_BUILDKIT")
            .is_some_and(|value| matches!(value.as_str(), "0" | "false")),
    };
    job
}

/// Asks about volumes whose configuration changed: a new one loses the data.
fn confirm_volumes(
    project: &Project,
    observed: &Observed,
    options: &mut Up,
    making: Making,
) -> Result<(), Error> {
    for volume in reconcile::diverged_volumes(project, observed) {
        let question = format!(
            "Volume {:?} exists but doesn't match configuration in compose file. Recreate (data will be lost)",
            volume.name
        );
        if making.yes || prompt::confirm(&question, false)? {
            options.recreate_volumes.insert(volume.key);
        }
    }
    Ok(())
}

/// Reads `--scale SERVICE=N`.
pub(super) fn scale(project: &Project, given: &[String]) -> Result<BTreeMap<String, u64>, Error> {
    let mut scale = BTreeMap::new();
    for text in given {
        let invalid = || {
            Error::user(format!("invalid --scale option {text:?}"))
                .help("use --scale SERVICE=NUMBER")
        };
        let (name, count) = text.split_once('=').ok_or_else(invalid)?;
        let count = count.parse().map_err(|_| invalid())?;
        if !project.services.contains_key(name) {
            return Err(Error::no_such_service(name, project));
        }
        scale.insert(name.to_owned(), count);
    }
    Ok(scale)
}

/// When containers are replaced, as two flags say.
pub(super) fn recreate(force: bool, never: bool) -> Result<Recreate, Error> {
    match (force, never) {
        (true, true) => Err(Error::user(
            "--force-recreate and --no-recreate are incompatible",
        )),
        (true, false) => Ok(Recreate::Force),
        (false, true) => Ok(Recreate::Never),
        (false, false) => Ok(Recreate::Diverged),
    }
}

/// When images are built, as two flags say.
pub(super) fn build(always: bool, never: bool) -> Result<Build, Error> {
    match (always, never) {
        (true, true) => Err(Error::user("--build and --no-build are incompatible")),
        (true, false) => Ok(Build::Always),
        (false, true) => Ok(Build::Never),
        (false, false) => Ok(Build::Missing),
    }
}

/// `--pull`: what overrides the services' own policies.
pub(super) fn pull(policy: &str) -> Result<Option<String>, Error> {
    match policy {
        "policy" | "" => Ok(None),
        "always" | "missing" | "never" | "build" => Ok(Some(policy.to_owned())),
        other => Err(Error::user(format!("invalid --pull option {other:?}"))
            .help("use always, missing, never or policy")),
    }
}

/// What `COMPOSE_REMOVE_ORPHANS` and `COMPOSE_IGNORE_ORPHANS` say beside the flag: whether to
/// remove and whether to ignore them.
pub(super) fn orphans(
    context: &Context,
    project: &Project,
    remove: bool,
) -> Result<(bool, bool), Error> {
    let remove = remove || context.flag("COMPOSE_REMOVE_ORPHANS");
    let ignore = project
        .environment
        .get("COMPOSE_IGNORE_ORPHANS")
        .is_some_and(|value| super::settings::truth(value));
    if remove && ignore {
        return Err(Error::user(
            "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans",
        ));
    }
    Ok((remove, ignore))
}

/// Now, in Unix seconds.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}
