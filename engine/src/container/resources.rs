//! Limits of a container's control groups.

use std::os::unix::fs::MetadataExt as _;

use bollard_stubs::models::{HostConfig, ThrottleDevice};
use nix::sys::stat::{major, minor};
use serde_json::{Map, Value, json};

use super::machine::Machine;
use crate::{Error, Result};

/// Length of the period of which `NanoCpus` is a share, in microseconds.
const PERIOD: i64 = 100_000;

/// Lowest limit of memory, in bytes: less than that and nothing starts.
const LEAST_MEMORY: i64 = 6 << 20;

/// The OCI runtime specification's `linux.resources`, without device rules.
///
/// # Errors
/// 400 for limits that make no sense or name devices that do not exist.
pub(crate) fn resources(host: &HostConfig, machine: &Machine) -> Result<Map<String, Value>> {
    let mut resources = Map::new();
    put(&mut resources, "memory", memory(host, machine)?);
    put(&mut resources, "cpu", cpu(host)?);
    put(&mut resources, "blockIO", block_io(host)?);
    if let Some(limit) = host.pids_limit.filter(|limit| *limit > 0) {
        resources.insert("pids".to_owned(), json!({"limit": limit}));
    }
    Ok(resources)
}

fn put(resources: &mut Map<String, Value>, name: &str, part: Map<String, Value>) {
    if !part.is_empty() {
        resources.insert(name.to_owned(), Value::Object(part));
    }
}

/// What is not set or zero is left to the kernel.
fn set(part: &mut Map<String, Value>, name: &str, value: Option<i64>) {
    if let Some(value) = value.filter(|value| *value != 0) {
        part.insert(name.to_owned(), json!(value));
    }
}

