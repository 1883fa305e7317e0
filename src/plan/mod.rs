//! What is wanted + what is there → what to do, as data. Pure: no I/O, clock or terminal.
//!
//! [`reconcile`] compares a [`Project`](crate::compose::Project) with the
//! [`Observed`] state of an engine and returns a [`Plan`]:
//! steps, the edges between them and the reason for each.

pub mod container;
pub mod error;
pub mod explain;
pub mod graph;
pub mod hash;
pub mod inject;
pub mod labels;
pub mod names;
pub mod network;
pub mod observed;
pub mod options;
pub mod reason;
pub mod reconcile;
pub mod reference;
pub mod requirement;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
pub mod volume;

pub use error::PlanError;
pub use observed::Observed;
pub use options::Settings;
pub use reason::Reason;
pub use step::{Action, ContainerRef, Edge, Plan, Step, StepId};
