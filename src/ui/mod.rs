//! Events and results → screen. Knows no engine.

pub mod containers;
pub mod diagnostics;
pub mod format;
pub mod graph;
pub mod happenings;
pub mod images;
pub mod lint;
pub mod listing;
pub mod log_printer;
pub mod menu;
pub mod out;
pub mod progress;
pub mod projects;
pub mod screen;
pub mod stats;
pub mod style;
pub mod table;
pub mod template;
pub mod terminal;
pub mod top;
pub mod volumes;
pub mod warning;
pub mod watch;
pub mod why;

pub use screen::Screen;

/// The JSON object that stands for an error where output is JSON.
pub fn json_error(message: &str) -> String {
    serde_json::json!({ "error": true, "message": message }).to_string()
}
