//! The typed model → what `config` prints and what is hashed.
//!
//! Each struct is turned into one neutral [`Value`] in docker compose's order and with what it
//! leaves out left out; two writers turn that into text.

mod build;
mod deploy;
mod develop;
mod device;
mod fields;
mod file_reference;
mod json;
mod key_order;
mod mount;
pub(in crate::compose) mod number;
mod resource;
mod scalar_style;
mod service;
mod value;
mod yaml;

use std::borrow::Cow;

pub use fields::Format;
pub use value::Value;

use super::model::{Network, Project, Service, Volume};
use super::node::Node;
use fields::{Fields, keyed};

/// The project as `config --format json` prints it, without the final line break.
pub fn json(project: &Project) -> String {
    json::pretty(&json_tree(project))
}

/// The project as `config` prints it, before it becomes text.
pub fn tree(project: &Project) -> Value<'_> {
    yaml_tree(project)
}

/// The project as `config` prints it.
pub fn yaml(project: &Project) -> String {
    yaml::document(&yaml_tree(project))
}

/// An untyped tree as JSON with sorted keys.
pub fn node_json(node: &Node) -> String {
    json::pretty(&fields::node(node, Format::Json))
}

/// An untyped tree as YAML with sorted keys.
pub fn node_yaml(node: &Node) -> String {
    yaml::document(&fields::node(node, Format::Yaml))
}

/// A tree of one's own as JSON.
pub fn value_json(value: &Value<'_>) -> String {
    json::pretty(value)
}

/// A tree of one's own as YAML.
pub fn value_yaml(value: &Value<'_>) -> String {
    yaml::document(value)
}

/// A service as compact JSON.
pub fn service_json(service: &Service) -> String {
    json::compact(&service::service(service, Format::Json))
}

/// A network as compact JSON.
pub fn network_json(network: &Network) -> String {
    json::compact(&resource::network(network, Format::Json))
}

/// A volume as compact JSON.
pub fn volume_json(volume: &Volume) -> String {
    json::compact(&resource::volume(volume, Format::Json))
}

/// `$` doubled, so that the output can be loaded again.
pub fn escape_dollars(text: &str) -> String {
    text.replace('$', "$$")
}

/// The keys of the root are sorted; models are left out, as docker compose does.
fn json_tree(project: &Project) -> Value<'_> {
    let format = Format::Json;
    let fields = Fields::new(format)
        .map("configs", &project.configs, file_reference::config)
        .always("name", Value::str(project.name.as_str()))
        .map("networks", &project.networks, resource::network)
        .map("secrets", &project.secrets, file_reference::secret)
        .always(
            "services",
            keyed(&project.services, format, service::service),
        )
        .map("volumes", &project.volumes, resource::volume);
    let Value::Map(mut entries) = fields.end() else {
        return Value::Null;
    };
    let extensions = project
        .extensions
        .iter()
        .map(|(key, node)| (Cow::Borrowed(key.as_str()), fields::node(node, format)));
    entries.extend(extensions);
    Value::Map(entries)
}

fn yaml_tree(project: &Project) -> Value<'_> {
    let format = Format::Yaml;
    Fields::new(format)
        .text("name", Some(&project.name))
        .always(
            "services",
            keyed(&project.services, format, service::service),
        )
        .map("networks", &project.networks, resource::network)
        .map("volumes", &project.volumes, resource::volume)
        .map("secrets", &project.secrets, file_reference::secret)
        .map("configs", &project.configs, file_reference::config)
        .map("models", &project.models, resource::model)
        .extended(&project.extensions)
}
