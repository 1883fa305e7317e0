//! Volumes → rows of `volumes`.

use serde_json::{Value, json};

use super::template::Row;
use crate::report::ListedVolume;

/// The table of `volumes`.
pub const COLUMNS: &str = "{{.Driver}}\t{{.Name}}";

/// The titles of the fields.
pub fn header() -> Row {
    Row::of_titles(&[
        ("Name", "VOLUME NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Group", "GROUP"),
        ("Status", "STATUS"),
    ])
}

/// The fields of one volume. What only clusters know is `N/A`.
pub fn row(volume: &ListedVolume) -> Row {
    let labels: Vec<String> = volume
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let fields = json!({
        "Availability": "N/A",
        "Driver": volume.driver,
        "Group": "N/A",
        "Labels": labels.join(","),
        "Links": "N/A",
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Scope": volume.scope,
        "Size": "N/A",
        "Status": "N/A",
    });
    Row {
        fields: match fields {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        },
        labels: volume.labels.clone(),
    }
}
