//! rcompose runs multi-container applications from a Compose file on any engine that speaks
//! the Docker Engine API.
//!
//! Data flows one way: files → [`compose`] → `plan` → `run` → `ui`; `cli` is the only place
//! where the rooms meet.

pub mod cli;
pub mod compose;
pub mod connect;
pub mod dockerfile;
pub mod lint;
pub mod migrate;
pub mod plan;
pub mod report;
pub mod run;
pub mod ui;
