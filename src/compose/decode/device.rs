//! `devices`, `gpus` and `blkio_config`.

use super::Context;
use super::combinators::{list, non_empty, record, unique_texts};
use super::mapping::mapping;
use super::scalar::{bytes, integer, sized, text};
use crate::compose::model::{Blkio, DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice};
use crate::compose::node::{Node, Value};

record! {
    /// One device of the host.
    pub(super) fn device -> DeviceMapping = DeviceMapping::default();
    extensions extensions;
    require ["source", "target"];
    "source" => source: non_empty(text),
    "target" => target: non_empty(text),
    "permissions" => permissions: non_empty(text),
}

record! {
    fn request -> DeviceRequest = DeviceRequest::default();
    extensions dropped;
    require [];
    "capabilities" => capabilities: unique_texts,
    "driver" => driver: non_empty(text),
    "count" => count: non_empty(count),
    "device_ids" => device_ids: unique_texts,
    "options" => options: mapping,
}

/// `gpus` of a service.
pub(super) fn gpu<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<DeviceRequest> {
    request(node, cx)
}

/// One entry of `deploy.resources.reservations.devices`.
pub(super) fn reservation<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<DeviceRequest> {
    if let Some(map) = node.as_map() {
        let keys: Vec<&str> = map.keys().map(String::as_str).collect();
        cx.require(node, map, &["capabilities"], &keys);
    }
    request(node, cx)
}

/// A number, or `all` as -1.
fn count<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<i64> {
    match node.as_str() {
        Some(text) if text.eq_ignore_ascii_case("all") => Some(-1),
        Some(text) if text.parse::<i64>().is_err() => {
            cx.wrong_type(node, "a number of devices or \"all\"")
        }
        None if matches!(node.value, Value::Float(_)) => cx.wrong_type(node, "an integer"),
        _ => integer(node, cx),
    }
}

record! {
    /// `blkio_config`.
    pub(super) fn blkio -> Blkio = Blkio::default();
    extensions extensions;
    require [];
    "weight" => weight: non_empty(weight_number),
    "weight_device" => weight_device: list(weight),
    "device_read_bps" => device_read_bps: list(throttle),
    "device_read_iops" => device_read_iops: list(throttle),
    "device_write_bps" => device_write_bps: list(throttle),
    "device_write_iops" => device_write_iops: list(throttle),
}

/// A small number, not as text.
fn weight_number<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<u16> {
    match node.value {
        Value::Str(_) => cx.wrong_type(node, "a number"),
        _ => sized(node, cx),
    }
}

record! {
    fn weight -> WeightDevice = WeightDevice::default();
    extensions refused;
    require [];
    "path" => path: text,
    "weight" => weight: weight_number,
}

record! {
    fn throttle -> ThrottleDevice = ThrottleDevice::default();
    extensions refused;
    require [];
    "path" => path: text,
    "rate" => rate: bytes,
}
