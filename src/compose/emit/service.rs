//! A service and what is in it.

use super::build::build;
use super::deploy::deploy;
use super::develop::{develop, hook};
use super::device::{blkio, device, request};
use super::fields::{Fields, Format};
use super::file_reference::file_reference;
use super::mount::mount;
use super::value::Value;
use crate::compose::model::{
    CredentialSpec, Dependency, EnvFile, Extends, Healthcheck, HostsList, Logging, Port, Provider,
    Service, ServiceModel, ServiceNetwork, ShellCommand, Ulimit,
};

/// One entry of `services`.
pub(super) fn service(service: &Service, format: Format) -> Value<'_> {
    let fields = Fields::new(format)
        .texts("profiles", &service.profiles)
        .mapping("annotations", &service.annotations)
        .given_flag("attach", service.attach)
        .object("build", service.build.as_ref(), build)
        .object("develop", service.develop.as_ref(), develop)
        .object("blkio_config", service.blkio_config.as_ref(), blkio)
        .texts("cap_add", &service.cap_add)
        .texts("cap_drop", &service.cap_drop)
        .text("cgroup_parent", service.cgroup_parent.as_ref())
        .text("cgroup", service.cgroup.as_ref())
        .int("cpu_count", service.cpu_count)
        .float("cpu_percent", service.cpu_percent)
        .int("cpu_period", service.cpu_period)
        .int("cpu_quota", service.cpu_quota)
        .int("cpu_rt_period", service.cpu_rt_period)
        .int("cpu_rt_runtime", service.cpu_rt_runtime)
        .float("cpus", service.cpus)
        .text("cpuset", service.cpuset.as_ref())
        .int("cpu_shares", service.cpu_shares);
    let fields = command(fields, "command", &service.command)
        .list("configs", &service.configs, file_reference)
        .text("container_name", service.container_name.as_ref())
        .object(
            "credential_spec",
            service.credential_spec.as_ref(),
            credential_spec,
        )
        .map("depends_on", &service.depends_on, dependency)
        .object("deploy", service.deploy.as_ref(), deploy)
        .texts("device_cgroup_rules", &service.device_cgroup_rules)
        .list("devices", &service.devices, device)
        .texts("dns", &service.dns)
        .texts("dns_opt", &service.dns_opt)
        .texts("dns_search", &service.dns_search)
        .text("dockerfile", service.dockerfile.as_ref())
        .text("domainname", service.domainname.as_ref());
    let fields = command(fields, "entrypoint", &service.entrypoint)
        .object("provider", service.provider.as_ref(), provider)
        .environment("environment", &service.environment)
        .list("env_file", &service.env_file, env_file)
        .texts("expose", &service.expose)
        .object("extends", service.extends.as_ref(), extends)
        .texts("external_links", &service.external_links)
        .maybe("extra_hosts", hosts(&service.extra_hosts))
        .texts("group_add", &service.group_add)
        .list("gpus", &service.gpus, request)
        .text("hostname", service.hostname.as_ref())
        .object("healthcheck", service.healthcheck.as_ref(), healthcheck)
        .text("image", service.image.as_ref())
        .given_flag("init", service.init)
        .text("ipc", service.ipc.as_ref())
        .text("isolation", service.isolation.as_ref())
        .mapping("labels", &service.labels)
        .texts("label_file", &service.label_file)
        .texts("links", &service.links)
        .object("logging", service.logging.as_ref(), logging)
        .text("log_driver", service.log_driver.as_ref())
        .mapping("log_opt", &service.log_opt)
        .display("mem_limit", service.mem_limit)
        .display("mem_reservation", service.mem_reservation)
        .display("memswap_limit", service.memswap_limit)
        .display("mem_swappiness", service.mem_swappiness)
        .text("mac_address", service.mac_address.as_ref())
        .map("models", &service.models, nullable(service_model))
        .text("net", service.net.as_ref())
        .text("network_mode", service.network_mode.as_ref())
        .map(
            "networks",
            &service.networks,
            nullable(boxed(service_network)),
        )
        .flag("oom_kill_disable", service.oom_kill_disable)
        .int("oom_score_adj", service.oom_score_adj)
        .text("pid", service.pid.as_ref())
        .int("pids_limit", service.pids_limit)
        .text("platform", service.platform.as_ref())
        .list("ports", &service.ports, port)
        .flag("privileged", service.privileged)
        .text("pull_policy", service.pull_policy.as_ref())
        .flag("read_only", service.read_only)
        .text("restart", service.restart.as_ref())
        .text("runtime", service.runtime.as_ref())
        .given_uint("scale", service.scale)
        .list("secrets", &service.secrets, file_reference)
        .texts("security_opt", &service.security_opt)
        .display("shm_size", service.shm_size)
        .flag("stdin_open", service.stdin_open)
        .given("stop_grace_period", service.stop_grace_period)
        .text("stop_signal", service.stop_signal.as_ref())
        .mapping("storage_opt", &service.storage_opt)
        .mapping("sysctls", &service.sysctls)
        .texts("tmpfs", &service.tmpfs)
        .flag("tty", service.tty)
        .map("ulimits", &service.ulimits, ulimit)
        .flag("use_api_socket", service.use_api_socket)
        .text("user", service.user.as_ref())
        .text("userns_mode", service.userns_mode.as_ref())
        .text("uts", service.uts.as_ref())
        .text("volume_driver", service.volume_driver.as_ref())
        .list("volumes", &service.volumes, mount)
        .texts("volumes_from", &service.volumes_from)
        .text("working_dir", service.working_dir.as_ref());
    fields
        .list("pre_start", &service.pre_start, hook)
        .list("post_start", &service.post_start, hook)
        .list("pre_stop", &service.pre_stop, hook)
        .extended(&service.extensions)
}

