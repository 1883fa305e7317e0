//! Runs what a plan says on an engine, and what commands ask of running containers.
//!
//! This room decides nothing and prints nothing: it does, waits, and sends
//! [`crate::report::event::Event`]s.

pub mod artifact;
pub mod attach;
pub mod bridge;
pub mod build;
pub mod cleanup;
pub mod commit;
pub mod container_end;
pub mod copy;
pub mod detach_keys;
pub mod digest;
pub mod error;
pub mod events;
pub mod exec;
pub mod export;
pub mod happenings;
mod hijack;
pub mod list;
pub mod logs;
pub mod observe;
pub mod oneoff;
pub mod provider;
pub mod pull;
pub mod push;
pub mod reference;
pub mod registry_auth;
pub mod rehearse;
pub mod select;
pub mod stats;
pub mod streams;
pub mod terminal;
pub mod wait;
pub mod watch;

mod container;
pub mod execute;
mod file_metadata;
mod hook;
mod image;
mod inject;
pub mod job;
mod network;
mod packing;
mod pre_start;
mod proxy;
mod volume;
pub use error::{Error, Kind};

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
