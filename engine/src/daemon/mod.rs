//! The daemon: one per root folder.
//!
//! [`serve()`] is the daemon itself. Everything else is for those who deal with it from outside:
//! [`Place`] tells where it is, [`start()`] brings it up in the background, [`stop`] makes it
//! leave, [`Running`] tells about the one that runs, [`prune()`] removes all it has kept.

mod activity;
mod detach;
mod lock;
mod log;
mod place;
mod prune;
mod running;
mod serve;
mod start;
mod volatile;

pub use detach::{close_inherited, detach};
pub use log::{LogWriter, follow, rotate};
pub use place::{DEFAULT_ROOT, Place};
pub use prune::prune;
pub use running::Running;
pub use serve::{ServeOptions, serve};
pub use start::{READY, Started, start, stop};
