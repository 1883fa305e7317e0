//! What `run` tells and `ui` shows: plain data that knows neither an engine nor a terminal.

pub mod build;
mod container;
pub mod event;
mod excerpt;
mod happening;
mod image;
mod processes;
pub mod usage;
mod volume;

pub use container::{Listed, Published};
pub use excerpt::Excerpt;
pub use happening::Happening;
pub use image::UsedImage;
pub use processes::Processes;
pub use volume::ListedVolume;
