//! One subscription to the engine's events for everything that waits.
//!
//! The [`Hub`] knows the state of each container of the project from the list taken before it
//! subscribed and from every event since. It asks for the events since the engine answered the
//! first ping, which was before that list, so nothing between looking and listening is missed.
//! Such an old event may be older than the list too: then the state is forgotten, and whoever
//! needs it inspects the container. Nobody ever polls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, EventMessage, HealthStatusEnum,
};
use bollard::query_parameters::{EventsOptionsBuilder, InspectContainerOptions};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Error;
use crate::connect::Engine;
use crate::plan::observed::{Container, State};

/// What is known of a container's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has no healthcheck.
    None,
    /// Not known yet.
    Starting,
    /// The last probes succeeded.
    Healthy,
    /// The last probes failed.
    Unhealthy,
}

/// How a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Created and not started yet.
    Created,
    /// Running, paused or between two attempts of its restart policy.
    Running {
        /// `None` where only an inspect can tell.
        health: Option<Health>,
    },
    /// Ended with this code.
    Exited(i64),
    /// Removed; with the code it ended with, where that was seen.
    Gone(Option<i64>),
}

/// The subscription. Ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    docker: Docker,
    /// Containers whose standing is known, by id.
    standings: Mutex<HashMap<String, Standing>>,
    /// When containers were last started, as far as that happened under our eyes.
    started: Mutex<HashMap<String, Instant>>,
    /// The number of changes so far.
    changes: watch::Sender<u64>,
    /// Why no more events come.
    broken: Mutex<Option<Error>>,
    listener: Mutex<Option<AbortHandle>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let listener = self.listener.get_mut();
        if let Some(handle) = listener.unwrap_or_else(PoisonError::into_inner) {
            handle.abort();
        }
    }
}

/// The kinds of events that change a standing.
const KINDS: [&str; 4] = ["start", "die", "destroy", "health_status"];

/// The engine's clock is told in whole seconds.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

impl Hub {
    /// Subscribes to the events of a project. `seen` are its containers as listed after
    /// `engine` was connected to.
    pub fn subscribe(engine: &Engine, project: &str, seen: &[Container]) -> Self {
        let (changes, _) = watch::channel(0);
        let standings = seen.iter().filter_map(seed).collect();
        let shared = Arc::new(Shared {
            docker: engine.docker.clone(),
            standings: Mutex::new(standings),
            started: Mutex::default(),
            changes,
            broken: Mutex::new(None),
            listener: Mutex::new(None),
        });
        let listener = Listener {
            shared: Arc::downgrade(&shared),
            docker: engine.docker.clone(),
            project: project.to_owned(),
            since: engine.clock.map(|(date, _)| date),
            certain_from: certain_from(engine),
        };
        let task = tokio::spawn(listener.run());
        *lock(&shared.listener) = Some(task.abort_handle());
        Self { shared }
    }

    /// Wakes up at every change. Take it before looking at a standing.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// How a container stands: from events where they tell, otherwise by one inspect.
    ///
    /// # Errors
    /// When the subscription or the inspect failed.
    pub async fn standing(&self, id: &str, needs_health: bool) -> Result<Standing, Error> {
        if let Some(error) = lock(&self.shared.broken).clone() {
            return Err(error);
        }
        let known = lock(&self.shared.standings).get(id).copied();
        match known {
            Some(Standing::Running { health: None }) if needs_health => {}
            Some(known) => return Ok(known),
            None => {}
        }
        let before = *self.shared.changes.borrow();
        let inspected = self
            .shared
            .docker
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(Error::from);
        let standing = match inspected {
            Ok(response) => inspected_standing(response),
            Err(error) if error.is_not_found() => Standing::Gone(None),
            Err(error) => return Err(error),
        };
        let mut standings = lock(&self.shared.standings);
        // An event that came meanwhile knows better. Events are counted under the lock.
        if *self.shared.changes.borrow() == before {
            standings.insert(id.to_owned(), standing);
        }
        Ok(standing)
    }

    /// Takes note that a container is about to be started.
    pub fn starting(&self, id: &str) {
        self.forget(id);
        lock(&self.shared.started).insert(id.to_owned(), Instant::now());
    }

    /// Takes note that a container has started just now; its process may have begun long after the request.
    pub fn has_started(&self, id: &str) {
        lock(&self.shared.started).insert(id.to_owned(), Instant::now());
    }

    /// When a container was last started, where that happened since the subscription.
    pub fn started(&self, id: &str) -> Option<Instant> {
        lock(&self.shared.started).get(id).copied()
    }

    /// Forgets what is known of a container that is about to be stopped.
    pub fn forget(&self, id: &str) {
        lock(&self.shared.standings).remove(id);
    }
}

/// From when on (engine's clock, nanoseconds) an event is certainly newer than the list.
fn certain_from(engine: &Engine) -> i64 {
    let Some((date, asked)) = engine.clock else {
        return 0;
    };
    let ahead = asked.elapsed() + CLOCK_SLACK;
    date.saturating_mul(1_000_000_000)
        .saturating_add(i64::try_from(ahead.as_nanos()).unwrap_or(i64::MAX))
}

