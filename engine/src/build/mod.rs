//! Images from Dockerfiles, as the classic builder made them.
//!
//! | file | holds |
//! |---|---|
//! | `parse` | instructions of a Dockerfile, with their lines and here-documents |
//! | `expand`, `pattern` | variables and quotes in them; patterns in variables |
//! | `hidden` | files of the context that only the builder reads |
//! | `stages` | which stages there are, and which are needed |
//! | `builder` | the stages one by one, each instruction from the cache or anew |
//! | `stage` | what a stage has come to |
//! | `configure`, `healthcheck`, `duration`, `copying`, `copy`, `running`, `run_mounts` | what the instructions do |
//! | `secrets` | what only commands may read, and no layer has |
//! | `progress`, `classic` | what a build tells while it goes on; that as one text |
//! | `layer` | changed files as a layer |
//! | `commit` | an image of a container |

mod builder;
mod classic;
mod commit;
pub(crate) mod configure;
mod copy;
mod copying;
mod duration;
mod expand;
mod healthcheck;
mod hidden;
mod layer;
mod parse;
mod pattern;
mod progress;
mod run_mounts;
mod running;
mod secrets;
mod stage;
mod stages;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use bollard_stubs::models::HostConfig;

use crate::Error;
use crate::image::Reference;

pub(crate) use builder::build;
pub(crate) use classic::Classic;
pub(crate) use commit::{Commit, commit};
pub(crate) use parse::{Instruction, parse};
pub(crate) use progress::{Lines, Progress};
pub(crate) use secrets::{Offered, Secrets};
pub(crate) use stages::check_platform;

/// What a client asks for.
#[derive(Default)]
pub(crate) struct Build {
    /// Folder of the context.
    pub(crate) context: PathBuf,
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
    /// Whether base images are pulled although they are here.
    pub(crate) pull: bool,
    /// What a registry wants to know, Base64 as in `X-Registry-Auth`, by the registry's host.
    pub(crate) auth: HashMap<String, String>,
    /// What `RUN --mount=type=secret` gives commands.
    pub(crate) secrets: Secrets,
    /// Limits and network of the containers of `RUN`.
    pub(crate) host: HostConfig,
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
