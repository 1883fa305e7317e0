//! Services that other programs run, around `up` and `down`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::Error;
use super::session::{Session, until_signal};
use crate::compose::Project;
use crate::compose::model::Service;
use crate::connect;
use crate::plan::options::Up;
use crate::plan::reconcile;
use crate::report::event::{Step, send};
use crate::run;
use crate::run::provider::{Caller, Request};

/// Has the providers among the services to bring up do their work, and keeps what they tell for the plan.
pub(super) async fn up(session: &Session<'_>, options: &mut Up) -> Result<(), Error> {
    let project = session.project()?;
    let services =
        reconcile::provided(project, options).map_err(|error| session.plan_error(error))?;
    let known = || {
        session
            .provided
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let keep = |service: &Service, variables: BTreeMap<String, String>| {
        let dependents = project.services.values();
        for dependent in dependents.filter(|it| it.depends_on.contains_key(&service.name)) {
            let mut known = known();
            let given = known.entry(dependent.name.clone()).or_default();
            given.extend(variables.clone());
        }
    };
    ask(session, project, &services, Request::Up, keep).await?;
    options.provided.clone_from(&known());
    Ok(())
}

/// Has the providers of these services (of all where none is named) remove what they run, dependents first.
pub(super) async fn down(session: &Session<'_>, services: &[String]) -> Result<(), Error> {
    let Some(project) = &session.project else {
        return Ok(());
    };
    let options = Up {
        services: services.to_vec(),
        no_deps: true,
        ..Up::default()
    };
    let mut services =
        reconcile::provided(project, &options).map_err(|error| session.plan_error(error))?;
    services.reverse();
    ask(session, project, &services, Request::Down, |_, _| {}).await
}

async fn ask(
    session: &Session<'_>,
    project: &Project,
    services: &[&Service],
    request: Request,
    mut take: impl FnMut(&Service, BTreeMap<String, String>),
) -> Result<(), Error> {
    if services.is_empty() {
        return Ok(());
    }
    let (sender, screen) = session.context.progress("Running");
    if session.context.dry_run() {
        for service in services {
            send(&sender, Step::done(&service.name, "Left to its provider"));
        }
        drop(sender);
        screen.finish().await;
        return Ok(());
    }
    let caller = Caller {
        project: &session.name,
        environment: &project.environment,
        config_folder: connect::docker_config_folder(&session.context.env),
        sender,
    };
    let interrupt = until_signal();
    let mut result = Ok(());
    for service in services {
        let asked = tokio::select! {
            asked = caller.ask(service, request) => asked,
            () = interrupt.cancelled() => Err(run::Error::interrupted()),
        };
        match asked {
            Ok(variables) => take(service, variables),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    drop(caller);
    screen.finish().await;
    result.map_err(|error| session.run_error(error))
}
