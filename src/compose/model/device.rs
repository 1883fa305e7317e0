//! `devices` and `blkio_config`.

use super::{ByteSize, Extensions};

/// One entry of `devices`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceMapping {
    /// Path on the host, or a CDI name.
    pub source: Option<String>,
    /// Path in the container.
    pub target: Option<String>,
    /// Any of `rwm`.
    pub permissions: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `blkio_config`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blkio {
    /// Share of bandwidth, 10 to 1000.
    pub weight: Option<u16>,
    /// Shares per device.
    pub weight_device: Vec<WeightDevice>,
    /// Read limits in bytes per second.
    pub device_read_bps: Vec<ThrottleDevice>,
    /// Read limits in operations per second.
    pub device_read_iops: Vec<ThrottleDevice>,
    /// Write limits in bytes per second.
    pub device_write_bps: Vec<ThrottleDevice>,
    /// Write limits in operations per second.
    pub device_write_iops: Vec<ThrottleDevice>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// A share of one device's bandwidth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WeightDevice {
    /// The device's path.
    pub path: String,
    /// Share, 10 to 1000.
    pub weight: u16,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// A limit on one device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ThrottleDevice {
    /// The device's path.
    pub path: String,
    /// Bytes or operations per second.
    pub rate: ByteSize,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
