//! Containers: their records, their life, and what clients ask of them.
//!
//! | file | holds |
//! |---|---|
//! | `record`, `records`, `handle` | what is kept of a container, and where; all of them by id and name |
//! | `create`, `merge`, `settings`, `mounts` | a new container |
//! | `start`, `files`, `migration`, `monitor`, `restart` | a run: from its parts to its exit record |
//! | `stop`, `remove` | ending and removing |
//! | `health`, `probe` | what health checks find; running them |
//! | `exec`, `logs` | processes beside the first; the log |
//! | `archive`, `path_stat` | its files from outside |
//! | `changes` | what it has done to the files of its image |
//! | `list`, `inspect`, `shown`, `usage`, `words` | what clients are shown |
//! | `cgroup`, `update` | other limits for what is there |
//! | `parts` | the seams to images, volumes, networks and the runtime |

mod capabilities;
pub(crate) mod cgroup;
pub(crate) mod changes;
mod devices;
mod filesystems;
mod limits;
mod machine;
mod refused;
mod resources;
mod seccomp;
mod seccomp_profile;
mod security;
mod spec;
mod user;

pub(crate) use filesystems::SpecMount;
pub(crate) use machine::Machine;
pub(crate) use spec::{ExecInput, SpecInput, exec_process, make_working_folder, runtime_spec};
pub(crate) mod archive;
pub(crate) mod create;
pub(crate) mod exec;
mod files;
mod handle;
mod health;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod logs;
mod merge;
mod migration;
pub(crate) mod monitor;
mod mounts;
mod parts;
mod path_stat;
mod probe;
mod record;
mod records;
pub(crate) mod remove;
mod restart;
mod settings;
mod shown;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod update;
pub(crate) mod usage;
mod words;

pub(crate) use handle::{Containers, Handle, Live, blocking, brief};
pub(crate) use record::{Mount, Record, Status};

use crate::engine::Engine;
use crate::events::Kind;

/// Publishes what happened to a container, with Docker's attributes: its labels, `image`, `name`
/// and `extra`.
pub(crate) fn tell(engine: &Engine, record: &Record, action: &str, extra: &[(&str, String)]) {
    let mut attributes = record.labels();
    attributes.insert("image".to_owned(), record.image.clone());
    attributes.insert("name".to_owned(), record.name.clone());
    let extra = extra
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    attributes.extend(extra);
    engine
        .events
        .publish(Kind::CONTAINER, action, &record.id, attributes);
}
