//! The daemon: one per root folder.

mod lock;
mod serve;

pub use serve::{ServeOptions, serve};
