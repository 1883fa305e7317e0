//! Top-level networks, volumes and models.

use super::fields::{Fields, Format};
use super::value::Value;
use crate::compose::model::{AiModel, Ipam, IpamPool, Network, Volume};

pub(super) fn network(network: &Network, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("name", network.name.as_ref())
        .text("driver", network.driver.as_ref())
        .mapping("driver_opts", &network.driver_opts)
        .structure("ipam", ipam(&network.ipam, format))
        .flag("external", network.external)
        .flag("internal", network.internal)
        .flag("attachable", network.attachable)
        .mapping("labels", &network.labels)
        .given_flag("enable_ipv4", network.enable_ipv4)
        .given_flag("enable_ipv6", network.enable_ipv6)
        .extended(&network.extensions)
}

fn ipam(ipam: &Ipam, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("driver", ipam.driver.as_ref())
        .list("config", &ipam.config, pool)
        .extended(&ipam.extensions)
}

fn pool(pool: &IpamPool, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("subnet", pool.subnet.as_ref())
        .text("gateway", pool.gateway.as_ref())
        .text("ip_range", pool.ip_range.as_ref())
        .mapping("aux_addresses", &pool.aux_addresses)
        .end()
}

pub(super) fn volume(volume: &Volume, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("name", volume.name.as_ref())
        .text("driver", volume.driver.as_ref())
        .mapping("driver_opts", &volume.driver_opts)
        .flag("external", volume.external)
        .mapping("labels", &volume.labels)
        .extended(&volume.extensions)
}

pub(super) fn model(model: &AiModel, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("name", model.name.as_ref())
        .text("model", model.model.as_ref())
        .int("context_size", model.context_size)
        .texts("runtime_flags", &model.runtime_flags)
        .extended(&model.extensions)
}
