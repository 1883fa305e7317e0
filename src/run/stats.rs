//! What containers use, as the engine measures it.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::time::Duration;

use bollard::models::{
    ContainerBlkioStats, ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse,
    EventMessage,
};
use bollard::query_parameters::{EventsOptionsBuilder, StatsOptionsBuilder};
use futures::future::join_all;
use futures::stream::SelectAll;
use futures::{Stream, StreamExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Error;
use super::select::{self, Target, Wanted};
use crate::connect::Engine;
use crate::report::usage::{Figures, Usage};

/// Changes closer together than this are shown together.
const TICK: Duration = Duration::from_millis(500);

/// Measures each container once. Uses `GET /containers/{id}/stats?stream=false`, which takes the
/// engine a second or two.
///
/// # Errors
/// When the engine refuses.
pub async fn once(engine: &Engine, targets: &[Target]) -> Result<Vec<Usage>, Error> {
    let measuring = targets.iter().map(|target| async {
        let options = StatsOptionsBuilder::new().stream(false).build();
        let mut answers = Box::pin(engine.docker.stats(&target.id, Some(options)));
        let figures = match answers.next().await {
            Some(answer) => Some(figures(&answer?)),
            None => None,
        };
        Ok(usage(target, figures))
    });
    join_all(measuring).await.into_iter().collect()
}

fn usage(target: &Target, figures: Option<Figures>) -> Usage {
    Usage {
        id: target.id.clone(),
        name: target.name.clone(),
        figures,
    }
}

type Measurements = Pin<Box<dyn Stream<Item = (String, Option<Figures>)> + Send>>;
type Events = Pin<Box<dyn Stream<Item = Result<EventMessage, bollard::errors::Error>> + Send>>;

/// Measurements of a project's containers as they come, and as containers come and go.
pub struct Follow<'a> {
    engine: &'a Engine,
    wanted: Wanted<'a>,
    /// By name, as they are shown.
    shown: BTreeMap<String, Usage>,
    measurements: SelectAll<Measurements>,
    events: Events,
    tick: Interval,
    changed: bool,
}

impl<'a> Follow<'a> {
    /// Begins to measure. Uses `GET /events` and a `GET /containers/{id}/stats` for each
    /// container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn begin(engine: &'a Engine, wanted: Wanted<'a>) -> Result<Self, Error> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut follow = Self {
            engine,
            wanted,
            shown: BTreeMap::new(),
            measurements: SelectAll::new(),
            events: events(engine, wanted.project),
            tick,
            changed: true,
        };
        follow.look().await?;
        Ok(follow)
    }

    /// Waits for a change and returns what all containers use, by name.
    ///
    /// # Errors
    /// When the connection to the engine broke.
    pub async fn next(&mut self) -> Result<Vec<Usage>, Error> {
        loop {
            tokio::select! {
                Some((id, figures)) = self.measurements.next(), if !self.measurements.is_empty() => {
                    self.measured(&id, figures);
                }
                event = self.events.next() => match event {
                    Some(event) => self.happened(&event?).await?,
                    None => return Err(Error::new("the engine ended the stream of events")),
                },
                _ = self.tick.tick(), if self.changed => {
                    self.changed = false;
                    return Ok(self.shown.values().cloned().collect());
                }
            }
        }
    }

    fn measured(&mut self, id: &str, figures: Option<Figures>) {
        if let Some(usage) = self.shown.values_mut().find(|usage| usage.id == id) {
            usage.figures = figures;
            self.changed = true;
        }
    }

    /// One that has just ended may still be listed as running, so it is not looked for.
    async fn happened(&mut self, event: &EventMessage) -> Result<(), Error> {
        let ended = match event.action.as_deref() {
            Some("destroy") => true,
            Some("die") => !self.wanted.stopped,
            _ => false,
        };
        let id = event.actor.as_ref().and_then(|actor| actor.id.as_deref());
        match id.filter(|_| ended) {
            Some(id) => {
                self.shown.retain(|_, usage| usage.id != id);
                self.changed = true;
                Ok(())
            }
            None => self.look().await,
        }
    }

    /// Takes in containers that are new, and forgets those that are gone.
    async fn look(&mut self) -> Result<(), Error> {
        let targets = select::containers(&self.engine.docker, self.wanted).await?;
        self.changed = true;
        self.shown.retain(|name, usage| {
            let known = |target: &Target| target.name == *name && target.id == usage.id;
            targets.iter().any(known)
        });
        for target in targets {
            if self.shown.contains_key(&target.name) {
                continue;
            }
            self.measurements
                .push(measurements(self.engine, &target.id));
            self.shown.insert(target.name.clone(), usage(&target, None));
        }
        Ok(())
    }
}

