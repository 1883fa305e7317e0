//! A plan: steps and the edges between them.

use std::fmt;
use std::sync::Arc;

use crate::compose::Diagnostic;
use crate::compose::model::{Hook, Service};

use super::reason::Reason;

/// Index of a step in [`Plan::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub usize);

/// What to do. A step comes after all steps it waits for, so the order of the list is a valid
/// order of execution; anything the edges allow may run side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// What people should know before it runs.
    pub warnings: Vec<Diagnostic>,
    /// The [`Action::Created`] step, where the plan has one.
    pub created: Option<StepId>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What must have ended before.
    pub after: Vec<Edge>,
}

/// A step that must have ended before another begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The earlier step.
    pub step: StepId,
    /// Whether its failure keeps the later step from running. Where `false`, a failure is a
    /// warning and the later step runs all the same.
    pub required: bool,
}

/// A container that exists or that a step of the plan creates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerRef {
    /// The name it has in the end.
    pub name: String,
    /// Its service; empty where not known.
    pub service: String,
    /// How to find its id.
    pub origin: Origin,
}

/// How to find a container's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It exists and has this id.
    Existing(String),
    /// A [`Action::Create`] or [`Action::Recreate`] step makes it.
    Created(StepId),
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Pull an image.
    Pull(Pull),
    /// Build the image of a service.
    Build {
        /// The service with its `build`.
        service: Arc<Service>,
        /// The image's name.
        image: String,
        /// A pull of the same name; the build is skipped when it succeeded.
        unless_pulled: Option<StepId>,
    },
    /// Create a network.
    CreateNetwork {
        /// Its key in `networks`.
        key: String,
        /// Its name.
        name: String,
    },
    /// Remove a network; one that is still in use is left with a note.
    RemoveNetwork {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Whether the plan needs it gone (a diverged network), so that "in use" is an error.
        required: bool,
    },
    /// Attach a container to a network.
    Connect {
        /// The network's name.
        network: String,
        /// The network's key in `networks`.
        key: String,
        /// The container.
        container: ContainerRef,
        /// The service with its `networks`.
        service: Arc<Service>,
        /// The container's number.
        number: u32,
    },
    /// Detach a container from a network, by force.
    Disconnect {
        /// The network's id.
        network: String,
        /// The network's name.
        name: String,
        /// The container.
        container: ContainerRef,
    },
    /// Create a volume.
    CreateVolume {
        /// Its key in `volumes`.
        key: String,
        /// Its name.
        name: String,
    },
    /// Remove a volume; one that is still in use is left with a note.
    RemoveVolume {
        /// Its name.
        name: String,
        /// Whether the plan needs it gone (a diverged volume), so that "in use" is an error.
        required: bool,
    },
    /// Remove an image; one that is still in use is left with a note.
    RemoveImage {
        /// Its name or id.
        image: String,
    },
    /// Create a container.
    Create(Create),
    /// Replace a container: create the new one under a temporary name, stop the old one,
    /// remove it, rename the new one.
    Recreate {
        /// The container that goes.
        old: ContainerRef,
        /// The container that comes.
        create: Create,
        /// Temporary name of the new container.
        temporary_name: String,
        /// Seconds to give the old one to stop; its own where absent.
        timeout: Option<i64>,
    },
    /// Leave a container as it is; said so that people see it.
    Keep {
        /// The container.
        container: ContainerRef,
        /// Whether it is running now.
        running: bool,
    },
    /// All containers are created: none is started before, all of the above have ended.
    Created,
    /// All containers are started: what `--wait` waits for is waited for from here on.
    Started,
    /// Run one `pre_start` hook of a service in a container of its own, to completion.
    PreStart {
        /// The service with its hooks.
        service: Arc<Service>,
        /// Index in `pre_start`.
        hook: usize,
        /// The container about to be started.
        container: ContainerRef,
    },
    /// Start a container.
    Start(Start),
    /// Wait for containers of one service.
    Wait(Wait),
    /// Stop a container that may be running.
    Stop(Stop),
    /// Restart a container, hooks included.
    Restart {
        /// How to stop it.
        stop: Stop,
        /// Commands to run in it afterwards.
        post_start: Vec<Hook>,
    },
    /// Send a signal.
    Kill {
        /// The container.
        container: ContainerRef,
        /// The signal.
        signal: String,
    },
    /// Freeze.
    Pause {
        /// The container.
        container: ContainerRef,
    },
    /// Unfreeze.
    Unpause {
        /// The container.
        container: ContainerRef,
    },
    /// Remove a container.
    Remove {
        /// The container.
        container: ContainerRef,
        /// Also its anonymous volumes.
        volumes: bool,
        /// Even if it runs.
        force: bool,
    },
}

/// An image to pull.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Services that use it, the first gives its name to the progress lines.
    pub services: Vec<String>,
    /// The reference.
    pub image: String,
    /// `os/arch/variant`; the engine's own where absent.
    pub platform: Option<String>,
    /// Whether a failure is only a warning because the image can be built.
    pub buildable: bool,
}