/// What the list tells for sure. A running container without a health in the list is left to
/// an inspect where health matters.
fn seed(container: &Container) -> Option<(String, Standing)> {
    use crate::plan::observed::Health as Listed;
    let standing = match (container.state, container.exit_code) {
        (State::Created, _) => Standing::Created,
        (State::Running | State::Paused, _) => Standing::Running {
            health: match container.health {
                Listed::None => None,
                Listed::Starting => Some(Health::Starting),
                Listed::Healthy => Some(Health::Healthy),
                Listed::Unhealthy => Some(Health::Unhealthy),
            },
        },
        (State::Exited, Some(code)) => Standing::Exited(code),
        _ => return None,
    };
    Some((container.id.clone(), standing))
}

fn inspected_standing(response: ContainerInspectResponse) -> Standing {
    use ContainerStateStatusEnum as Status;
    let state = response.state.unwrap_or_default();
    match state.status {
        Some(Status::CREATED) | None => Standing::Created,
        Some(Status::EXITED | Status::DEAD | Status::REMOVING) => {
            Standing::Exited(state.exit_code.unwrap_or(0))
        }
        _ => {
            let health = state.health.and_then(|health| health.status);
            let health = match health {
                Some(HealthStatusEnum::STARTING) => Health::Starting,
                Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
                Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
                _ => Health::None,
            };
            Standing::Running {
                health: Some(health),
            }
        }
    }
}

struct Listener {
    shared: std::sync::Weak<Shared>,
    docker: Docker,
    project: String,
    since: Option<i64>,
    certain_from: i64,
}

impl Listener {
    async fn run(self) {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            (
                "label".to_owned(),
                vec![format!("com.docker.compose.project={}", self.project)],
            ),
            (
                "event".to_owned(),
                KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
            ),
        ]);
        let mut options = EventsOptionsBuilder::new().filters(&filters);
        if let Some(since) = self.since {
            options = options.since(&since.to_string());
        }
        let mut events = Box::pin(self.docker.events(Some(options.build())));
        let end = loop {
            match events.next().await {
                Some(Ok(event)) => {
                    let Some(shared) = self.shared.upgrade() else {
                        return;
                    };
                    shared.apply(&event, self.certain_from);
                }
                Some(Err(error)) => break Error::from(error),
                None => {
                    break Error::new("the engine ended the stream of events")
                        .remedy("check that the engine runs, then run the same command again");
                }
            }
        };
        if let Some(shared) = self.shared.upgrade() {
            *lock(&shared.broken) = Some(end);
            shared.changed();
        }
    }
}

impl Shared {
    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn apply(&self, event: &EventMessage, certain_from: i64) {
        let Some(actor) = &event.actor else { return };
        let Some(id) = &actor.id else { return };
        let attribute = |name: &str| {
            actor
                .attributes
                .as_ref()
                .and_then(|attributes| attributes.get(name))
                .map(String::as_str)
        };
        let certain = event.time_nano.unwrap_or(i64::MAX) >= certain_from;
        if certain && event.action.as_deref() == Some("start") {
            lock(&self.started).insert(id.clone(), Instant::now());
        }
        let code = attribute("exitCode").and_then(|code| code.parse().ok());
        let action = event.action.as_deref().unwrap_or_default();
        let mut standings = lock(&self.standings);
        let before = standings.get(id).copied();
        let standing = match action {
            "start" => Some(Standing::Running { health: None }),
            "destroy" => Some(Standing::Gone(match before {
                Some(Standing::Exited(code)) => Some(code),
                _ => code,
            })),
            // Whether it is started again by its policy, only an inspect can tell.
            "die" => None,
            _ => event_health(action, attribute("health_status")).map(|health| Standing::Running {
                health: Some(health),
            }),
        };
        match standing.filter(|_| certain) {
            Some(standing) => standings.insert(id.clone(), standing),
            None => standings.remove(id),
        };
        self.changed();
    }
}

/// Health as an event tells it: "health_status: healthy", or an attribute with Podman.
fn event_health(action: &str, attribute: Option<&str>) -> Option<Health> {
    let text = action
        .strip_prefix("health_status")?
        .trim_start_matches(':')
        .trim();
    match if text.is_empty() { attribute? } else { text } {
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        "starting" => Some(Health::Starting),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_events_of_docker_and_podman_are_read() {
        assert_eq!(
            event_health("health_status: healthy", None),
            Some(Health::Healthy)
        );
        assert_eq!(
            event_health("health_status", Some("unhealthy")),
            Some(Health::Unhealthy)
        );
        assert_eq!(event_health("start", None), None);
    }

    #[test]
    fn a_listed_container_is_known_as_far_as_the_list_tells() {
        let mut container = Container {
            id: "a".to_owned(),
            state: State::Exited,
            exit_code: Some(3),
            ..Container::default()
        };
        assert_eq!(
            seed(&container),
            Some(("a".to_owned(), Standing::Exited(3)))
        );
        container.state = State::Restarting;
        assert_eq!(seed(&container), None);
        container.state = State::Running;
        assert_eq!(
            seed(&container),
            Some(("a".to_owned(), Standing::Running { health: None }))
        );
    }
}
