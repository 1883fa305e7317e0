//! Waiting until containers are healthy, running or done, by events alone.

use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptions;
use tokio::time::Instant;

use super::Error;
use super::events::{Health, Hub, Standing};
use crate::plan::step::Until;
use crate::report::event::{Sender, Step, send};

/// A container to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Condition<'a> {
    /// The service of the containers.
    pub service: &'a str,
    /// What must hold.
    pub until: Until,
    /// The containers.
    pub containers: &'a [Awaited],
    /// Whether other services depend on it, which changes the words.
    pub for_dependents: bool,
    /// Whether nothing that comes after needs it, so that a failure is a warning.
    pub optional: bool,
    /// When to give up.
    pub deadline: Option<(Instant, Duration)>,
}

/// A container without a healthcheck counts as running once it has done so for this long: one
/// that ends at once was never of use.
const SETTLED: Duration = Duration::from_millis(500);

enum Verdict {
    Met,
    /// Not yet; worth another look at this time even if nothing happens.
    Pending(Option<Instant>),
    Failed(Failure),
}

/// Why a condition can no longer be met.
struct Failure {
    /// The container that broke it, for its last words.
    container: Option<Awaited>,
    message: String,
}

/// Waits until a condition holds, and tells it as progress of each container.
///
/// # Errors
/// When it cannot hold any more, in docker compose's words, or the time is over.
pub async fn wait(
    hub: &Hub,
    docker: &Docker,
    condition: &Condition<'_>,
    sender: &Sender,
) -> Result<(), Error> {
    tell_waiting(condition, sender);
    let mut changes = hub.changes();
    loop {
        changes.mark_unchanged();
        match judge(hub, condition).await? {
            Verdict::Met => {
                tell_done(condition, sender);
                return Ok(());
            }
            Verdict::Failed(failure) => {
                return Err(explain(docker, condition, failure, sender).await);
            }
            Verdict::Pending(again) => {
                tokio::select! {
                    _ = changes.changed() => {}
                    () = sleep_until(again) => {}
                    () = sleep_until(condition.deadline.map(|(deadline, _)| deadline)) => {
                        return Err(too_late(condition, sender));
                    }
                }
            }
        }
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Tells of a condition that held from the start.
pub fn tell_met(condition: &Condition<'_>, sender: &Sender) {
    tell_waiting(condition, sender);
    tell_done(condition, sender);
}

fn tell_waiting(condition: &Condition<'_>, sender: &Sender) {
    for container in condition.containers {
        send(sender, Step::working(id(container), "Waiting"));
    }
}

fn tell_done(condition: &Condition<'_>, sender: &Sender) {
    let text = match condition.until {
        Until::CompletedSuccessfully => "Exited",
        _ => "Healthy",
    };
    for container in condition.containers {
        send(sender, Step::done(id(container), text));
    }
}

fn id(container: &Awaited) -> String {
    format!("Container {}", container.name)
}

async fn judge(hub: &Hub, condition: &Condition<'_>) -> Result<Verdict, Error> {
    match condition.until {
        Until::CompletedSuccessfully => judge_completed(hub, condition).await,
        Until::Healthy => judge_running(hub, condition, false, false).await,
        Until::RunningOrHealthy { exited_zero } => {
            judge_running(hub, condition, true, exited_zero).await
        }
    }
}

async fn judge_completed(hub: &Hub, condition: &Condition<'_>) -> Result<Verdict, Error> {
    for container in condition.containers {
        let code = match hub.standing(&container.id, false).await? {
            Standing::Exited(code) => code,
            Standing::Gone(code) => code.unwrap_or(0),
            _ => continue,
        };
        if code == 0 {
            return Ok(Verdict::Met);
        }
        return Ok(Verdict::Failed(Failure {
            container: Some(container.clone()),
            message: format!(
                "service {:?} didn't complete successfully: exit {code}",
                condition.service
            ),
        }));
    }
    Ok(Verdict::Pending(None))
}

async fn judge_running(
    hub: &Hub,
    condition: &Condition<'_>,
    or_running: bool,
    exited_zero: bool,
) -> Result<Verdict, Error> {
    let mut pending = false;
    let mut again: Option<Instant> = None;
    for container in condition.containers {
        let name = &container.name;
        let message = match hub.standing(&container.id, true).await? {
            Standing::Created => {
                pending = true;
                continue;
            }
            Standing::Running { health } => match health {
                Some(Health::Healthy) => continue,
                Some(Health::None) if or_running => {
                    let settled = hub.started(&container.id).map(|start| start + SETTLED);
                    if let Some(settled) = settled.filter(|time| *time > Instant::now()) {
                        pending = true;
                        again = Some(again.map_or(settled, |time| time.min(settled)));
                    }
                    continue;
                }
                Some(Health::None) => format!("container {name} has no healthcheck configured"),
                Some(Health::Unhealthy) => format!("container {name} is unhealthy"),
                Some(Health::Starting) | None => {
                    pending = true;
                    continue;
                }
            },
            Standing::Exited(0) | Standing::Gone(Some(0)) if exited_zero => continue,
            Standing::Exited(code) | Standing::Gone(Some(code)) => {
                format!("container {name} exited ({code})")
            }
            Standing::Gone(None) => format!("container {name} was removed"),
        };
        return Ok(Verdict::Failed(Failure {
            container: Some(container.clone()),
            message,
        }));
    }
    Ok(if pending {
        Verdict::Pending(again)
    } else {
        Verdict::Met
    })
}

/// Most of a probe's output that is shown.
const OUTPUT_LIMIT: usize = 400;

/// The error, with the container's own last words as help.
async fn explain(
    docker: &Docker,
    condition: &Condition<'_>,
    failure: Failure,
    sender: &Sender,
) -> Error {
    let completed = condition.until == Until::CompletedSuccessfully;
    if condition.optional {
        return optional(condition, &failure, sender);
    }
    for container in condition.containers {
        let text = if completed {
            failure.message.as_str()
        } else {
            "Error"
        };
        send(sender, Step::error(id(container), text));
    }
    let message = if condition.for_dependents && !completed {
        format!("dependency failed to start: {}", failure.message)
    } else {
        failure.message
    };
    let error = Error::new(message);
    let Some(container) = failure.container else {
        return error;
    };
    let probe = last_probe(docker, &container.id).await;
    let service = condition.service;
    match probe {
        Some(probe) => error.remedy(format!(
            "last healthcheck: {probe}; see its output with: rcompose logs {service}"
        )),
        None => error.remedy(format!("see its output with: rcompose logs {service}")),
    }
}

/// The failure of something that nothing depends on: told, and left at that.
fn optional(condition: &Condition<'_>, failure: &Failure, sender: &Sender) -> Error {
    let what = match condition.until {
        Until::CompletedSuccessfully => format!(
            "optional dependency {}",
            failure.message.trim_start_matches("service ")
        ),
        _ => format!(
            "optional dependency {:?} failed to start",
            condition.service
        ),
    };
    for container in condition.containers {
        send(
            sender,
            Step::warning(id(container), format!("Skipped: {what}")),
        );
    }
    Error::new(match condition.until {
        Until::CompletedSuccessfully => what,
        _ => format!("{what}: {}", failure.message),
    })
}

/// Exit code and output of the last probe of a container's healthcheck.
async fn last_probe(docker: &Docker, id: &str) -> Option<String> {
    let response = docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await
        .ok()?;
    let probes = response.state?.health?.log?;
    let probe = probes.last()?;
    let code = probe.exit_code.unwrap_or(0);
    let output = probe.output.as_deref().unwrap_or_default().trim();
    let output: String = output.chars().take(OUTPUT_LIMIT).collect();
    Some(if output.is_empty() {
        format!("exit {code}")
    } else {
        format!("exit {code}, {output:?}")
    })
}

fn too_late(condition: &Condition<'_>, sender: &Sender) -> Error {
    let allowed = condition
        .deadline
        .map_or(0, |(_, allowed)| allowed.as_secs());
    for container in condition.containers {
        send(sender, Step::error(id(container), "Error"));
    }
    let message = if condition.for_dependents {
        format!("timeout waiting for dependencies: not there after {allowed}s")
    } else {
        format!("application not healthy after {allowed}s")
    };
    Error::new(message).remedy(format!(
        "waited for service {:?}: see its output with: logs {}",
        condition.service, condition.service
    ))
}