/// A container to create. [`container::request`](super::container::request) makes the API request of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// The effective service (of a one-off: with the command line's changes).
    pub service: Arc<Service>,
    /// Number among the replicas; absent for a one-off.
    pub number: Option<u32>,
    /// The name it has in the end.
    pub name: String,
    /// Id of the image, where known; becomes a label.
    pub image_id: Option<String>,
    /// Containers that stand for the `service:x` references of the service, keyed by `x`.
    pub references: Vec<(String, ContainerRef)>,
    /// `container:alias` links.
    pub links: Vec<String>,
    /// Mounts taken over from the container it replaces.
    pub inherited: Vec<InheritedMount>,
    /// `com.docker.compose.replace`, where it replaces a container.
    pub replaces: Option<String>,
    /// What makes it a one-off.
    pub one_off: Option<OneOff>,
    /// Security profiles to read: values of `security_opt` that name files.
    pub seccomp_files: Vec<String>,
    /// Hash of the contents of the configs and secrets copied into it; becomes a label.
    pub content_hash: Option<String>,
}

/// A mount that goes from a replaced container to the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InheritedMount {
    /// `volume` or `bind`.
    pub kind: String,
    /// Volume name or host path.
    pub source: String,
    /// Path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// What makes a container a one-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    /// 64 hexadecimal digits.
    pub slug: String,
    /// Whether the engine removes it when it ends.
    pub auto_remove: bool,
    /// Whether it answers to the service's name and aliases.
    pub use_aliases: bool,
    /// Whether standard input is attached.
    pub attach_stdin: bool,
}

/// A container to start.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The container.
    pub container: ContainerRef,
    /// Files to copy into it first.
    pub inject: Vec<Injection>,
    /// Commands to run in it afterwards.
    pub post_start: Vec<Hook>,
    /// The service, where the project's files are at hand.
    pub service: Option<Arc<Service>>,
}

/// A file to copy into a container before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// Absolute path in the container.
    pub target: String,
    /// What is in it.
    pub content: Content,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether owner or group were given, so that the engine must keep them.
    pub owned: bool,
    /// Permission bits.
    pub mode: u32,
}

/// The content of an [`Injection`].
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// This text.
    Text(String),
    /// The user's registry credentials, as a client's configuration file.
    RegistryCredentials,
}

impl fmt::Debug for Content {
    // Secrets must not reach logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::RegistryCredentials => "RegistryCredentials",
        })
    }
}

/// A container to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// The container.
    pub container: ContainerRef,
    /// Seconds before it is killed; its own grace period where absent.
    pub timeout: Option<i64>,
    /// Commands to run in it before.
    pub pre_stop: Vec<Hook>,
    /// The service, where the project's files are at hand.
    pub service: Option<Arc<Service>>,
}

/// Containers to wait for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The service waited for.
    pub service: String,
    /// What must hold.
    pub until: Until,
    /// Its containers.
    pub containers: Vec<ContainerRef>,
    /// Services that wait; empty for `--wait`.
    pub dependents: Vec<String>,
    /// Seconds until giving up; `--wait-timeout`.
    pub timeout: Option<u64>,
    /// Whether all of it held when the engine was observed, so that nothing need be asked.
    pub satisfied: bool,
}

/// What a [`Wait`] waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All are healthy; one that is unhealthy, has exited or has no healthcheck is a failure.
    Healthy,
    /// The first that exited did so with 0.
    CompletedSuccessfully,
    /// All are healthy, or run where they have no healthcheck.
    RunningOrHealthy {
        /// Whether one that exited with 0 will do too.
        exited_zero: bool,
    },
}

impl Plan {
    /// Adds a step and returns its id. `after` must name earlier steps; of several edges to one
    /// step the required one counts.
    pub fn push(&mut self, action: Action, reason: Reason, mut after: Vec<Edge>) -> StepId {
        after.sort_by_key(|edge| (edge.step, !edge.required));
        after.dedup_by_key(|edge| edge.step);
        debug_assert!(after.iter().all(|edge| edge.step.0 < self.steps.len()));
        self.steps.push(Step {
            action,
            reason,
            after,
        });
        StepId(self.steps.len() - 1)
    }

    /// The step that `id` names.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0]
    }

    /// Whether containers are there when it has run, or may be.
    pub fn has_containers(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(
                step.action,
                Action::Create(_)
                    | Action::Recreate { .. }
                    | Action::Keep { .. }
                    | Action::Start(_)
            )
        })
    }

    /// Whether running it would change nothing.
    pub fn is_noop(&self) -> bool {
        self.steps.iter().all(|step| {
            matches!(
                step.action,
                Action::Keep { .. } | Action::Created | Action::Started | Action::Wait(_)
            )
        })
    }
}

impl Edge {
    /// An edge whose failure keeps the later step from running.
    pub fn required(step: StepId) -> Self {
        Self {
            step,
            required: true,
        }
    }

    /// An edge whose failure is a warning.
    pub fn optional(step: StepId) -> Self {
        Self {
            step,
            required: false,
        }
    }
}
