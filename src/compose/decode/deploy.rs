//! `deploy`.

use super::Context;
use super::combinators::{list, non_empty, record, some};
use super::device::reservation;
use super::mapping::mapping;
use super::scalar::{
    bytes_as_text, duration, float, integer, number_as_integer, one_of, text, unsigned,
};
use crate::compose::model::{
    Deploy, Extensions, GenericResource, Placement, PlacementPreference, Resource, Resources,
    RestartPolicy, UpdateConfig,
};
use crate::compose::node::Node;

record! {
    /// `deploy` of a service.
    pub(super) fn deploy -> Deploy = Deploy::default();
    extensions extensions;
    require [];
    "mode" => mode: non_empty(text),
    "replicas" => replicas: some(unsigned),
    "labels" => labels: mapping,
    "update_config" => update_config: some(update_config),
    "rollback_config" => rollback_config: some(update_config),
    "resources" => resources: resources,
    "restart_policy" => restart_policy: some(restart_policy),
    "placement" => placement: placement,
    "endpoint_mode" => endpoint_mode: non_empty(text),
}

record! {
    fn update_config -> UpdateConfig = UpdateConfig::default();
    extensions extensions;
    require [];
    "parallelism" => parallelism: some(unsigned),
    "delay" => delay: non_empty(duration),
    "failure_action" => failure_action: non_empty(text),
    "monitor" => monitor: non_empty(duration),
    "max_failure_ratio" => max_failure_ratio: non_empty(float),
    "order" => order: some(one_of(&["start-first", "stop-first"])),
}

record! {
    fn resources -> Resources = Resources::default();
    extensions extensions;
    require [];
    "limits" => limits: some(limits),
    "reservations" => reservations: some(reservations),
}

record! {
    fn limits -> Resource = Resource::default();
    extensions extensions;
    require [];
    "cpus" => cpus: non_empty(float),
    "memory" => memory: non_empty(bytes_as_text),
    "pids" => pids: non_empty(integer),
}

record! {
    fn reservations -> Resource = Resource::default();
    extensions extensions;
    require [];
    "cpus" => cpus: non_empty(float),
    "memory" => memory: non_empty(bytes_as_text),
    "generic_resources" => generic_resources: list(generic_resource),
    "devices" => devices: list(reservation),
}

#[derive(Default)]
struct GenericResourceEntry {
    resource: GenericResource,
    extensions: Extensions,
}

fn generic_resource<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<GenericResource> {
    let entry = generic_resource_entry(node, cx)?;
    let mut resource = entry.resource;
    resource.extensions.extend(entry.extensions);
    Some(resource)
}

record! {
    fn generic_resource_entry -> GenericResourceEntry = GenericResourceEntry::default();
    extensions extensions;
    require [];
    "discrete_resource_spec" => resource: discrete_resource,
}

record! {
    fn discrete_resource -> GenericResource = GenericResource::default();
    extensions extensions;
    require [];
    "kind" => kind: text,
    "value" => value: number_as_integer,
}

record! {
    fn restart_policy -> RestartPolicy = RestartPolicy::default();
    extensions extensions;
    require [];
    "condition" => condition: non_empty(text),
    "delay" => delay: some(duration),
    "max_attempts" => max_attempts: some(unsigned),
    "window" => window: some(duration),
}

record! {
    fn placement -> Placement = Placement::default();
    extensions extensions;
    require [];
    "constraints" => constraints: list(text),
    "preferences" => preferences: list(preference),
    "max_replicas_per_node" => max_replicas_per_node: non_empty(unsigned),
}

record! {
    fn preference -> PlacementPreference = PlacementPreference::default();
    extensions extensions;
    require [];
    "spread" => spread: non_empty(text),
}
