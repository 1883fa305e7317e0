//! The container's configuration and the host's side of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum,
    HostConfigIsolationEnum, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum,
};

use super::super::error::PlanError;
use super::super::names;
use super::{Part, Resolved, mounts, ports, resources, security};
use crate::compose::Diagnostic;
use crate::compose::model::{Duration, Environment, Healthcheck, HostsList, Mapping};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Everything of the body but labels, host configuration and networks.
pub(super) fn body(part: &Part<'_>, resolved: &Resolved) -> ContainerCreateBody {
    let service = part.service;
    let attach_stdin = part
        .create
        .one_off
        .as_ref()
        .is_some_and(|one_off| one_off.attach_stdin);
    ContainerCreateBody {
        hostname: service.hostname.clone(),
        domainname: service.domainname.clone(),
        user: service.user.clone(),
        attach_stdin: Some(attach_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        exposed_ports: non_empty(ports::exposed(service)),
        tty: Some(service.tty),
        open_stdin: Some(service.stdin_open),
        stdin_once: Some(attach_stdin && service.stdin_open),
        env: non_empty(environment(&service.environment, &resolved.proxy)),
        cmd: service.command.clone(),
        healthcheck: service.healthcheck.as_ref().map(healthcheck),
        image: Some(names::image(
            &part.project.name,
            service,
            part.settings.separator,
        )),
        working_dir: service.working_dir.clone(),
        entrypoint: service.entrypoint.clone(),
        network_disabled: (service.network_mode.as_deref() == Some("disabled")).then_some(true),
        stop_signal: service.stop_signal.clone(),
        stop_timeout: service.stop_grace_period.map(seconds),
        ..ContainerCreateBody::default()
    }
}

/// The host configuration, but for the network mode.
pub(super) fn host(part: &Part<'_>, resolved: &Resolved) -> Result<HostConfig, PlanError> {
    let service = part.service;
    let security = security::security(service, &resolved.seccomp)?;
    let mounts = mounts::mounts(part)?;
    let unmasked = security.unconfined.then(Vec::new);
    let mut host = HostConfig {
        auto_remove: Some(
            part.create
                .one_off
                .as_ref()
                .is_some_and(|one_off| one_off.auto_remove),
        ),
        annotations: map(&service.annotations),
        binds: non_empty(mounts.binds),
        mounts: non_empty(mounts.mounts),
        tmpfs: tmpfs(&service.tmpfs),
        cap_add: non_empty(capabilities(&service.cap_add)),
        cap_drop: non_empty(capabilities(&service.cap_drop)),
        init: service.init,
        ipc_mode: service.ipc.clone(),
        cgroupns_mode: cgroup_namespace(part)?,
        readonly_rootfs: Some(service.read_only),
        restart_policy: restart_policy(part)?,
        shm_size: service.shm_size.map(|size| size.0),
        sysctls: map(&service.sysctls),
        port_bindings: Some(ports::bindings(service)),
        volume_driver: service.volume_driver.clone(),
        volumes_from: non_empty(volumes_from(part, resolved)),
        dns: non_empty(service.dns.clone()),
        dns_search: non_empty(service.dns_search.clone()),
        dns_options: non_empty(service.dns_opt.clone()),
        extra_hosts: Some(extra_hosts(&service.extra_hosts)),
        security_opt: non_empty(security.options),
        masked_paths: unmasked.clone(),
        readonly_paths: unmasked,
        storage_opt: map(&service.storage_opt),
        userns_mode: service.userns_mode.clone(),
        uts_mode: service.uts.clone(),
        privileged: Some(service.privileged),
        pid_mode: service.pid.clone(),
        isolation: isolation(part)?,
        runtime: service.runtime.clone(),
        log_config: service.logging.as_ref().map(|logging| HostConfigLogConfig {
            typ: Some(logging.driver.clone().unwrap_or_default()),
            config: map(&logging.options),
        }),
        group_add: non_empty(service.group_add.clone()),
        links: non_empty(part.create.links.clone()),
        oom_score_adj: service.oom_score_adj,
        ..HostConfig::default()
    };
    resources::apply(service, &mut host);
    Ok(host)
}

fn volumes_from(part: &Part<'_>, resolved: &Resolved) -> Vec<String> {
    if part.settings.strict {
        return part.service.volumes_from.clone();
    }
    super::reference::with_access_modes(&part.create.service, &resolved.ids)
}

/// `NAME=value`, or `NAME` alone for a variable without a value, which hides the image's.
fn environment(own: &Environment, proxy: &BTreeMap<String, String>) -> Vec<String> {
    let proxy = proxy
        .iter()
        .filter(|(name, _)| !own.contains_key(*name))
        .map(|(name, value)| format!("{name}={value}"));
    let own = own.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    });
    proxy.chain(own).collect()
}

