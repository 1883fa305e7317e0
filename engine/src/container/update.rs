//! `POST /containers/{id}/update`: other limits and another restart policy.

use std::sync::Arc;

use bollard_stubs::models::{ContainerUpdateBody, HostConfig};
use serde_json::{Value, json};

use super::handle::{Handle, blocking};
use super::machine::Machine;
use super::{cgroup, resources, tell};
use crate::engine::Engine;
use crate::{Error, Result};

/// What can be changed.
const CHANGES: &[&str] = &[
    "BlkioWeight",
    "CpuPeriod",
    "CpuQuota",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
    "RestartPolicy",
];

/// Changes a container; if it runs, its limits hold at once. What is not given, or zero, stays.
///
/// # Errors
/// 400 for limits that make no sense, 501 for fields that cannot be changed, 500 when the kernel
/// refuses a limit.
pub(crate) async fn update(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    asked: &ContainerUpdateBody,
) -> Result<()> {
    let changes = changes(asked)?;
    let _turn = handle.turn().await;
    let record = handle.record();
    let host = changed(&record.host_config, &changes)?;
    let machine = Machine::detect();
    let mut limits = resources::resources(&host, &machine)?;
    // What was limited, and is no more, has to be told.
    if changes.iter().any(|(name, _)| name == "PidsLimit") && !limits.contains_key("pids") {
        limits.insert("pids".to_owned(), json!({ "limit": -1 }));
    }
    if record.state.is_up() {
        let group = record.cgroup();
        blocking(move || cgroup::limit(&group, &limits, machine.unified)).await?;
    }
    handle.change(|record| record.host_config = host);
    engine.containers.save(handle).await?;
    tell(engine, &handle.record(), "update", &[]);
    Ok(())
}

/// The fields that say something.
fn changes(asked: &ContainerUpdateBody) -> Result<Vec<(String, Value)>> {
    let asks = |value: &Value| match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(values) => !values.is_empty(),
    };
    let asked = serde_json::to_value(asked).unwrap_or_default();
    let mut changes = Vec::new();
    for (name, value) in asked.as_object().into_iter().flatten() {
        // No limit of processes is a change where there was one.
        let lifts_limit = name == "PidsLimit" && value.is_number();
        if !asks(value) && !lifts_limit {
            continue;
        }
        if !CHANGES.contains(&name.as_str()) {
            return Err(Error::not_supported(format!("update of {name}")));
        }
        // Clients that change a limit send the policy without a name.
        if name == "RestartPolicy" && value["Name"].as_str().unwrap_or_default().is_empty() {
            continue;
        }
        changes.push((name.clone(), value.clone()));
    }
    Ok(changes)
}

fn changed(host: &HostConfig, changes: &[(String, Value)]) -> Result<HostConfig> {
    let limit = |name: &str| {
        let found = changes.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_i64())
    };
    let swap = host.memory_swap.unwrap_or_default();
    if let (Some(memory), None) = (limit("Memory"), limit("MemorySwap"))
        && swap > 0
        && memory > swap
    {
        return Err(Error::bad_request(
            "Memory limit should be smaller than already set memoryswap limit, update the \
             memoryswap at the same time",
        ));
    }
    let has_share =
        host.cpu_period.unwrap_or_default() > 0 || host.cpu_quota.unwrap_or_default() > 0;
    if limit("NanoCpus").is_some() && has_share {
        return Err(Error::bad_request(
            "Conflicting options: Nano CPUs cannot be updated as CPU Period/Quota has already been set",
        ));
    }
    let has_nano = host.nano_cpus.unwrap_or_default() > 0;
    if has_nano && (limit("CpuPeriod").is_some() || limit("CpuQuota").is_some()) {
        return Err(Error::bad_request(
            "Conflicting options: CPU Period/Quota cannot be updated as NanoCPUs has already been set",
        ));
    }
    let mut value = serde_json::to_value(host).map_err(Error::internal)?;
    for (name, change) in changes {
        value[name] = change.clone();
    }
    serde_json::from_value(value).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: Value) -> ContainerUpdateBody {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_not_given_stays() {
        let host = HostConfig {
            memory: Some(1 << 26),
            cpu_shares: Some(5),
            ..HostConfig::default()
        };
        let changes = changes(&asked(json!({
            "Memory": 1 << 27, "CpuShares": 0, "CpusetCpus": "", "PidsLimit": -1,
            "RestartPolicy": { "Name": "", "MaximumRetryCount": 0 },
        })));
        let host = changed(&host, &changes.unwrap()).unwrap();
        assert_eq!((host.memory, host.cpu_shares), (Some(1 << 27), Some(5)));
        assert_eq!(host.pids_limit, Some(-1));
        assert_eq!(host.restart_policy, None);
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        let error = changes(&asked(json!({ "CgroupParent": "x" }))).unwrap_err();
        assert_eq!(error.status, 501);
        assert!(error.message.starts_with("update of CgroupParent"));
    }

    #[test]
    fn contradictions_are_refused() {
        let host = HostConfig {
            memory_swap: Some(100),
            cpu_quota: Some(1_000),
            ..HostConfig::default()
        };
        for (name, value) in [("Memory", 200), ("NanoCpus", 5)] {
            let error = changed(&host, &[(name.to_owned(), json!(value))]).unwrap_err();
            assert_eq!(error.status, 400, "{name}");
        }
    }
}
