//! What the decoders read, as data: the schema is generated from it.

use super::{
    build, dependency, deploy, develop, device, file_reference, healthcheck, hook, network,
    resource, service, ulimit, volume,
};

/// One mapping with known attributes.
#[derive(Debug, Clone, Copy)]
pub(in crate::compose) struct Record {
    /// Path of the decoder's module.
    pub(in crate::compose) module: &'static str,
    /// Name of the decoder.
    pub(in crate::compose) name: &'static str,
    /// The type it decodes into.
    pub(in crate::compose) model: &'static str,
    /// The field that keeps `x-*` attributes; `refused` and `dropped` where there is none.
    pub(in crate::compose) extensions: &'static str,
    /// Attributes that must be there.
    pub(in crate::compose) required: &'static [&'static str],
    /// All attributes.
    pub(in crate::compose) attributes: &'static [Attribute],
}

/// One attribute of a [`Record`].
#[derive(Debug, Clone, Copy)]
pub(in crate::compose) struct Attribute {
    /// Its key.
    pub(in crate::compose) key: &'static str,
    /// The field of the model that it goes into.
    pub(in crate::compose) field: &'static str,
    /// The decoder of its value, as Rust text.
    pub(in crate::compose) decoder: &'static str,
}

impl Record {
    /// The last part of the module's path: `network`.
    pub(in crate::compose) fn noun(&self) -> &'static str {
        self.module.rsplit("::").next().unwrap_or_default()
    }
}

/// Every record, the root first.
pub(in crate::compose) const RECORDS: &[Record] = &[
    super::root::RECORD,
    service::attributes::RECORD,
    service::credential_spec::RECORD,
    service::logging::RECORD,
    service::provider::RECORD,
    service::service_model::RECORD,
    build::build::RECORD,
    dependency::dependency::RECORD,
    dependency::env_file::RECORD,
    dependency::extends::RECORD,
    deploy::deploy::RECORD,
    deploy::discrete_resource::RECORD,
    deploy::generic_resource_entry::RECORD,
    deploy::limits::RECORD,
    deploy::placement::RECORD,
    deploy::preference::RECORD,
    deploy::reservations::RECORD,
    deploy::resources::RECORD,
    deploy::restart_policy::RECORD,
    deploy::update_config::RECORD,
    develop::develop::RECORD,
    develop::trigger::RECORD,
    device::blkio::RECORD,
    device::device::RECORD,
    device::request::RECORD,
    device::throttle::RECORD,
    device::weight::RECORD,
    file_reference::config::RECORD,
    file_reference::file_reference::RECORD,
    file_reference::secret::RECORD,
    healthcheck::healthcheck::RECORD,
    hook::hook::RECORD,
    hook::pre_start::RECORD,
    network::port::RECORD,
    network::service_network::RECORD,
    resource::ipam_parts::RECORD,
    resource::model::RECORD,
    resource::network::RECORD,
    resource::pool::RECORD,
    resource::volume::RECORD,
    ulimit::soft_and_hard::RECORD,
    volume::bind::RECORD,
    volume::image::RECORD,
    volume::mount::RECORD,
    volume::tmpfs::RECORD,
    volume::volume::RECORD,
];
