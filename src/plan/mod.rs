//! What is wanted + what is there → what to do, as data. Pure: no I/O, clock or terminal.
//!
//! `reconcile` compares a [`Project`](crate::compose::Project) with the
//! [`Observed`](observed::Observed) state of an engine and returns a [`Plan`](step::Plan):
//! steps, the edges between them and the reason for each.

pub mod hash;
pub mod observed;
pub mod options;
pub mod step;

pub use observed::Observed;
pub use options::Settings;
pub use step::{Action, ContainerRef, Edge, Plan, Reason, Step, StepId};