fn events(engine: &Engine, project: &str) -> Events {
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        (
            "label".to_owned(),
            vec![format!("com.docker.compose.project={project}")],
        ),
        (
            "event".to_owned(),
            ["create", "start", "die", "destroy", "rename"]
                .map(str::to_owned)
                .to_vec(),
        ),
    ]);
    let options = EventsOptionsBuilder::new().filters(&filters).build();
    Box::pin(engine.docker.events(Some(options)))
}

fn measurements(engine: &Engine, id: &str) -> Measurements {
    let options = StatsOptionsBuilder::new().stream(true).build();
    let id = id.to_owned();
    let answers = engine.docker.stats(&id, Some(options));
    // A container that goes ends its stream; that it has gone is told by an event.
    Box::pin(answers.filter_map(move |answer| {
        let measured = answer
            .ok()
            .map(|answer| (id.clone(), Some(figures(&answer))));
        std::future::ready(measured)
    }))
}

fn figures(answer: &ContainerStatsResponse) -> Figures {
    let now = answer.cpu_stats.clone().unwrap_or_default();
    let before = answer.precpu_stats.clone().unwrap_or_default();
    let memory = answer.memory_stats.clone().unwrap_or_default();
    let networks = answer.networks.iter().flatten();
    let (received, sent) = networks.fold((0, 0), |(received, sent), (_, network)| {
        (
            received + network.rx_bytes.unwrap_or(0),
            sent + network.tx_bytes.unwrap_or(0),
        )
    });
    let (read, written) = answer.blkio_stats.as_ref().map_or((0, 0), disks);
    let processes = answer.pids_stats.as_ref().and_then(|pids| pids.current);
    Figures {
        processor: processor(&now, &before),
        memory: memory_used(&memory),
        memory_limit: memory.limit.unwrap_or(0),
        received,
        sent,
        read,
        written,
        processes: processes.unwrap_or(0),
    }
}

/// Share of one processor between two measurements, in per cent.
fn processor(now: &ContainerCpuStats, before: &ContainerCpuStats) -> f64 {
    let total = |stats: &ContainerCpuStats| {
        let usage = stats.cpu_usage.as_ref();
        usage.and_then(|usage| usage.total_usage).unwrap_or(0)
    };
    let system = |stats: &ContainerCpuStats| stats.system_cpu_usage.unwrap_or(0);
    let used = total(now).saturating_sub(total(before));
    let passed = system(now).saturating_sub(system(before));
    let per_processor = now
        .cpu_usage
        .as_ref()
        .and_then(|usage| usage.percpu_usage.as_ref());
    let processors = match now.online_cpus {
        Some(count @ 1..) => f64::from(count),
        _ => per_processor.map_or(0, Vec::len) as f64,
    };
    if used == 0 || passed == 0 {
        return 0.0;
    }
    used as f64 / passed as f64 * processors * 100.0
}

/// Without the files in memory that nobody has used for a while: version 1 of cgroups and
/// version 2 call them differently.
fn memory_used(memory: &ContainerMemoryStats) -> u64 {
    let usage = memory.usage.unwrap_or(0);
    let unused = memory.stats.as_ref().and_then(|stats| {
        ["total_inactive_file", "inactive_file"]
            .into_iter()
            .find_map(|name| stats.get(name).copied())
    });
    match unused {
        Some(unused) if unused < usage => usage - unused,
        _ => usage,
    }
}

fn disks(stats: &ContainerBlkioStats) -> (u64, u64) {
    let entries = stats.io_service_bytes_recursive.iter().flatten();
    entries.fold((0, 0), |(read, written), entry| {
        let value = entry.value.unwrap_or(0);
        match entry.op.as_deref().and_then(|op| op.chars().next()) {
            Some('r' | 'R') => (read + value, written),
            Some('w' | 'W') => (read, written + value),
            _ => (read, written),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_docker_cli() {
        let answer: ContainerStatsResponse = serde_json::from_value(serde_json::json!({
            "cpu_stats": {
                "cpu_usage": {"total_usage": 300}, "system_cpu_usage": 4000, "online_cpus": 2
            },
            "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 2000},
            "memory_stats": {"usage": 1000, "limit": 3000, "stats": {"inactive_file": 400}},
            "networks": {
                "eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}
            },
            "pids_stats": {"current": 3},
            "blkio_stats": {"io_service_bytes_recursive": [
                {"op": "Read", "value": 5}, {"op": "write", "value": 7}, {"op": "Sync", "value": 9}
            ]}
        }))
        .unwrap_or_default();
        let found = figures(&answer);
        let expected = Figures {
            processor: 20.0,
            memory: 600,
            memory_limit: 3000,
            received: 11,
            sent: 22,
            read: 5,
            written: 7,
            processes: 3,
        };
        assert_eq!(found, expected);
        assert!((found.memory_share() - 20.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing() {
        assert_eq!(
            figures(&ContainerStatsResponse::default()),
            Figures::default()
        );
    }
}
