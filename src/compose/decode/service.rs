//! One service.

use super::Context;
use super::build::build;
use super::combinators::{
    boxed, keyed, list, names, non_empty, nullable, or_default, record, some, text_or_list, unique,
    unique_texts,
};
use super::command::command;
use super::dependency::{dependency, env_file, extends};
use super::deploy::deploy;
use super::develop::develop;
use super::device::{blkio, device, gpu};
use super::file_reference::file_reference;
use super::healthcheck::healthcheck;
use super::hook::{hook, pre_start};
use super::mapping::{environment, hosts, mapping, multi_options, nullable_options};
use super::network::{ports, service_network};
use super::scalar::{
    bytes, duration, flag, float, integer_in, number_as_integer, one_of, strict_flag, text,
    text_or_integer, unsigned,
};
use super::ulimit::ulimits;
use super::volume::mount;
use crate::compose::diagnostic::similar::did_you_mean;
use crate::compose::model::{CredentialSpec, Extensions, Logging, Provider, Service, ServiceModel};
use crate::compose::node::Node;

/// One entry of `services`.
pub(super) fn service<'a>(name: &'a str, node: &'a Node, cx: &mut Context<'a>) -> Option<Service> {
    let mut service = attributes(node, cx)?;
    name.clone_into(&mut service.name);
    Some(service)
}

