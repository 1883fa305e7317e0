//! What the API's clients may ask for that this engine does not do.
//!
//! Such a request fails by the name of the field: a container that looks as asked for but is not
//! would be worse.

use bollard_stubs::models::{HostConfig, HostConfigIsolationEnum};

use crate::{Error, Result};

/// Refuses what is not honoured and has another value than its default.
///
/// # Errors
/// 501 with the field's name.
pub(crate) fn check(host: &HostConfig) -> Result<()> {
    let refused = [
        ("CgroupParent", filled(host.cgroup_parent.as_deref())),
        ("DeviceRequests", listed(host.device_requests.as_deref())),
        ("CpuCount", above_zero(host.cpu_count)),
        ("CpuPercent", above_zero(host.cpu_percent)),
        ("IOMaximumIOps", above_zero(host.io_maximum_iops)),
        ("IOMaximumBandwidth", above_zero(host.io_maximum_bandwidth)),
        ("Cgroup", filled(host.cgroup.as_deref())),
        (
            "StorageOpt",
            host.storage_opt
                .as_ref()
                .is_some_and(|options| !options.is_empty()),
        ),
        (
            "UsernsMode",
            other(host.userns_mode.as_deref(), &["", "host"]),
        ),
        ("UTSMode", other(host.uts_mode.as_deref(), &["", "host"])),
        (
            "Runtime",
            other(
                host.runtime.as_deref(),
                &["", "rcompose", "runc", "io.containerd.runc.v2"],
            ),
        ),
        (
            "VolumeDriver",
            other(host.volume_driver.as_deref(), &["", "local"]),
        ),
        (
            "Isolation",
            host.isolation == Some(HostConfigIsolationEnum::HYPERV),
        ),
    ];
    match refused.iter().find(|(_, wanted)| *wanted) {
        Some((name, _)) => Err(Error::not_supported(format!("HostConfig.{name}"))),
        None => Ok(()),
    }
}

fn filled(value: Option<&str>) -> bool {
    value.is_some_and(|value| !value.is_empty())
}

fn other(value: Option<&str>, known: &[&str]) -> bool {
    value.is_some_and(|value| !known.contains(&value))
}

fn listed<T>(value: Option<&[T]>) -> bool {
    value.is_some_and(|list| !list.is_empty())
}

fn above_zero(value: Option<i64>) -> bool {
    value.is_some_and(|value| value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass() {
        assert!(check(&HostConfig::default()).is_ok());
        let host = HostConfig {
            cgroup_parent: Some(String::new()),
            cpu_count: Some(0),
            runtime: Some("runc".to_owned()),
            isolation: Some(HostConfigIsolationEnum::DEFAULT),
            ..HostConfig::default()
        };
        assert!(check(&host).is_ok());
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let host = HostConfig {
            userns_mode: Some("keep-id".to_owned()),
            ..HostConfig::default()
        };
        let error = check(&host).unwrap_err();
        assert_eq!(error.status, 501);
        assert!(error.message.starts_with("HostConfig.UsernsMode "));
        let host = HostConfig {
            cgroup_parent: Some("/mine".to_owned()),
            ..HostConfig::default()
        };
        assert!(
            check(&host)
                .unwrap_err()
                .message
                .starts_with("HostConfig.CgroupParent ")
        );
    }
}
