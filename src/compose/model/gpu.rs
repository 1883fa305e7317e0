//! `gpus` and `deploy.resources.reservations.devices`.

use super::Mapping;

/// A request for devices of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceRequest {
    /// All of which a device must have (`gpu`, `tpu` …).
    pub capabilities: Vec<String>,
    /// The driver.
    pub driver: Option<String>,
    /// How many; `-1` is all.
    pub count: Option<i64>,
    /// Which ones, by id.
    pub device_ids: Vec<String>,
    /// Driver options.
    pub options: Mapping,
}
