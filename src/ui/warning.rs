//! Warnings: one line of text, or one JSON object.

use super::style;

/// `warning: message` and a newline.
pub fn text(message: &str, color: bool) -> String {
    format!(
        "{} {message}\n",
        style::paint(style::WARNING, "warning:", color)
    )
}

/// The warning as docker compose writes it where output is JSON, and a newline.
pub fn json(message: &str) -> String {
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let object = serde_json::json!({
        "level": "warning",
        "msg": message,
        "time": time.to_string(),
    });
    format!("{object}\n")
}
