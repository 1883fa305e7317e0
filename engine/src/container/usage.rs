//! What a container uses: its processes, and figures of its control groups.

use std::collections::BTreeMap;
use std::path::PathBuf;

use libcgroups::common::{
    AnyCgroupManager, CgroupConfig, CgroupManager as _, create_cgroup_manager,
};
use libcgroups::stats::{BlkioDeviceStat, Stats};
use serde_json::{Map, Value, json};

use super::Record;
use crate::{Error, Result, time};

/// What `ps` is asked for when the client does not say.
const DEFAULT_COLUMNS: &str = "-ef";

/// The titles and rows of `ps` for a container's processes, as the host numbers them
/// (API: `ContainerTopResponse`). `arguments` are those of `ps`. Blocks.
///
/// # Errors
/// 400 for arguments that `ps` does not take or that hide the column of process ids, 500 when
/// there is no `ps`.
pub(crate) fn processes(record: &Record, arguments: Option<&str>) -> Result<Value> {
    let arguments = arguments.map(str::trim).filter(|text| !text.is_empty());
    let output = std::process::Command::new("ps")
        .args(arguments.unwrap_or(DEFAULT_COLUMNS).split_whitespace())
        .output()
        .map_err(|error| {
            Error::internal(format!(
                "run ps, which lists processes (package procps): {error}"
            ))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::bad_request(format!("ps: {}", said.trim())));
    }
    let pids = group(record)?.get_all_pids().map_err(Error::internal)?;
    let pids: Vec<i32> = pids.into_iter().map(|pid| pid.as_raw()).collect();
    table(&String::from_utf8_lossy(&output.stdout), &pids)
}

/// The rows of a table of `ps` that are of these processes.
fn table(text: &str, pids: &[i32]) -> Result<Value> {
    let mut lines = text.lines();
    let titles: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let Some(column) = titles.iter().position(|title| *title == "PID") else {
        return Err(Error::bad_request("Couldn't find PID field in ps output"));
    };
    let rows = lines.filter_map(|line| {
        let cells = cells(line, titles.len());
        let pid: i32 = cells.get(column)?.parse().ok()?;
        pids.contains(&pid).then_some(cells)
    });
    Ok(json!({ "Titles": titles, "Processes": rows.collect::<Vec<_>>() }))
}

/// The words of a line; the last column takes what is left.
fn cells(line: &str, columns: usize) -> Vec<&str> {
    let mut rest = line.trim();
    let mut cells = Vec::with_capacity(columns);
    while cells.len() + 1 < columns {
        let Some((cell, further)) = rest.split_once(char::is_whitespace) else {
            break;
        };
        cells.push(cell);
        rest = further.trim_start();
    }
    cells.push(rest);
    cells
}

fn group(record: &Record) -> Result<AnyCgroupManager> {
    create_cgroup_manager(CgroupConfig {
        cgroup_path: PathBuf::from(record.cgroup()),
        systemd_cgroup: false,
        container_name: record.id.clone(),
    })
    .map_err(Error::internal)
}