fn healthcheck(check: &Healthcheck) -> HealthConfig {
    let nanos = |duration: Option<Duration>| duration.map(|duration| duration.nanos);
    let test = if check.disable {
        vec!["NONE".to_owned()]
    } else {
        check.test.clone()
    };
    HealthConfig {
        test: non_empty(test),
        interval: nanos(check.interval),
        timeout: nanos(check.timeout),
        retries: check.retries.map(|retries| retries as i64),
        start_period: nanos(check.start_period),
        start_interval: nanos(check.start_interval),
    }
}

/// Capabilities under their full names (`CAP_…` or `ALL`), sorted, without duplicates.
fn capabilities(names: &[String]) -> Vec<String> {
    let full: BTreeSet<String> = names
        .iter()
        .map(|name| name.trim().to_uppercase())
        .map(|name| match name.as_str() {
            "ALL" => name,
            _ if name.starts_with("CAP_") => name,
            _ => format!("CAP_{name}"),
        })
        .collect();
    full.into_iter().collect()
}

fn tmpfs(entries: &[String]) -> Option<HashMap<String, String>> {
    let map: HashMap<String, String> = entries
        .iter()
        .map(|entry| {
            let (path, options) = entry.split_once(':').unwrap_or((entry, ""));
            (path.to_owned(), options.to_owned())
        })
        .collect();
    (!map.is_empty()).then_some(map)
}

fn extra_hosts(hosts: &HostsList) -> Vec<String> {
    hosts
        .iter()
        .flat_map(|(host, addresses)| {
            addresses
                .iter()
                .map(move |address| format!("{host}:{address}"))
        })
        .collect()
}

fn restart_policy(part: &Part<'_>) -> Result<Option<RestartPolicy>, PlanError> {
    let service = part.service;
    if let Some(policy) = service
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.restart_policy.as_ref())
    {
        let attempts = policy.max_attempts.unwrap_or_default() as i64;
        let condition = policy.condition.as_deref().unwrap_or_default();
        let path = ["deploy", "restart_policy", "condition"];
        return engine_policy(part, condition, attempts, &path).map(Some);
    }
    let Some(restart) = service.restart.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let (condition, attempts) = restart.split_once(':').unwrap_or((restart, ""));
    let attempts = attempts.parse().unwrap_or_default();
    engine_policy(part, condition, attempts, &["restart"]).map(Some)
}

fn engine_policy(
    part: &Part<'_>,
    condition: &str,
    attempts: i64,
    path: &[&str],
) -> Result<RestartPolicy, PlanError> {
    let name = match condition {
        "none" | "no" => RestartPolicyNameEnum::NO,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        "unless-stopped" => RestartPolicyNameEnum::UNLESS_STOPPED,
        "any" | "always" => RestartPolicyNameEnum::ALWAYS,
        "" => RestartPolicyNameEnum::EMPTY,
        other => {
            return Err(invalid(
                part,
                path,
                other,
                "no, always, on-failure or unless-stopped",
            ));
        }
    };
    Ok(RestartPolicy {
        name: Some(name),
        maximum_retry_count: Some(attempts),
    })
}

fn cgroup_namespace(part: &Part<'_>) -> Result<Option<HostConfigCgroupnsModeEnum>, PlanError> {
    parse_enum(
        part,
        "cgroup",
        part.service.cgroup.as_deref(),
        "host or private",
    )
}

fn isolation(part: &Part<'_>) -> Result<Option<HostConfigIsolationEnum>, PlanError> {
    let value = part.service.isolation.as_deref();
    parse_enum(part, "isolation", value, "default, process or hyperv")
}

fn parse_enum<T: FromStr>(
    part: &Part<'_>,
    attribute: &str,
    value: Option<&str>,
    known: &str,
) -> Result<Option<T>, PlanError> {
    value
        .map(|value| T::from_str(value).map_err(|_| invalid(part, &[attribute], value, known)))
        .transpose()
}

fn invalid(part: &Part<'_>, path: &[&str], value: &str, known: &str) -> PlanError {
    let service = &part.service.name;
    let attribute = path.join(".");
    let full: Vec<&str> = ["services", service].iter().chain(path).copied().collect();
    Diagnostic::error(format!(
        "service \"{service}\" has an unknown value \"{value}\" for {attribute}"
    ))
    .at(part.project.span_of(&full))
    .help(format!("use {known}"))
    .into()
}

/// Whole seconds.
pub(in crate::plan) fn seconds(duration: Duration) -> i64 {
    duration.nanos / NANOS_PER_SECOND
}

pub(super) fn map(mapping: &Mapping) -> Option<HashMap<String, String>> {
    (!mapping.is_empty()).then(|| {
        mapping
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    })
}

pub(super) fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