record! {
    fn attributes -> Service = Service::default();
    extensions extensions;
    require [];
    "profiles" => profiles: unique_texts,
    "annotations" => annotations: mapping,
    "attach" => attach: some(flag),
    "build" => build: some(build),
    "develop" => develop: nullable(develop),
    "blkio_config" => blkio_config: some(blkio),
    "cap_add" => cap_add: unique_texts,
    "cap_drop" => cap_drop: unique_texts,
    "cgroup_parent" => cgroup_parent: non_empty(text),
    "cgroup" => cgroup: some(one_of(&["host", "private"])),
    "cpu_count" => cpu_count: non_empty(integer_in(0, i64::MAX)),
    "cpu_percent" => cpu_percent: non_empty(percent),
    "cpu_period" => cpu_period: non_empty(number_as_integer),
    "cpu_quota" => cpu_quota: non_empty(number_as_integer),
    "cpu_rt_period" => cpu_rt_period: non_empty(number_as_integer),
    "cpu_rt_runtime" => cpu_rt_runtime: non_empty(number_as_integer),
    "cpus" => cpus: non_empty(float),
    "cpuset" => cpuset: non_empty(text),
    "cpu_shares" => cpu_shares: non_empty(number_as_integer),
    "command" => command: command,
    "configs" => configs: list(file_reference),
    "container_name" => container_name: non_empty(container_name),
    "credential_spec" => credential_spec: some(credential_spec),
    "depends_on" => depends_on: names(|_, node, cx: &mut Context<'a>| dependency(node, cx)),
    "deploy" => deploy: nullable(deploy),
    "device_cgroup_rules" => device_cgroup_rules: unique_texts,
    "devices" => devices: list(device),
    "dns" => dns: text_or_list,
    "dns_opt" => dns_opt: unique_texts,
    "dns_search" => dns_search: text_or_list,
    "domainname" => domainname: non_empty(text),
    "entrypoint" => entrypoint: command,
    "provider" => provider: some(provider),
    "environment" => environment: environment,
    "env_file" => env_file: list(env_file),
    "expose" => expose: list(text_or_integer),
    "extends" => extends: some(extends),
    "external_links" => external_links: unique_texts,
    "extra_hosts" => extra_hosts: hosts,
    "group_add" => group_add: unique(text_or_integer),
    "gpus" => gpus: list(gpu),
    "hostname" => hostname: non_empty(text),
    "healthcheck" => healthcheck: some(healthcheck),
    "image" => image: non_empty(text),
    "init" => init: some(flag),
    "ipc" => ipc: non_empty(text),
    "isolation" => isolation: non_empty(text),
    "labels" => labels: mapping,
    "label_file" => label_file: list(text),
    "links" => links: unique_texts,
    "logging" => logging: some(logging),
    "mem_limit" => mem_limit: non_empty(bytes),
    "mem_reservation" => mem_reservation: non_empty(bytes),
    "memswap_limit" => memswap_limit: non_empty(bytes),
    "mem_swappiness" => mem_swappiness: non_empty(bytes),
    "mac_address" => mac_address: non_empty(text),
    "models" => models: names(|_, node, cx: &mut Context<'a>| nullable(service_model)(node, cx)),
    "network_mode" => network_mode: non_empty(text),
    "networks" => networks: names(|_, node, cx: &mut Context<'a>| nullable(boxed(service_network))(node, cx)),
    "oom_kill_disable" => oom_kill_disable: flag,
    "oom_score_adj" => oom_score_adj: non_empty(integer_in(-1000, 1000)),
    "pid" => pid: or_default(non_empty(text)),
    "pids_limit" => pids_limit: non_empty(number_as_integer),
    "platform" => platform: non_empty(text),
    "ports" => ports: ports,
    "privileged" => privileged: flag,
    "pull_refresh_after" => extensions: without_effect,
    "pull_policy" => pull_policy: non_empty(pull_policy),
    "read_only" => read_only: flag,
    "restart" => restart: non_empty(text),
    "runtime" => runtime: non_empty(text),
    "scale" => scale: some(unsigned),
    "secrets" => secrets: list(file_reference),
    "security_opt" => security_opt: unique_texts,
    "shm_size" => shm_size: non_empty(bytes),
    "stdin_open" => stdin_open: flag,
    "stop_grace_period" => stop_grace_period: some(duration),
    "stop_signal" => stop_signal: non_empty(text),
    "storage_opt" => storage_opt: keyed(text_or_integer),
    "sysctls" => sysctls: mapping,
    "tmpfs" => tmpfs: text_or_list,
    "tty" => tty: flag,
    "ulimits" => ulimits: ulimits,
    "use_api_socket" => use_api_socket: strict_flag,
    "user" => user: non_empty(text),
    "userns_mode" => userns_mode: non_empty(text),
    "uts" => uts: non_empty(text),
    "volumes" => volumes: list(mount),
    "volumes_from" => volumes_from: unique_texts,
    "working_dir" => working_dir: non_empty(text),
    "pre_start" => pre_start: list(pre_start),
    "post_start" => post_start: list(hook),
    "pre_stop" => pre_stop: list(hook),
}

record! {
    fn credential_spec -> CredentialSpec = CredentialSpec::default();
    extensions extensions;
    require [];
    "config" => config: non_empty(text),
    "file" => file: non_empty(text),
    "registry" => registry: non_empty(text),
}

record! {
    fn logging -> Logging = Logging::default();
    extensions extensions;
    require [];
    "driver" => driver: non_empty(text),
    "options" => options: nullable_options,
}

record! {
    fn provider -> Provider = Provider::default();
    extensions extensions;
    require ["type"];
    "type" => kind: non_empty(text),
    "options" => options: multi_options,
}

record! {
    fn service_model -> ServiceModel = ServiceModel::default();
    extensions extensions;
    require [];
    "endpoint_var" => endpoint_var: non_empty(text),
    "model_var" => model_var: non_empty(text),
}

/// An attribute of the format that docker compose allows and does not look at.
fn without_effect<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Extensions> {
    text(node, cx)?;
    cx.warning(node.span, "has no effect")
        .help
        .get_or_insert_with(|| "use `pull_policy: every_<duration>`".to_owned());
    None
}

fn percent<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<f32> {
    integer_in(0, 100)(node, cx).map(|percent| percent as f32)
}

/// Two characters that a container's name may have, somewhere.
fn container_name<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    let name = text(node, cx)?;
    let bytes = name.as_bytes();
    let later = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if bytes
        .windows(2)
        .any(|pair| pair[0].is_ascii_alphanumeric() && later(pair[1]))
    {
        return Some(name);
    }
    cx.unreadable(
        node,
        &format!("must not be \"{name}\""),
        "use two or more letters, digits, dots, underscores or hyphens",
    )
}

/// A number and a unit, as far as docker compose looks here.
fn starts_with_delay(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len() && unit.starts_with(['w', 'd', 'h', 'm', 's'])
}

/// The known policies; docker compose takes any text that contains one of them.
fn pull_policy<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    const KNOWN: &[&str] = &[
        "always",
        "never",
        "build",
        "if_not_present",
        "missing",
        "refresh",
        "daily",
        "weekly",
    ];
    let policy = text(node, cx)?;
    if policy.split("every_").skip(1).any(starts_with_delay)
        || KNOWN.iter().any(|known| policy.contains(known))
    {
        return Some(policy);
    }
    let help = did_you_mean(&policy, KNOWN.iter().copied(), || {
        "use always, never, missing, build, daily, weekly or every_<duration>".to_owned()
    });
    cx.unreadable(node, &format!("must not be \"{policy}\""), &help)
}
