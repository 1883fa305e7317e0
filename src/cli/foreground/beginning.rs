//! Up to the point where everything is created: progress, and whose output is shown.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Attachment;
use crate::cli::Error;
use crate::cli::session::{Session, Signals, leave};
use crate::plan::{Action, Plan};
use crate::report::event::{Event, Origin, Sender, Stream, send};
use crate::run;
use crate::run::job::Gatekeeper;

/// The plan at work.
pub(super) type Running = JoinHandle<Result<(), run::Error>>;

/// Shows the progress up to the point where everything is created.
pub(super) async fn create(
    session: &Session<'_>,
    signals: &mut Signals,
    interrupt: &CancellationToken,
    events: &mut UnboundedReceiver<Event>,
    mut gate: Gatekeeper,
    mut running: Running,
) -> Result<Option<(oneshot::Sender<()>, Running)>, Error> {
    let (sender, screen) = session.context.progress("Running");
    let mut interrupted = false;
    let reached = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => send(&sender, event),
            reached = &mut gate.reached => break reached.is_ok(),
            () = signals.next() => {
                if interrupted {
                    leave();
                }
                interrupted = true;
                interrupt.cancel();
            }
        }
    };
    while let Ok(event) = events.try_recv() {
        send(&sender, event);
    }
    drop(sender);
    screen.finish().await;
    if reached && !interrupted {
        return Ok(Some((gate.proceed, running)));
    }
    match (&mut running).await {
        Ok(Ok(())) => Ok(None),
        Ok(Err(error)) => Err(session.run_error(error)),
        Err(_) => Err(Error::user("the plan broke off")),
    }
}

/// Containers whose output is shown, keyed by their full name.
pub(super) fn origins(
    session: &Session<'_>,
    plan: &Plan,
    attachment: &Attachment,
) -> BTreeMap<String, Origin> {
    let prefix = format!("{}{}", session.name, session.settings.separator);
    let containers = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Create(create) => Some((&create.name, &create.service.name)),
        Action::Recreate { create, .. } => Some((&create.name, &create.service.name)),
        Action::Keep { container, .. } => Some((&container.name, &container.service)),
        _ => None,
    });
    containers
        .filter(|(_, service)| attachment.services.contains(*service))
        .map(|(name, service)| {
            let short = name.strip_prefix(&prefix).unwrap_or(name);
            let origin = Origin {
                container: short.to_owned(),
                service: service.clone(),
            };
            (name.clone(), origin)
        })
        .collect()
}

/// Tells whose output is shown.
pub(super) fn announce(origins: &BTreeMap<String, Origin>, sender: &Sender) {
    let names: BTreeSet<&str> = origins
        .values()
        .map(|origin| origin.container.as_str())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    if !names.is_empty() {
        send(
            sender,
            Event::Note {
                text: format!("Attaching to {}", names.join(", ")),
                stream: Stream::Stdout,
            },
        );
    }
    for origin in origins.values() {
        send(sender, Event::Attached(origin.clone()));
    }
}
