//! Containers → rows of `ps`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::format::{human_duration, human_size};
use super::template::{Row, go_json};
use crate::report::{Listed, Published};

/// The table of `ps`.
pub const COLUMNS: &str =
    "{{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}";

/// Columns of a command in a table.
const COMMAND_WIDTH: usize = 20;
/// Columns of a mount in a table.
const MOUNT_WIDTH: usize = 15;
/// Digits of an id in a table.
const ID_WIDTH: usize = 12;

/// The titles of the fields that have one.
pub fn header() -> Row {
    Row::of_titles(&[
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("Project", "PROJECT"),
        ("Service", "SERVICE"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
    ])
}

/// The fields of one container; `cut` shortens long values.
pub fn row(container: &Listed, cut: bool, now: Timestamp, zone: &TimeZone) -> Row {
    let labels: Vec<String> = container
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let created = Timestamp::from_second(container.created).unwrap_or_default();
    let shown = |text: &str, width: usize| {
        if cut {
            ellipsis(text, width)
        } else {
            text.to_owned()
        }
    };
    let id: String = if cut {
        container.id.chars().take(ID_WIDTH).collect()
    } else {
        container.id.clone()
    };
    let mounts: Vec<String> = container
        .mounts
        .iter()
        .map(|mount| shown(mount, MOUNT_WIDTH))
        .collect();
    let fields = json!({
        "Command": quote(&shown(&container.command, COMMAND_WIDTH)),
        "CreatedAt": created.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string(),
        "ExitCode": container.exit_code,
        "Health": container.health,
        "ID": id,
        "Image": container.image,
        "Labels": labels.join(","),
        "LocalVolumes": container.local_volumes.to_string(),
        "Mounts": mounts.join(","),
        "Name": container.name,
        "Names": names(container, cut),
        "Networks": container.networks.join(","),
        "Ports": ports(&container.ports),
        "Project": container.project(),
        "Publishers": container.ports.iter().map(publisher).collect::<Vec<_>>(),
        "RunningFor": format!("{} ago", human_duration(age(created, now))),
        "Service": container.service(),
        "Size": size(container),
        "State": container.state,
        "Status": container.status,
    });
    Row {
        fields: into_map(fields),
        labels: container.labels.clone(),
    }
}

/// How long ago something was; nothing for the future.
pub fn age(then: Timestamp, now: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn names(container: &Listed, cut: bool) -> String {
    if cut {
        container.name.clone()
    } else {
        container.names.join(",")
    }
}

fn publisher(port: &Published) -> Value {
    json!({
        "URL": port.ip,
        "TargetPort": port.target,
        "PublishedPort": port.published,
        "Protocol": port.protocol,
    })
}

fn size(container: &Listed) -> String {
    let own = human_size(container.size, 3);
    if container.full_size > 0 {
        format!("{own} (virtual {})", human_size(container.full_size, 3))
    } else {
        own
    }
}

/// Text in quotes, as Go's `%q` without escaping what can be printed.
fn quote(text: &str) -> String {
    go_json(&Value::String(text.to_owned()), false)
}

/// The text, or its beginning and an ellipsis where it is wider.
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let kept: String = text
        .chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= width
        })
        .collect();
    kept + "…"
}

/// Ports in the docker CLI's words: neighbours of one address are joined to a range, those whose
/// number differs on the host come last.
pub fn ports(ports: &[Published]) -> String {
    let mut sorted: Vec<&Published> = ports.iter().collect();
    sorted.sort_by(|a, b| {
        (a.target, &a.ip, a.published, &a.protocol).cmp(&(
            b.target,
            &b.ip,
            b.published,
            &b.protocol,
        ))
    });
    let mut ranges: Vec<Range<'_>> = Vec::new();
    let mut closed = Vec::new();
    let mut mappings = Vec::new();
    for port in sorted {
        if !port.ip.is_empty() && port.published != port.target {
            mappings.push(format!(
                "{}:{}->{}/{}",
                host(&port.ip),
                port.published,
                port.target,
                port.protocol
            ));
            continue;
        }
        let open = ranges
            .iter_mut()
            .find(|range| range.ip == port.ip && range.protocol == port.protocol);
        match open {
            None => ranges.push(Range::of(port)),
            Some(range) if range.last.checked_add(1) == Some(port.target) => {
                range.last = port.target;
            }
            Some(range) => closed.push(std::mem::replace(range, Range::of(port)).show()),
        }
    }
    closed.extend(ranges.iter().map(Range::show));
    closed.extend(mappings);
    closed.join(", ")
}

struct Range<'a> {
    ip: &'a str,
    protocol: &'a str,
    first: u16,
    last: u16,
}

impl<'a> Range<'a> {
    fn of(port: &'a Published) -> Self {
        Self {
            ip: &port.ip,
            protocol: &port.protocol,
            first: port.target,
            last: port.target,
        }
    }

    fn show(&self) -> String {
        let numbers = if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{}-{}", self.first, self.last)
        };
        if self.ip.is_empty() {
            format!("{numbers}/{}", self.protocol)
        } else {
            format!("{}:{numbers}->{numbers}/{}", host(self.ip), self.protocol)
        }
    }
}

/// An address as it stands before a port.
fn host(ip: &str) -> String {
    if ip.contains(':') {
        format!("[{ip}]")
    } else {
        ip.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: &str, published: u16, target: u16, protocol: &str) -> Published {
        Published {
            target,
            ip: ip.into(),
            published,
            protocol: protocol.into(),
        }
    }

    #[test]
    fn ports_are_grouped() {
        assert_eq!(
            ports(&[
                port("0.0.0.0", 18080, 80, "tcp"),
                port("::", 18080, 80, "tcp"),
                port("127.0.0.1", 32768, 81, "udp"),
            ]),
            "0.0.0.0:18080->80/tcp, [::]:18080->80/tcp, 127.0.0.1:32768->81/udp"
        );
        assert_eq!(
            ports(&[
                port("", 0, 9001, "tcp"),
                port("", 0, 9000, "tcp"),
                port("", 0, 9003, "tcp"),
                port("0.0.0.0", 80, 80, "tcp"),
            ]),
            "9000-9001/tcp, 0.0.0.0:80->80/tcp, 9003/tcp"
        );
    }

    #[test]
    fn long_commands_are_cut_within_their_quotes() {
        let container = Listed {
            command: "sh -c 'echo db-up; sleep 5'".into(),
            id: "f26a971f2c70bd5ede60".into(),
            ..Listed::default()
        };
        let row = row(&container, true, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        assert_eq!(row.fields["Command"], "\"sh -c 'echo db-up; …\"");
        assert_eq!(row.fields["ID"], "f26a971f2c70");
        assert_eq!(row.fields["CreatedAt"], "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(row.fields["RunningFor"], "Less than a second ago");
        assert_eq!(row.fields["Size"], "0B");
    }
}
