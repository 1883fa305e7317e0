//! A plan → text for people.

use super::step::{Action, Plan, Start, Step, Until};

/// One line per step that does something, in an order in which they could run:
/// `verb  what  (reason)`. A plan that changes nothing gives no lines.
pub fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().filter_map(line).collect()
}

fn line(step: &Step) -> Option<String> {
    let text = describe(&step.action)?;
    Some(format!("{text}  ({})", step.reason))
}

fn describe(action: &Action) -> Option<String> {
    let container = |verb: &str, name: &str| format!("{verb:<10} container {name}");
    Some(match action {
        Action::Keep { .. } | Action::Created | Action::Started => return None,
        Action::Wait(wait) if wait.satisfied => return None,
        Action::Pull(pull) => format!("{:<10} image {}", "pull", pull.image),
        Action::Build { image, .. } => format!("{:<10} image {image}", "build"),
        Action::CreateNetwork { name, .. } => format!("{:<10} network {name}", "create"),
        Action::RemoveNetwork { name, .. } => format!("{:<10} network {name}", "remove"),
        Action::CreateVolume { name, .. } => format!("{:<10} volume {name}", "create"),
        Action::RemoveVolume { name, .. } => format!("{:<10} volume {name}", "remove"),
        Action::RemoveImage { image } => format!("{:<10} image {image}", "remove"),
        Action::Connect {
            network, container, ..
        } => format!(
            "{:<10} container {} to network {network}",
            "connect", container.name
        ),
        Action::Disconnect {
            name, container: c, ..
        } => format!("{:<10} container {} from network {name}", "detach", c.name),
        Action::Create(create) => container("create", &create.name),
        Action::Recreate { create, .. } => container("recreate", &create.name),
        Action::PreStart { service, hook, .. } => format!(
            "{:<10} pre_start hook {} of service {}",
            "run",
            hook + 1,
            service.name
        ),
        Action::Start(start) => start_line(start),
        Action::Wait(wait) => format!(
            "{:<10} service {} {}",
            "wait",
            wait.service,
            until(wait.until)
        ),
        Action::Stop(stop) => container("stop", &stop.container.name),
        Action::Restart { stop, .. } => container("restart", &stop.container.name),
        Action::Kill {
            container: c,
            signal,
        } => {
            format!("{:<10} container {} with {signal}", "kill", c.name)
        }
        Action::Pause { container: c } => container("pause", &c.name),
        Action::Unpause { container: c } => container("unpause", &c.name),
        Action::Remove { container: c, .. } => container("remove", &c.name),
    })
}

fn start_line(start: &Start) -> String {
    format!("{:<10} container {}", "start", start.container.name)
}

fn until(until: Until) -> &'static str {
    match until {
        Until::Healthy => "to be healthy",
        Until::CompletedSuccessfully => "to complete successfully",
        Until::RunningOrHealthy { .. } => "to be ready",
    }
}
