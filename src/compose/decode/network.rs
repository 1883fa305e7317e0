//! `networks` and `ports` of a service.

use super::combinators::{list, non_empty, record, unique_texts};
use super::mapping::options;
use super::scalar::{number_not_text, sized, text, text_or_integer};
use crate::compose::model::{Port, ServiceNetwork};

record! {
    /// How a service joins one network.
    pub(super) fn service_network -> ServiceNetwork = ServiceNetwork::default();
    extensions extensions;
    require [];
    "aliases" => aliases: unique_texts,
    "driver_opts" => driver_opts: options,
    "gw_priority" => gw_priority: non_empty(number_not_text),
    "interface_name" => interface_name: non_empty(text),
    "ipv4_address" => ipv4_address: non_empty(text),
    "ipv6_address" => ipv6_address: non_empty(text),
    "link_local_ips" => link_local_ips: unique_texts,
    "mac_address" => mac_address: non_empty(text),
    "priority" => priority: non_empty(number_not_text),
}

record! {
    fn port -> Port = Port::default();
    extensions extensions;
    require ["target"];
    "name" => name: non_empty(text),
    "mode" => mode: non_empty(text),
    "host_ip" => host_ip: non_empty(text),
    "target" => target: non_empty(sized),
    "published" => published: non_empty(text_or_integer),
    "protocol" => protocol: non_empty(text),
    "app_protocol" => app_protocol: non_empty(text),
}

/// `ports` in long form.
pub(super) fn ports<'a>(
    node: &'a crate::compose::node::Node,
    cx: &mut super::Context<'a>,
) -> Option<Vec<Port>> {
    list(port)(node, cx)
}
