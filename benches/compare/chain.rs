//! How long a dependent waits after its dependency has become healthy.

use crate::engine::ContainerEvent;
use crate::proxy::Request;

/// The hops of one chain.
#[derive(Default)]
pub(crate) struct Hops {
    /// Seconds from the engine's event to the request that starts the dependent.
    pub(crate) request: Vec<f64>,
    /// Seconds from the engine's event to its event that the dependent has started.
    pub(crate) started: Vec<f64>,
}

/// The hops between `count` services of `project`, as the engine and the proxy saw them.
pub(crate) fn hops(
    project: &str,
    count: usize,
    events: &[ContainerEvent],
    requests: &[Request],
) -> Hops {
    let mut hops = Hops::default();
    for index in 1..count {
        let dependency = format!("{project}-s{}-1", index - 1);
        let dependent = format!("{project}-s{index}-1");
        let Some(healthy) = find(events, &dependency, "health_status: healthy") else {
            continue;
        };
        let Some(start) = find(events, &dependent, "start") else {
            continue;
        };
        hops.started.push(seconds(healthy, start.time));
        let request = requests.iter().find(|request| starts(&request.line, start));
        hops.request
            .extend(request.map(|request| seconds(healthy, request.time)));
    }
    hops
}

fn find<'e>(
    events: &'e [ContainerEvent],
    container: &str,
    action: &str,
) -> Option<&'e ContainerEvent> {
    events
        .iter()
        .find(|event| event.container == container && event.action == action)
}

fn starts(line: &str, container: &ContainerEvent) -> bool {
    let path = line.split(['?', ' ']).nth(1).unwrap_or_default();
    let target = path
        .strip_suffix("/start")
        .and_then(|path| path.rsplit('/').next());
    target.is_some_and(|target| target == container.id || target == container.container)
}

fn seconds(from: &ContainerEvent, to: i64) -> f64 {
    (to - from.time) as f64 / 1e9
}
