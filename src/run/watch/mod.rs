//! Watching source files, and bringing what changed into containers.

mod changes;
mod prune;
mod rule;
mod sync;

pub use changes::Changes;
pub use prune::prune;
pub use rule::Rule;
pub use sync::{run_command, sync, sync_initially};
