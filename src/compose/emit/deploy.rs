//! `deploy`.

use super::device::request;
use super::fields::{Fields, Format};
use super::value::Value;
use crate::compose::model::{
    Deploy, GenericResource, Placement, PlacementPreference, Resource, Resources, RestartPolicy,
    UpdateConfig,
};

pub(super) fn deploy(deploy: &Deploy, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("mode", deploy.mode.as_ref())
        .given_uint("replicas", deploy.replicas)
        .mapping("labels", &deploy.labels)
        .object(
            "update_config",
            deploy.update_config.as_ref(),
            update_config,
        )
        .object(
            "rollback_config",
            deploy.rollback_config.as_ref(),
            update_config,
        )
        .structure("resources", resources(&deploy.resources, format))
        .object(
            "restart_policy",
            deploy.restart_policy.as_ref(),
            restart_policy,
        )
        .structure("placement", placement(&deploy.placement, format))
        .text("endpoint_mode", deploy.endpoint_mode.as_ref())
        .extended(&deploy.extensions)
}

fn update_config(config: &UpdateConfig, format: Format) -> Value<'_> {
    Fields::new(format)
        .given_uint("parallelism", config.parallelism)
        .display("delay", config.delay)
        .text("failure_action", config.failure_action.as_ref())
        .display("monitor", config.monitor)
        .float("max_failure_ratio", config.max_failure_ratio)
        .text("order", config.order.as_ref())
        .extended(&config.extensions)
}

fn resources(resources: &Resources, format: Format) -> Value<'_> {
    Fields::new(format)
        .object("limits", resources.limits.as_ref(), resource)
        .object("reservations", resources.reservations.as_ref(), resource)
        .extended(&resources.extensions)
}

fn resource(resource: &Resource, format: Format) -> Value<'_> {
    Fields::new(format)
        .float("cpus", resource.cpus)
        .display("memory", resource.memory)
        .int("pids", resource.pids)
        .list("devices", &resource.devices, request)
        .list(
            "generic_resources",
            &resource.generic_resources,
            generic_resource,
        )
        .extended(&resource.extensions)
}

fn generic_resource(resource: &GenericResource, format: Format) -> Value<'_> {
    if *resource == GenericResource::default() {
        return Fields::new(format).end();
    }
    let spec = Fields::new(format)
        .always("kind", Value::str(resource.kind.as_str()))
        .always("value", Value::Int(resource.value))
        .extended(&resource.extensions);
    Fields::new(format)
        .always("discrete_resource_spec", spec)
        .end()
}

fn restart_policy(policy: &RestartPolicy, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("condition", policy.condition.as_ref())
        .given("delay", policy.delay)
        .given_uint("max_attempts", policy.max_attempts)
        .given("window", policy.window)
        .extended(&policy.extensions)
}

fn placement(placement: &Placement, format: Format) -> Value<'_> {
    let limit = placement.max_replicas_per_node.filter(|limit| *limit != 0);
    Fields::new(format)
        .texts("constraints", &placement.constraints)
        .list("preferences", &placement.preferences, preference)
        .given_uint("max_replicas_per_node", limit)
        .extended(&placement.extensions)
}

fn preference(preference: &PlacementPreference, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("spread", preference.spread.as_ref())
        .extended(&preference.extensions)
}
