//! Control groups of containers once they are there: other limits, and leaving none behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{Error, Result};

/// Where control groups are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// The group that those of all containers are in.
const PARENT: &str = "rcompose";

/// A file of a control group: its controller, its name, what to write.
type Write = (&'static str, &'static str, String);

/// Gives a group other limits: `resources` as the OCI runtime specification has them, of which
/// memory, processors, processes and the weight of block devices count. Blocks.
///
/// # Errors
/// 500 when the kernel refuses one.
pub(super) fn limit(group: &str, resources: &Map<String, Value>, unified: bool) -> Result<()> {
    let group = group.trim_start_matches('/');
    let folder = |controller: &str| {
        let hierarchy = if unified { "" } else { controller };
        Path::new(ROOT).join(hierarchy).join(group)
    };
    let writes = if unified {
        second(resources)
    } else {
        first(resources)
    };
    let mut refused: Vec<(PathBuf, String)> = Vec::new();
    for (controller, file, value) in writes {
        let path = folder(controller).join(file);
        match fs::write(&path, &value) {
            // Not every kernel has a weight of block devices.
            Err(error) if file.ends_with("weight") && is_missing(&error) => {}
            Err(_) => refused.push((path, value)),
            Ok(()) => {}
        }
    }
    // Memory alone may not have more than with swap, so of both the second has to be first at
    // times.
    for (path, value) in refused {
        fs::write(&path, value).map_err(|error| Error::io("write", &path, error))?;
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}

fn text(resources: &Map<String, Value>, part: &str, name: &str) -> Option<String> {
    match resources.get(part)?.get(name)? {
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// For version 1, a hierarchy for each controller.
fn first(resources: &Map<String, Value>) -> Vec<Write> {
    let files = [
        ("memory", "limit", "memory", "memory.limit_in_bytes"),
        ("memory", "swap", "memory", "memory.memsw.limit_in_bytes"),
        (
            "memory",
            "reservation",
            "memory",
            "memory.soft_limit_in_bytes",
        ),
        ("cpu", "shares", "cpu", "cpu.shares"),
        ("cpu", "period", "cpu", "cpu.cfs_period_us"),
        ("cpu", "quota", "cpu", "cpu.cfs_quota_us"),
        ("cpu", "cpus", "cpuset", "cpuset.cpus"),
        ("cpu", "mems", "cpuset", "cpuset.mems"),
        ("blockIO", "weight", "blkio", "blkio.weight"),
    ];
    let writes = files
        .into_iter()
        .filter_map(|(part, name, controller, file)| {
            Some((controller, file, text(resources, part, name)?))
        });
    let processes =
        text(resources, "pids", "limit").map(|limit| ("pids", "pids.max", most(&limit)));
    writes.chain(processes).collect()
}

/// For version 2, one hierarchy.
fn second(resources: &Map<String, Value>) -> Vec<Write> {
    let number = |part: &str, name: &str| resources.get(part)?.get(name)?.as_i64();
    let limit = number("memory", "limit");
    let swap = number("memory", "swap").map(|both| match (both, limit) {
        (-1, _) => -1,
        (both, limit) => (both - limit.unwrap_or_default()).max(0),
    });
    let period = number("cpu", "period").unwrap_or(100_000);
    let share =
        number("cpu", "quota").map(|quota| format!("{} {period}", most(&quota.to_string())));
    let weight = number("cpu", "shares").map(|shares| {
        let shares = shares.clamp(2, 262_144);
        (1 + (shares - 2) * 9_999 / 262_142).to_string()
    });
    let bytes = |value: Option<i64>| value.map(|value| most(&value.to_string()));
    let writes = [
        ("memory.max", bytes(limit)),
        ("memory.swap.max", bytes(swap)),
        ("memory.low", bytes(number("memory", "reservation"))),
        ("cpu.weight", weight),
        ("cpu.max", share),
        ("cpuset.cpus", text(resources, "cpu", "cpus")),
        ("cpuset.mems", text(resources, "cpu", "mems")),
        (
            "pids.max",
            text(resources, "pids", "limit").map(|limit| most(&limit)),
        ),
        ("io.bfq.weight", text(resources, "blockIO", "weight")),
    ];
    let given = writes.into_iter();
    given
        .filter_map(|(file, value)| Some(("", file, value?)))
        .collect()
}

/// A limit, or what the kernel calls none.
fn most(limit: &str) -> String {
    if limit.starts_with('-') { "max" } else { limit }.to_owned()
}

/// Removes the group that those of containers were in, from every hierarchy; where another
/// engine has containers in it, it stays.
pub(crate) fn remove_parents() {
    let hierarchies = fs::read_dir(ROOT).into_iter().flatten().flatten();
    let folders = hierarchies.map(|entry| entry.path());
    for folder in folders.chain([PathBuf::from(ROOT)]) {
        let _ = fs::remove_dir(folder.join(PARENT));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resources() -> Map<String, Value> {
        let resources = json!({
            "memory": { "limit": 100, "swap": 150 },
            "cpu": { "shares": 1024, "quota": 50_000, "period": 100_000, "cpus": "0" },
            "pids": { "limit": -1 },
        });
        resources.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn files_of_the_first_version() {
        let writes = first(&resources());
        assert!(writes.contains(&("memory", "memory.memsw.limit_in_bytes", "150".to_owned())));
        assert!(writes.contains(&("cpuset", "cpuset.cpus", "0".to_owned())));
        assert!(writes.contains(&("pids", "pids.max", "max".to_owned())));
        assert_eq!(writes.len(), 7);
    }

    #[test]
    fn files_of_the_second_version() {
        let writes = second(&resources());
        let expected = [
            ("memory.max", "100"),
            ("memory.swap.max", "50"),
            ("cpu.weight", "39"),
            ("cpu.max", "50000 100000"),
            ("cpuset.cpus", "0"),
            ("pids.max", "max"),
        ];
        assert_eq!(
            writes,
            expected.map(|(file, value)| ("", file, value.to_owned()))
        );
    }
}