fn memory(host: &HostConfig, machine: &Machine) -> Result<Map<String, Value>> {
    let limit = host.memory.unwrap_or_default();
    let swap = host.memory_swap.unwrap_or_default();
    let reservation = host.memory_reservation.unwrap_or_default();
    if limit != 0 && limit < LEAST_MEMORY {
        return Err(Error::bad_request("Minimum memory limit allowed is 6MB"));
    }
    if swap > 0 && limit == 0 {
        return Err(Error::bad_request(
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ));
    }
    if swap > 0 && swap < limit {
        return Err(Error::bad_request(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if limit > 0 && reservation > limit {
        return Err(Error::bad_request(
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ));
    }
    let mut memory = Map::new();
    set(&mut memory, "limit", host.memory);
    set(&mut memory, "reservation", host.memory_reservation);
    if machine.limits_swap {
        // As much swap as memory, unless something else is said.
        let both = if swap == 0 {
            limit.saturating_mul(2)
        } else {
            swap
        };
        set(&mut memory, "swap", Some(both));
    }
    if machine.unified {
        return Ok(memory);
    }
    if let Some(swappiness) = host.memory_swappiness.filter(|value| *value >= 0) {
        if swappiness > 100 {
            return Err(Error::bad_request(format!(
                "Invalid value: {swappiness}, valid memory swappiness range is 0-100"
            )));
        }
        memory.insert("swappiness".to_owned(), json!(swappiness));
    }
    if host.oom_kill_disable == Some(true) {
        memory.insert("disableOOMKiller".to_owned(), json!(true));
    }
    Ok(memory)
}

fn cpu(host: &HostConfig) -> Result<Map<String, Value>> {
    let mut cpu = Map::new();
    set(&mut cpu, "shares", host.cpu_shares);
    let nano = host.nano_cpus.unwrap_or_default();
    if nano < 0 {
        return Err(Error::bad_request("NanoCpus must not be negative"));
    }
    if nano == 0 {
        set(&mut cpu, "period", host.cpu_period);
        set(&mut cpu, "quota", host.cpu_quota);
    } else if host.cpu_period.unwrap_or_default() != 0 || host.cpu_quota.unwrap_or_default() != 0 {
        return Err(Error::bad_request(
            "Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set",
        ));
    } else {
        // In two steps, so that nothing overflows: thousandths of a processor are exact enough.
        let quota = nano / 10_000;
        cpu.insert("period".to_owned(), json!(PERIOD));
        cpu.insert("quota".to_owned(), json!(quota.max(1_000)));
    }
    set(&mut cpu, "realtimePeriod", host.cpu_realtime_period);
    set(&mut cpu, "realtimeRuntime", host.cpu_realtime_runtime);
    for (name, value) in [("cpus", &host.cpuset_cpus), ("mems", &host.cpuset_mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            cpu.insert(name.to_owned(), json!(value));
        }
    }
    Ok(cpu)
}

fn block_io(host: &HostConfig) -> Result<Map<String, Value>> {
    let mut block = Map::new();
    set(&mut block, "weight", host.blkio_weight.map(i64::from));
    let weights = host.blkio_weight_device.iter().flatten().map(|device| {
        let mut numbers = numbers(device.path.as_deref())?;
        numbers.insert(
            "weight".to_owned(),
            json!(device.weight.unwrap_or_default()),
        );
        Ok(Value::Object(numbers))
    });
    let weights = weights.collect::<Result<Vec<_>>>()?;
    if !weights.is_empty() {
        block.insert("weightDevice".to_owned(), json!(weights));
    }
    for (name, devices) in [
        ("throttleReadBpsDevice", &host.blkio_device_read_bps),
        ("throttleWriteBpsDevice", &host.blkio_device_write_bps),
        ("throttleReadIOPSDevice", &host.blkio_device_read_iops),
        ("throttleWriteIOPSDevice", &host.blkio_device_write_iops),
    ] {
        let throttled = devices.iter().flatten().map(throttle);
        let throttled = throttled.collect::<Result<Vec<_>>>()?;
        if !throttled.is_empty() {
            block.insert(name.to_owned(), json!(throttled));
        }
    }
    Ok(block)
}

fn throttle(device: &ThrottleDevice) -> Result<Value> {
    let mut numbers = numbers(device.path.as_deref())?;
    numbers.insert("rate".to_owned(), json!(device.rate.unwrap_or_default()));
    Ok(Value::Object(numbers))
}

fn numbers(path: Option<&str>) -> Result<Map<String, Value>> {
    let path = path.unwrap_or_default();
    let metadata = std::fs::metadata(path)
        .map_err(|error| Error::bad_request(format!("device {path:?}: {error}")))?;
    let mut numbers = Map::new();
    numbers.insert("major".to_owned(), json!(major(metadata.rdev())));
    numbers.insert("minor".to_owned(), json!(minor(metadata.rdev())));
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &HostConfig, unified: bool) -> Value {
        Value::Object(resources(host, &Machine::able(unified)).unwrap())
    }

    #[test]
    fn nothing_set_is_nothing_limited() {
        assert_eq!(found(&HostConfig::default(), false), json!({}));
        let host = HostConfig {
            memory: Some(0),
            pids_limit: Some(-1),
            memory_swappiness: Some(-1),
            ..HostConfig::default()
        };
        assert_eq!(found(&host, false), json!({}));
    }

    #[test]
    fn memory_and_swap() {
        let mut host = HostConfig {
            memory: Some(64 << 20),
            oom_kill_disable: Some(true),
            ..HostConfig::default()
        };
        let both =
            json!({"memory": {"limit": 64 << 20, "swap": 128 << 20, "disableOOMKiller": true}});
        assert_eq!(found(&host, false), both);
        host.memory_swap = Some(-1);
        assert_eq!(
            found(&host, true),
            json!({"memory": {"limit": 64 << 20, "swap": -1}})
        );
    }

    #[test]
    fn processors() {
        let host = HostConfig {
            nano_cpus: Some(1_500_000_000),
            cpuset_cpus: Some("0-1".to_owned()),
            cpu_shares: Some(512),
            ..HostConfig::default()
        };
        let cpu = json!({"shares": 512, "period": 100_000, "quota": 150_000, "cpus": "0-1"});
        assert_eq!(found(&host, false)["cpu"], cpu);
    }

    #[test]
    fn block_devices_by_number() {
        let host = HostConfig {
            blkio_weight: Some(300),
            blkio_device_read_bps: Some(vec![ThrottleDevice {
                path: Some("/dev/null".to_owned()),
                rate: Some(1024),
            }]),
            ..HostConfig::default()
        };
        let block = &found(&host, false)["blockIO"];
        assert_eq!(block["weight"], json!(300));
        assert_eq!(
            block["throttleReadBpsDevice"],
            json!([{"major": 1, "minor": 3, "rate": 1024}])
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let refused =
            |host: HostConfig| resources(&host, &Machine::able(false)).unwrap_err().status;
        let little = HostConfig {
            memory: Some(1024),
            ..HostConfig::default()
        };
        assert_eq!(refused(little), 400);
        let swap = HostConfig {
            memory_swap: Some(1 << 30),
            ..HostConfig::default()
        };
        assert_eq!(refused(swap), 400);
        let both = HostConfig {
            nano_cpus: Some(1),
            cpu_quota: Some(1000),
            ..HostConfig::default()
        };
        assert_eq!(refused(both), 400);
    }
}