/// A command line: JSON shows an absent one as `null`, YAML leaves it out.
pub(super) fn command<'a>(
    fields: Fields<'a>,
    key: &'static str,
    command: &'a ShellCommand,
) -> Fields<'a> {
    match command {
        Some(words) => fields.always(key, Value::strs(words)),
        None if fields.format.is_yaml() => fields,
        None => fields.always(key, Value::Null),
    }
}

/// `host=address` lines, sorted.
pub(super) fn hosts(hosts: &HostsList) -> Option<Value<'static>> {
    if hosts.is_empty() {
        return None;
    }
    let mut lines: Vec<String> = hosts
        .iter()
        .flat_map(|(host, addresses)| {
            addresses
                .iter()
                .map(move |address| format!("{host}={address}"))
        })
        .collect();
    lines.sort();
    Some(Value::List(lines.into_iter().map(Value::str).collect()))
}

/// A limit: one number, or soft and hard.
pub(super) fn ulimit(ulimit: &Ulimit, format: Format) -> Value<'_> {
    if let Some(single) = ulimit.single.filter(|single| *single != 0) {
        return Value::Int(single);
    }
    let fields = Fields::new(format);
    if format.is_yaml() {
        return fields
            .always("soft", Value::Int(ulimit.soft.unwrap_or(0)))
            .always("hard", Value::Int(ulimit.hard.unwrap_or(0)))
            .end();
    }
    fields
        .int("soft", ulimit.soft)
        .int("hard", ulimit.hard)
        .end()
}

fn credential_spec(spec: &CredentialSpec, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("config", spec.config.as_ref())
        .text("file", spec.file.as_ref())
        .text("registry", spec.registry.as_ref())
        .extended(&spec.extensions)
}

/// In Go the extensions come before `required`, but inline ones are written last.
fn dependency(dependency: &Dependency, format: Format) -> Value<'_> {
    Fields::new(format)
        .always("condition", Value::str(dependency.condition.as_str()))
        .flag("restart", dependency.restart)
        .always("required", Value::Bool(dependency.required))
        .extended(&dependency.extensions)
}

fn provider(provider: &Provider, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("type", provider.kind.as_ref())
        .map("options", &provider.options, |values, _| {
            Value::strs(values)
        })
        .extended(&provider.extensions)
}

fn env_file(file: &EnvFile, format: Format) -> Value<'_> {
    if file.required {
        return Value::str(file.path.as_str());
    }
    let fields = Fields::new(format)
        .text("path", Some(&file.path))
        .always("required", Value::Bool(false));
    if format.is_yaml() {
        return fields.end();
    }
    fields.text("format", file.format.as_ref()).end()
}

fn extends(extends: &Extends, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("file", extends.file.as_ref())
        .text("service", extends.service.as_ref())
        .end()
}

fn healthcheck(check: &Healthcheck, format: Format) -> Value<'_> {
    Fields::new(format)
        .texts("test", &check.test)
        .given("timeout", check.timeout)
        .given("interval", check.interval)
        .given_uint("retries", check.retries)
        .given("start_period", check.start_period)
        .given("start_interval", check.start_interval)
        .flag("disable", check.disable)
        .extended(&check.extensions)
}

fn logging(logging: &Logging, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("driver", logging.driver.as_ref())
        .mapping("options", &logging.options)
        .extended(&logging.extensions)
}

/// `null` for what was given without a value.
fn nullable<'a, T: 'a>(
    emit: impl Fn(&'a T, Format) -> Value<'a>,
) -> impl Fn(&'a Option<T>, Format) -> Value<'a> {
    move |value, format| {
        value
            .as_ref()
            .map_or(Value::Null, |value| emit(value, format))
    }
}

fn boxed<'a, T: 'a>(
    emit: impl Fn(&'a T, Format) -> Value<'a>,
) -> impl Fn(&'a Box<T>, Format) -> Value<'a> {
    move |value, format| emit(value, format)
}

fn service_model(model: &ServiceModel, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("endpoint_var", model.endpoint_var.as_ref())
        .text("model_var", model.model_var.as_ref())
        .extended(&model.extensions)
}

fn service_network(network: &ServiceNetwork, format: Format) -> Value<'_> {
    Fields::new(format)
        .texts("aliases", &network.aliases)
        .mapping("driver_opts", &network.driver_opts)
        .int("gw_priority", network.gw_priority)
        .text("interface_name", network.interface_name.as_ref())
        .text("ipv4_address", network.ipv4_address.as_ref())
        .text("ipv6_address", network.ipv6_address.as_ref())
        .texts("link_local_ips", &network.link_local_ips)
        .text("mac_address", network.mac_address.as_ref())
        .int("priority", network.priority)
        .extended(&network.extensions)
}

fn port(port: &Port, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("name", port.name.as_ref())
        .text("mode", port.mode.as_ref())
        .text("host_ip", port.host_ip.as_ref())
        .int("target", port.target.map(i64::from))
        .text("published", port.published.as_ref())
        .text("protocol", port.protocol.as_ref())
        .text("app_protocol", port.app_protocol.as_ref())
        .extended(&port.extensions)
}
