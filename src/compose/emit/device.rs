//! `devices`, `gpus` and `blkio_config`.

use super::fields::{Fields, Format};
use super::value::Value;
use crate::compose::model::{Blkio, DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice};

pub(super) fn device(device: &DeviceMapping, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("source", device.source.as_ref())
        .text("target", device.target.as_ref())
        .text("permissions", device.permissions.as_ref())
        .extended(&device.extensions)
}

pub(super) fn request(request: &DeviceRequest, format: Format) -> Value<'_> {
    Fields::new(format)
        .texts("capabilities", &request.capabilities)
        .text("driver", request.driver.as_ref())
        .int("count", request.count)
        .texts("device_ids", &request.device_ids)
        .mapping("options", &request.options)
        .end()
}

pub(super) fn blkio(blkio: &Blkio, format: Format) -> Value<'_> {
    Fields::new(format)
        .int("weight", blkio.weight.map(i64::from))
        .list("weight_device", &blkio.weight_device, weight)
        .list("device_read_bps", &blkio.device_read_bps, throttle)
        .list("device_read_iops", &blkio.device_read_iops, throttle)
        .list("device_write_bps", &blkio.device_write_bps, throttle)
        .list("device_write_iops", &blkio.device_write_iops, throttle)
        .extended(&blkio.extensions)
}

/// docker compose capitalises these keys in JSON.
fn weight(device: &WeightDevice, format: Format) -> Value<'_> {
    let keys = match format {
        Format::Json => ["Path", "Weight"],
        Format::Yaml => ["path", "weight"],
    };
    Fields::new(format)
        .always(keys[0], Value::str(device.path.as_str()))
        .always(keys[1], Value::Int(device.weight.into()))
        .extended(&device.extensions)
}

/// docker compose capitalises these keys in JSON.
fn throttle(device: &ThrottleDevice, format: Format) -> Value<'_> {
    let keys = match format {
        Format::Json => ["Path", "Rate"],
        Format::Yaml => ["path", "rate"],
    };
    Fields::new(format)
        .always(keys[0], Value::str(device.path.as_str()))
        .always(keys[1], Value::str(device.rate.to_string()))
        .extended(&device.extensions)
}
