//! Events and results → screen. Knows no engine.

pub mod diagnostics;
pub mod out;
pub mod terminal;

/// The JSON object that stands for an error where output is JSON.
pub fn json_error(message: &str) -> String {
    serde_json::json!({ "error": true, "message": message }).to_string()
}
