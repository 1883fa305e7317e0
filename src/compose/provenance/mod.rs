//! Why a value is what it is: every layer that says something about it, and which one wins.
//!
//! Values of the merged tree carry the place they were written at through all stages, so the winner
//! is known; those who lost are not. [`Record`] keeps the documents as they were before merging,
//! and [`Explainer`] walks them beside the merged tree.

mod explain;
mod implied;
mod layers;
mod name;
mod question;
mod record;
mod steps;
#[cfg(test)]
mod tests;
mod trail;
mod trails;
mod value;
mod variables;
mod walk;

pub use explain::Explainer;
pub use question::Unknown;
pub use record::Record;
pub use trail::{Answer, Effect, Kind, Origin, Subject, Trail, Use};
