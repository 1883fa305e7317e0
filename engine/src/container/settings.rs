//! Host configurations: defaults filled in, and what is not honoured refused by name.

use bollard_stubs::models::{HostConfig, HostConfigLogConfig, RestartPolicyNameEnum};

use super::refused;
use crate::engine::Engine;
use crate::shim::LogLimits;
use crate::{Error, Result};

/// Fills in Docker's defaults and checks what belongs together.
///
/// # Errors
/// 400 for contradictions, 404 for a container that a mode names, 501 for fields that are not
/// honoured.
pub(crate) fn complete(engine: &Engine, mut host: HostConfig) -> Result<HostConfig> {
    refused::check(&host)?;
    let mode = host.network_mode.take().unwrap_or_default();
    host.network_mode = Some(match mode.as_str() {
        "" | "default" => "bridge".to_owned(),
        mode => by_id(engine, mode)?,
    });
    for mode in [&mut host.ipc_mode, &mut host.pid_mode]
        .into_iter()
        .flatten()
    {
        *mode = by_id(engine, mode)?;
    }
    let policy = host.restart_policy.get_or_insert_default();
    if matches!(policy.name, None | Some(RestartPolicyNameEnum::EMPTY)) {
        policy.name = Some(RestartPolicyNameEnum::NO);
    }
    policy.maximum_retry_count.get_or_insert(0);
    if host.auto_remove == Some(true) && policy.name != Some(RestartPolicyNameEnum::NO) {
        return Err(Error::bad_request(
            "can't create 'AutoRemove' container with restart policy",
        ));
    }
    let log = host.log_config.get_or_insert_default();
    if log.typ.as_deref().unwrap_or_default().is_empty() {
        log.typ = Some("json-file".to_owned());
    }
    log.config.get_or_insert_default();
    log_limits(host.log_config.as_ref())?;
    if host.shm_size.unwrap_or_default() == 0 {
        host.shm_size = Some(64 << 20);
    }
    if host.ipc_mode.as_deref().unwrap_or_default().is_empty() {
        host.ipc_mode = Some("private".to_owned());
    }
    Ok(host)
}

/// A mode, with the id of a container that it names.
fn by_id(engine: &Engine, mode: &str) -> Result<String> {
    match mode.strip_prefix("container:") {
        Some(other) => Ok(format!("container:{}", engine.containers.get(other)?.id)),
        None => Ok(mode.to_owned()),
    }
}

/// Whether there is a log, and when to rotate it.
///
/// # Errors
/// 400 for options that make no sense, 501 for drivers and options that are not supported.
pub(crate) fn log_limits(log: Option<&HostConfigLogConfig>) -> Result<Option<LogLimits>> {
    let kind = log
        .and_then(|log| log.typ.as_deref())
        .unwrap_or("json-file");
    let mut limits = LogLimits {
        max_size: None,
        max_file: 1,
    };
    match kind {
        "none" => return Ok(None),
        "json-file" | "local" | "" => {}
        other => {
            return Err(Error::not_supported(format!(
                "HostConfig.LogConfig.Type {other}"
            )));
        }
    }
    let options = log.and_then(|log| log.config.as_ref());
    for (name, value) in options.into_iter().flatten() {
        let invalid =
            || Error::bad_request(format!("invalid value for log option {name}: {value}"));
        match name.as_str() {
            "max-size" => {
                limits.max_size = match value.as_str() {
                    "-1" => None,
                    value => Some(size(value).ok_or_else(invalid)?),
                }
            }
            "max-file" => {
                limits.max_file = value
                    .parse()
                    .ok()
                    .filter(|files| *files > 0)
                    .ok_or_else(invalid)?;
            }
            "compress" | "mode" | "max-buffer-size" => {}
            other => return Err(Error::not_supported(format!("log option {other}"))),
        }
    }
    Ok(Some(limits))
}

/// Bytes of `10m`, `1g`, `100`.
fn size(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let text = text
        .strip_suffix("ib")
        .or_else(|| text.strip_suffix('b'))
        .unwrap_or(&text);
    let (digits, shift) = match text.chars().last()? {
        'k' => (&text[..text.len() - 1], 10),
        'm' => (&text[..text.len() - 1], 20),
        'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_options_are_read() {
        let log = |name: &str, value: &str| HostConfigLogConfig {
            typ: None,
            config: Some([(name.to_owned(), value.to_owned())].into()),
        };
        let limits = log_limits(Some(&log("max-size", "10m"))).unwrap().unwrap();
        assert_eq!(limits.max_size, Some(10 << 20));
        assert_eq!(
            log_limits(Some(&log("max-file", "0"))).unwrap_err().status,
            400
        );
        assert_eq!(
            log_limits(Some(&log("labels", "a"))).unwrap_err().status,
            501
        );
        let none = HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        };
        assert_eq!(log_limits(Some(&none)).unwrap(), None);
    }
}