/// Ends whatever still runs in a container's control groups; there is nothing in them after
/// a boot. Blocks.
pub(crate) fn kill_all(record: &Record) {
    let pids = group(record).and_then(|group| group.get_all_pids().map_err(Error::internal));
    for pid in pids.unwrap_or_default() {
        let pid = nix::unistd::Pid::from_raw(pid.as_raw());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
}

/// What a container uses at the moment, in the shape of the API's `ContainerStatsResponse`,
/// without `precpu_stats`. Blocks.
///
/// # Errors
/// 500 when its control groups cannot be read.
pub(crate) fn usage(record: &Record) -> Result<Value> {
    let stats = group(record)?.stats().map_err(Error::internal)?;
    let mut shown = json!({
        "read": time::now(),
        "name": format!("/{}", record.name),
        "id": record.id,
        "num_procs": 0,
        "storage_stats": {},
        "pids_stats": pids(&stats),
        "cpu_stats": processors(&stats),
        "memory_stats": memory(&stats),
        "blkio_stats": devices(&stats),
    });
    let networks = networks(record.state.pid);
    if !networks.is_empty() {
        shown["networks"] = Value::Object(networks);
    }
    Ok(shown)
}

/// A container that does not run uses nothing.
pub(crate) fn nothing(record: &Record) -> Value {
    let never = time::NEVER;
    json!({
        "read": never, "preread": never,
        "name": format!("/{}", record.name), "id": record.id,
        "num_procs": 0, "storage_stats": {}, "pids_stats": {},
        "cpu_stats": nothing_of_processors(), "precpu_stats": nothing_of_processors(),
        "memory_stats": {}, "blkio_stats": devices(&Stats::default()),
    })
}

/// `cpu_stats` before anything was measured.
pub(crate) fn nothing_of_processors() -> Value {
    json!({
        "cpu_usage": { "total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0 },
        "throttling_data": { "periods": 0, "throttled_periods": 0, "throttled_time": 0 },
    })
}

fn pids(stats: &Stats) -> Value {
    match stats.pids.limit {
        0 => json!({ "current": stats.pids.current }),
        limit => json!({ "current": stats.pids.current, "limit": limit }),
    }
}

/// Nanoseconds.
fn processors(stats: &Stats) -> Value {
    let usage = &stats.cpu.usage;
    let throttling = &stats.cpu.throttling;
    let online = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    json!({
        "cpu_usage": {
            "total_usage": usage.usage_total,
            "usage_in_kernelmode": usage.usage_kernel,
            "usage_in_usermode": usage.usage_user,
        },
        "system_cpu_usage": of_the_machine(),
        "online_cpus": online,
        "throttling_data": {
            "periods": throttling.periods,
            "throttled_periods": throttling.throttled_periods,
            "throttled_time": throttling.throttled_time,
        },
    })
}

/// What all processors together have spent since boot, in nanoseconds; 0 when it is not told.
fn of_the_machine() -> u64 {
    /// Nanoseconds of a tick of `/proc/stat`.
    const TICK: u64 = 10_000_000;
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq; guests are part of user.
    let ticks = first.split_whitespace().skip(1).take(7);
    ticks
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum::<u64>()
        * TICK
}

/// Bytes.
fn memory(stats: &Stats) -> Value {
    let figures = &stats.memory.memory;
    let sorted: BTreeMap<_, _> = stats.memory.stats.iter().collect();
    // Without a limit of its own a container has the machine's memory.
    let machine = machine_memory();
    let limit = match figures.limit {
        0 => machine,
        limit => limit.min(machine),
    };
    json!({ "usage": figures.usage, "limit": limit, "stats": sorted })
}

/// The machine's memory in bytes.
pub(crate) fn machine_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|total| total.trim().trim_end_matches(" kB").parse().ok());
    kibibytes.unwrap_or(0_u64) * 1024
}

fn devices(stats: &Stats) -> Value {
    let list = |entries: &[BlkioDeviceStat]| -> Value {
        let entries = entries.iter().map(|entry| {
            json!({
                "major": entry.major, "minor": entry.minor,
                "op": entry.op_type.as_deref().unwrap_or_default().to_lowercase(),
                "value": entry.value,
            })
        });
        entries.collect()
    };
    json!({
        "io_service_bytes_recursive": list(&stats.blkio.service_bytes),
        "io_serviced_recursive": list(&stats.blkio.serviced),
        "io_queue_recursive": null, "io_service_time_recursive": null,
        "io_wait_time_recursive": null, "io_merged_recursive": null,
        "io_time_recursive": null, "sectors_recursive": null,
    })
}

/// Traffic of each link of a process's network namespace but the loopback, by its name.
fn networks(pid: i32) -> Map<String, Value> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    let links = text.lines().filter_map(|line| {
        let (name, figures) = line.split_once(':')?;
        let figures: Vec<u64> = figures
            .split_whitespace()
            .filter_map(|figure| figure.parse().ok())
            .collect();
        let [rx_bytes, rx_packets, rx_errors, rx_dropped, _, _, _, _, tx_bytes, tx_packets, tx_errors, tx_dropped, ..] =
            figures[..]
        else {
            return None;
        };
        let shown = json!({
            "rx_bytes": rx_bytes, "rx_packets": rx_packets, "rx_errors": rx_errors, "rx_dropped": rx_dropped,
            "tx_bytes": tx_bytes, "tx_packets": tx_packets, "tx_errors": tx_errors, "tx_dropped": tx_dropped,
        });
        Some((name.trim().to_owned(), shown))
    });
    links.filter(|(name, _)| name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_containers_processes() {
        let text = "UID   PID  PPID CMD\nroot    7     1 sh -c 'a  b'\nroot   8  1 other\n";
        let shown = table(text, &[7]).unwrap();
        assert_eq!(shown["Titles"], json!(["UID", "PID", "PPID", "CMD"]));
        assert_eq!(
            shown["Processes"],
            json!([["root", "7", "1", "sh -c 'a  b'"]])
        );
        assert_eq!(table("USER CMD\nroot sh\n", &[7]).unwrap_err().status, 400);
    }

    #[test]
    fn the_machine_is_measured() {
        assert!(of_the_machine() > 0);
        assert!(machine_memory() > 1 << 20);
    }
}
