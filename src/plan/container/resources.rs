//! CPU, memory, devices and other limits, from the service and its `deploy.resources`.

use bollard::models::{
    DeviceMapping, DeviceRequest, HostConfig, ResourcesBlkioWeightDevice, ResourcesUlimits,
    ThrottleDevice,
};

use super::config::{map, non_empty};
use crate::compose::model::{
    Blkio, ByteSize, DeviceRequest as Request, Resource, Service, ThrottleDevice as Throttle,
    Ulimit,
};

/// CPUs are counted in billionths. Single precision, as docker compose computes it.
const NANO_CPUS: f32 = 1e9;

/// Sets every resource attribute of the host configuration.
pub(super) fn apply(service: &Service, host: &mut HostConfig) {
    host.cgroup_parent.clone_from(&service.cgroup_parent);
    host.memory = bytes(service.mem_limit);
    host.memory_swap = bytes(service.memswap_limit);
    host.memory_swappiness = bytes(service.mem_swappiness).filter(|value| *value != 0);
    host.memory_reservation = bytes(service.mem_reservation);
    host.oom_kill_disable = Some(service.oom_kill_disable);
    host.cpu_count = service.cpu_count;
    host.cpu_percent = service.cpu_percent.map(|percent| (percent * 100.0) as i64);
    host.cpu_period = service.cpu_period;
    host.cpu_quota = service.cpu_quota;
    host.cpu_realtime_period = service.cpu_rt_period;
    host.cpu_realtime_runtime = service.cpu_rt_runtime;
    host.cpu_shares = service.cpu_shares;
    host.nano_cpus = service.cpus.map(nano_cpus);
    host.cpuset_cpus.clone_from(&service.cpuset);
    host.pids_limit = service.pids_limit.filter(|limit| *limit != 0);
    host.device_cgroup_rules = non_empty(service.device_cgroup_rules.clone());
    if let Some(blkio) = &service.blkio_config {
        apply_blkio(blkio, host);
    }
    let mut requests = Vec::new();
    if let Some(deploy) = &service.deploy {
        if let Some(limits) = &deploy.resources.limits {
            apply_limits(limits, host);
        }
        if let Some(reservations) = &deploy.resources.reservations {
            apply_reservations(reservations, host, &mut requests);
        }
    }
    apply_devices(service, host, &mut requests);
    requests.extend(service.gpus.iter().map(gpu_request));
    host.device_requests = non_empty(requests);
    host.ulimits = non_empty(service.ulimits.iter().map(ulimit).collect());
}

fn bytes(size: Option<ByteSize>) -> Option<i64> {
    size.map(|size| size.0)
}

fn nano_cpus(cpus: f32) -> i64 {
    (cpus * NANO_CPUS) as i64
}

fn apply_limits(limits: &Resource, host: &mut HostConfig) {
    if let Some(memory) = limits.memory.filter(|memory| memory.0 != 0) {
        host.memory = Some(memory.0);
    }
    if let Some(cpus) = limits.cpus.filter(|cpus| *cpus != 0.0) {
        host.nano_cpus = Some(nano_cpus(cpus));
    }
    if let Some(pids) = limits.pids.filter(|pids| *pids > 0) {
        host.pids_limit = Some(pids);
    }
}

/// CPU reservations concern Swarm alone; a warning says so.
fn apply_reservations(
    reservations: &Resource,
    host: &mut HostConfig,
    requests: &mut Vec<DeviceRequest>,
) {
    if let Some(memory) = reservations.memory.filter(|memory| memory.0 != 0) {
        host.memory_reservation = Some(memory.0);
    }
    for device in &reservations.devices {
        requests.push(device_request(device, device.capabilities.clone()));
    }
}

fn gpu_request(gpu: &Request) -> DeviceRequest {
    let mut capabilities = gpu.capabilities.clone();
    capabilities.push("gpu".to_owned());
    device_request(gpu, capabilities)
}

fn device_request(request: &Request, capabilities: Vec<String>) -> DeviceRequest {
    DeviceRequest {
        driver: Some(request.driver.clone().unwrap_or_default()),
        count: Some(request.count.unwrap_or_default()),
        device_ids: non_empty(request.device_ids.clone()),
        capabilities: Some(vec![capabilities]),
        options: map(&request.options),
    }
}

fn apply_devices(service: &Service, host: &mut HostConfig, requests: &mut Vec<DeviceRequest>) {
    let (cdi, plain): (Vec<_>, Vec<_>) = service.devices.iter().partition(|device| {
        device.source == device.target && device.source.as_deref().is_some_and(is_cdi_name)
    });
    if !cdi.is_empty() {
        requests.push(DeviceRequest {
            driver: Some("cdi".to_owned()),
            device_ids: Some(
                cdi.iter()
                    .filter_map(|device| device.source.clone())
                    .collect(),
            ),
            ..DeviceRequest::default()
        });
    }
    let plain = plain.iter().map(|device| DeviceMapping {
        path_on_host: device.source.clone(),
        path_in_container: device.target.clone(),
        cgroup_permissions: device.permissions.clone(),
    });
    host.devices = non_empty(plain.collect());
}

/// Whether a name is of the form `vendor.com/class=device` (Container Device Interface).
fn is_cdi_name(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    let word = |text: &str, extra: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.ends_with(|last: char| last.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    let starts_with_letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_with_letter(vendor)
        && starts_with_letter(class)
        && word(vendor, "_-.")
        && word(class, "_-")
        && word(device, "_-.:")
}

fn apply_blkio(blkio: &Blkio, host: &mut HostConfig) {
    let throttle = |devices: &[Throttle]| {
        non_empty(
            devices
                .iter()
                .map(|device| ThrottleDevice {
                    path: Some(device.path.clone()),
                    rate: Some(device.rate.0),
                })
                .collect(),
        )
    };
    let weights = blkio
        .weight_device
        .iter()
        .map(|device| ResourcesBlkioWeightDevice {
            path: Some(device.path.clone()),
            weight: Some(usize::from(device.weight)),
        });
    host.blkio_weight = blkio.weight;
    host.blkio_weight_device = non_empty(weights.collect());
    host.blkio_device_read_bps = throttle(&blkio.device_read_bps);
    host.blkio_device_read_iops = throttle(&blkio.device_read_iops);
    host.blkio_device_write_bps = throttle(&blkio.device_write_bps);
    host.blkio_device_write_iops = throttle(&blkio.device_write_iops);
}

fn ulimit((name, limit): (&String, &Ulimit)) -> ResourcesUlimits {
    let given = |value: Option<i64>| value.filter(|value| *value != 0);
    let single = limit.single.unwrap_or_default();
    ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(given(limit.soft).unwrap_or(single)),
        hard: Some(given(limit.hard).unwrap_or(single)),
    }
}
