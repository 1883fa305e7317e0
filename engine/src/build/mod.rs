//! Images from Dockerfiles, as the classic builder made them.
//!
//! | file | holds |
//! |---|---|
//! | `parse`, `expand` | instructions of a Dockerfile; variables and quotes in them |
//! | `hidden` | files of the context that only the builder reads |
//! | `stages` | which stages there are, and which are needed |
//! | `builder` | the stages one by one, each instruction from the cache or anew |
//! | `stage` | what a stage has come to |
//! | `configure`, `copying`, `copy`, `running`, `run_mounts` | what the instructions do |
//! | `secrets` | what only commands may read, and no layer has |
//! | `layer` | changed files as a layer |
//! | `commit` | an image of a container |

mod builder;
mod commit;
pub(crate) mod configure;
mod copy;
mod copying;
mod expand;
mod here_document;
mod hidden;
mod layer;
mod parse;
mod run_mounts;
mod running;
mod secrets;
mod stage;
mod stages;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bollard_stubs::models::HostConfig;

use crate::Error;
use crate::image::Reference;

pub(crate) use builder::build;
pub(crate) use commit::{Commit, commit};
pub(crate) use parse::{Instruction, parse};
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

/// Why a build failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// In words.
    pub(crate) error: Error,
    /// What a command of `RUN` ended with.
    pub(crate) code: Option<i64>,
}
