//! Images from Dockerfiles, as BuildKit makes them.
//!
//! | file | holds |
//! |---|---|
//! | `parse` | instructions of a Dockerfile, with their lines and here-documents |
//! | `expand`, `pattern` | variables and quotes in them; patterns in variables |
//! | `hidden`, `exclusion` | files of the context that only the builder reads; patterns of `.dockerignore` |
//! | `stages`, `graph` | which stages there are and which are needed; those built, some at once |
//! | `builder`, `base` | the whole build; what a stage begins with |
//! | `steps` | each instruction from the cache or anew |
//! | `shared` | steps that several builds need at once, done by one |
//! | `stage` | what a stage has come to |
//! | `configure`, `healthcheck`, `duration` | instructions that change the configuration |
//! | `copying`, `copy`, `copier`, `found`, `summary`, `owner`, `mode`, `remote` | `COPY` and `ADD` |
//! | `running`, `run_mounts` | `RUN` |
//! | `contexts`, `manifest`, `digests` | contexts kept for the next build; what of one it need not send; what is known of its files |
//! | `secrets` | what only commands may read, and no layer has |
//! | `progress`, `classic` | what a build tells while it goes on; that as one text |
//! | `layer` | changed files as a layer |
//! | `commit` | an image of a container |

mod base;
mod builder;
mod classic;
mod commit;
pub(crate) mod configure;
mod contexts;
mod copier;
mod copy;
mod copying;
mod digests;
mod duration;
mod exclusion;
mod expand;
mod found;
mod graph;
mod healthcheck;
mod hidden;
mod layer;
mod manifest;
mod mode;
mod owner;
mod parse;
mod pattern;
mod progress;
mod remote;
mod run_mounts;
mod running;
mod secrets;
mod shared;
mod stage;
mod stages;
mod steps;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use bollard_stubs::models::HostConfig;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::image::Reference;

pub(crate) use builder::build;
pub(crate) use classic::Classic;
pub(crate) use commit::{Commit, commit};
pub(crate) use contexts::Context;
pub(crate) use digests::Digests;
pub(crate) use manifest::Manifest;
pub(crate) use parse::{Instruction, parse};
pub(crate) use progress::{Lines, Progress, Step};
pub(crate) use secrets::{Auth, Handed, Offered, PATIENCE, Secrets};
pub(crate) use shared::Shared;
pub(crate) use stages::check_platform;

/// What a client asks for.
#[derive(Default)]
pub(crate) struct Build {
    /// Folder of the context.
    pub(crate) context: PathBuf,
    /// What is known of that folder.
    pub(crate) digests: Arc<Digests>,
    /// Path of the Dockerfile in it.
    pub(crate) dockerfile: String,
    /// Names of the image.
    pub(crate) tags: Vec<Reference>,
    /// Values of `ARG`s; none takes the value of the client's environment, of which there is
    /// nothing here.
    pub(crate) args: HashMap<String, Option<String>>,
    /// Further labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The stage to end with, by name or number; empty for the last.
    pub(crate) target: String,
    /// Whether nothing is taken from the cache.
    pub(crate) no_cache: bool,
    /// The stages that take nothing from the cache, by name.
    pub(crate) uncached: Vec<String>,
    /// Whether base images are pulled although they are here.
    pub(crate) pull: bool,
    /// What registries want to know.
    pub(crate) auth: Auth,
    /// What `RUN --mount=type=secret` gives commands.
    pub(crate) secrets: Secrets,
    /// Sockets of agents, on this machine, that `RUN --mount=type=ssh` gives commands, by id.
    pub(crate) agents: BTreeMap<String, PathBuf>,
    /// Limits and network of the containers of `RUN`; privileged where `RUN --security=insecure`
    /// may be.
    pub(crate) host: HostConfig,
    /// Ends the build: nobody wants it any more.
    pub(crate) canceled: CancellationToken,
}

impl Build {
    /// Takes what the client has handed over before, its context apart.
    pub(crate) fn take(&mut self, handed: Handed) {
        self.secrets = handed.secrets;
        self.agents = handed.agents;
        self.auth.extend(handed.auth);
        self.uncached = handed.uncached;
        let (host, given) = (&mut self.host, handed.host);
        host.privileged = given.privileged;
        host.ulimits = given.ulimits.or(host.ulimits.take());
        host.shm_size = given.shm_size.or(host.shm_size);
        host.memory = given.memory.or(host.memory);
    }
}

/// A Dockerfile.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path in the context.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

/// Why a build failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// In words.
    pub(crate) error: Error,
    /// What a command of `RUN` ended with.
    pub(crate) code: Option<i64>,
    /// The lines of the instruction that failed, where it was one.
    pub(crate) lines: Option<Lines>,
    /// The Dockerfile that the lines are of; none where it could not be read.
    pub(crate) source: Option<Arc<Source>>,
}

/// Why a build ends that nobody wants any more.
pub(crate) fn canceled() -> Error {
    Error::bad_request("the build was canceled")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            code: None,
            lines: None,
            source: None,
        }
    }
}
