//! What happens to containers, as `events` shows it.

use jiff::tz::TimeZone;
use serde_json::json;

use super::template::go_json;
use crate::report::Happening;

/// `2026-01-02 15:04:05.000000 container start 12ab… (image=…, name=…)` and a newline.
pub fn text(event: &Happening, zone: &TimeZone) -> String {
    let time = event.time.to_zoned(zone.clone());
    let attributes: Vec<String> = event
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "{} container {} {} ({})\n",
        time.strftime("%Y-%m-%d %H:%M:%S.%6f"),
        event.action,
        event.container,
        attributes.join(", ")
    )
}

/// One JSON object and a newline; the time is in UTC.
pub fn json(event: &Happening) -> String {
    let object = json!({
        "action": event.action,
        "attributes": event.attributes,
        "id": event.container,
        "service": event.service,
        "time": event.time.to_string(),
        "type": "container",
    });
    go_json(&object, true) + "\n"
}
