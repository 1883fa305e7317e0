//! Top-level networks, volumes and models.

use super::Context;
use super::combinators::{keyed, list, non_empty, record, some};
use super::mapping::{mapping, options};
use super::scalar::{flag, number_not_text, text};
use crate::compose::model::{AiModel, Extensions, Ipam, IpamPool, Network, Volume};
use crate::compose::node::{Node, Value};

/// `external`: a flag; the old mapping with a name counts as true.
pub(super) fn external<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<bool> {
    match &node.value {
        Value::Map(_) => Some(true),
        _ => flag(node, cx),
    }
}

record! {
    /// A top-level network.
    pub(super) fn network -> Network = Network::default();
    extensions extensions;
    require [];
    "name" => name: non_empty(text),
    "driver" => driver: non_empty(text),
    "driver_opts" => driver_opts: options,
    "ipam" => ipam: ipam,
    "external" => external: external,
    "internal" => internal: flag,
    "attachable" => attachable: flag,
    "labels" => labels: mapping,
    "enable_ipv4" => enable_ipv4: some(flag),
    "enable_ipv6" => enable_ipv6: some(flag),
}

record! {
    fn ipam_parts -> IpamParts = IpamParts::default();
    extensions extensions;
    require [];
    "driver" => driver: non_empty(text),
    "config" => config: list(pool),
    "options" => options: checked_options,
}

/// `options` is allowed and, as in docker compose, has no effect.
#[derive(Default)]
struct IpamParts {
    driver: Option<String>,
    config: Vec<IpamPool>,
    options: (),
    extensions: Extensions,
}

fn ipam<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Ipam> {
    let parts = ipam_parts(node, cx)?;
    let () = parts.options;
    Some(Ipam {
        driver: parts.driver,
        config: parts.config,
        extensions: parts.extensions,
    })
}

fn checked_options<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<()> {
    keyed(text)(node, cx).map(|_| ())
}

record! {
    fn pool -> IpamPool = IpamPool::default();
    extensions extensions;
    require [];
    "subnet" => subnet: non_empty(text),
    "gateway" => gateway: non_empty(text),
    "ip_range" => ip_range: non_empty(text),
    "aux_addresses" => aux_addresses: keyed(text),
}

record! {
    /// A top-level volume.
    pub(super) fn volume -> Volume = Volume::default();
    extensions extensions;
    require [];
    "name" => name: non_empty(text),
    "driver" => driver: non_empty(text),
    "driver_opts" => driver_opts: options,
    "external" => external: external,
    "labels" => labels: mapping,
}

record! {
    /// A top-level AI model.
    pub(super) fn model -> AiModel = AiModel::default();
    extensions extensions;
    require ["model"];
    "name" => name: non_empty(text),
    "model" => model: non_empty(text),
    "context_size" => context_size: non_empty(number_not_text),
    "runtime_flags" => runtime_flags: list(text),
}
