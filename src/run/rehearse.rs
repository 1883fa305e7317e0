//! Tells what running a plan would tell, and does nothing.

use crate::plan::step::Until;
use crate::plan::{Action, Plan};
use crate::report::event::{Sender, Step, send};

/// Sends the progress of a plan as if each step had succeeded, in the order of the plan.
pub fn rehearse(plan: &Plan, sender: &Sender) {
    for step in &plan.steps {
        for (id, doing, done) in telling(&step.action) {
            if let Some(doing) = doing {
                send(sender, Step::working(&id, doing));
            }
            send(sender, Step::done(&id, done));
        }
    }
}

type Telling = (String, Option<&'static str>, &'static str);

fn telling(action: &Action) -> Vec<Telling> {
    let container =
        |name: &str, doing, done| vec![(format!("Container {name}"), Some(doing), done)];
    let one = |id: String, doing, done| vec![(id, Some(doing), done)];
    match action {
        Action::Pull(pull) => {
            let service = pull.services.first().cloned().unwrap_or_default();
            one(service, "Pulling", "Pulled")
        }
        Action::Build { service, .. } => one(service.name.clone(), "Building", "Built"),
        Action::CreateNetwork { name, .. } => one(format!("Network {name}"), "Creating", "Created"),
        Action::RemoveNetwork { name, .. } => one(format!("Network {name}"), "Removing", "Removed"),
        Action::CreateVolume { name, .. } => one(format!("Volume {name}"), "Creating", "Created"),
        Action::RemoveVolume { name, .. } => one(format!("Volume {name}"), "Removing", "Removed"),
        Action::RemoveImage { image } => one(format!("Image {image}"), "Removing", "Removed"),
        Action::Create(create) => container(&create.name, "Creating", "Created"),
        Action::Recreate { old, .. } => container(&old.name, "Recreate", "Recreated"),
        Action::Keep { container, running } if *running => {
            vec![(format!("Container {}", container.name), None, "Running")]
        }
        Action::Start(start) => container(&start.container.name, "Starting", "Started"),
        Action::Wait(wait) => {
            let done = match wait.until {
                Until::CompletedSuccessfully => "Exited",
                _ => "Healthy",
            };
            let containers = wait.containers.iter();
            containers
                .flat_map(|awaited| container(&awaited.name, "Waiting", done))
                .collect()
        }
        Action::Stop(stop) => container(&stop.container.name, "Stopping", "Stopped"),
        Action::Restart { stop, .. } => container(&stop.container.name, "Restarting", "Started"),
        Action::Kill { container: c, .. } => container(&c.name, "Killing", "Killed"),
        Action::Pause { container: c } => container(&c.name, "Pausing", "Paused"),
        Action::Unpause { container: c } => container(&c.name, "Unpausing", "Unpaused"),
        Action::Remove { container: c, .. } => container(&c.name, "Removing", "Removed"),
        Action::Keep { .. }
        | Action::Created
        | Action::Started
        | Action::Connect { .. }
        | Action::Disconnect { .. }
        | Action::PreStart { .. } => Vec::new(),
    }
}
