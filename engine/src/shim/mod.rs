//! What runs beside each container.
//!
//! A shim is a process with one thread and no async runtime, because the container library changes
//! the state of the process that calls it; it is forked from another one of that kind. It creates the container,
//! holds its stdio or terminal, writes its log, serves attach and exec on a socket of its own,
//! reaps it and writes down how it ended. The daemon may end and come back meanwhile.
//!
//! The shim's side: `process`, `early`, `polling`, `serving`, `create`, `first`, `membership`, `groups`, `control_groups`,
//! `device_filter`, `filter`, `executor`, `init`, `log_file`, `connection`, `stdio`. The daemon's side: `launch`, `link`. What passes between them: `protocol`, `socket`, `fork_server`.

mod connection;
mod control_groups;
mod create;
mod device_filter;
mod early;
mod executor;
mod filter;
mod first;
mod fork_server;
mod groups;
mod init;
mod launch;
mod link;
mod log_file;
mod membership;
mod polling;
mod process;
mod protocol;
mod serving;
mod socket;
mod stdio;
#[cfg(test)]
mod tests;

pub(crate) use fork_server::ForkServer;
pub use fork_server::serve_forks;
pub(crate) use launch::{Confinement, ExitRecord, Launch, LogLimits, exit_record, launch};
pub(crate) use link::{Link, Session};
pub(crate) use protocol::{AttachRequest, ExecRequest, Frame, Notice, Request, Stream};
pub(crate) use socket::is_alive;
