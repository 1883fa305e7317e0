//! The container engine that rcompose brings along.
//!
//! It serves the Docker Engine API on a unix socket, so that any client of that API works with
//! it. One daemon per root directory keeps the state and answers requests; every container has a
//! *shim*, a single-threaded process that owns it, so that the daemon may end and come back
//! while containers and their logs go on.
//!
//! | room | holds |
//! |---|---|
//! | `api` | router, one file per resource of the API, hijacked connections, errors |
//! | `daemon` | serve, lock, adoption of running containers, autostart |
//! | `shim` | what runs beside each container: creation, stdio, log file, exec, exit record |
//! | `container` | state machine, OCI runtime spec, health, restart, logs, archive |
//! | `image` | references, content store, import, load, pull, snapshots |
//! | `build` | Dockerfiles |
//! | `network` | bridges, addresses, DNS, published ports, firewall |
//! | `volume`, `events`, `store` | volumes; the event log; documents |
//! | `http`, `git` | asking servers; checking repositories out |
//! | `footprint` | giving memory back |

#![cfg(target_os = "linux")]

mod api;
mod archive;
mod build;
mod container;
pub mod daemon;
mod engine;
mod error;
mod events;
mod filters;
mod footprint;
mod git;
mod http;
mod identifier;
mod image;
mod layout;
mod memory;
mod network;
pub mod shim;
mod store;
mod time;
mod volume;

pub use error::{Error, Result};
pub use image::Repository;
pub use layout::Layout;
