//! Descriptions: the docstrings of the model's types and fields.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::decode::records::{Attribute, Record};

/// Docstrings keyed by type and field; those of the types themselves have an empty field.
pub(super) struct Docs(BTreeMap<(String, String), String>);

/// Attributes and types that are not in the model, or mean more than the model's field:
/// record, attribute, description.
const MORE: &[(&str, &str, &str)] = &[
    (
        "root",
        "",
        "A compose file: the services of a project and what they share",
    ),
    ("root", "version", "Version of the format. Without effect"),
    (
        "root",
        "name",
        "Name of the project. Default: the name of the folder",
    ),
    (
        "root",
        "include",
        "Other compose files to import, each with its own folder and env files",
    ),
    (
        "root",
        "services",
        "Services keyed by name: what containers are made from",
    ),
    (
        "root",
        "networks",
        "Networks that services join, keyed by name",
    ),
    (
        "root",
        "volumes",
        "Volumes that services share and keep, keyed by name",
    ),
    (
        "root",
        "secrets",
        "Secrets that services may read, keyed by name",
    ),
    (
        "root",
        "configs",
        "Configuration files that services may read, keyed by name",
    ),
    (
        "root",
        "models",
        "AI models that services use, keyed by name",
    ),
    (
        "generic_resource_entry",
        "",
        "A user-defined resource to reserve",
    ),
    (
        "generic_resource_entry",
        "discrete_resource_spec",
        "A resource that is counted",
    ),
    (
        "ipam_parts",
        "options",
        "Options of the driver. Without effect",
    ),
    ("attributes", "pull_refresh_after", "Without effect"),
];

impl Docs {
    /// Reads the sources of the model.
    pub(super) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compose/model");
        let mut docs = Self(BTreeMap::new());
        let files = fs::read_dir(folder).expect("the model's folder");
        for file in files.flatten() {
            let text = fs::read_to_string(file.path()).expect("a source file");
            docs.scan(&text);
        }
        docs
    }

    /// The description of a record.
    pub(super) fn of_record(&self, record: &Record) -> String {
        self.find(record, "", "")
    }

    /// The description of an attribute.
    pub(super) fn of_attribute(&self, record: &Record, attribute: &Attribute) -> String {
        self.find(record, attribute.key, attribute.field)
    }

    fn find(&self, record: &Record, key: &str, field: &str) -> String {
        let more = MORE
            .iter()
            .find(|(name, attribute, _)| (*name, *attribute) == (record.name, key));
        if let Some((.., text)) = more {
            return (*text).to_owned();
        }
        let model = match record.model {
            "IpamParts" => "Ipam",
            model => model,
        };
        let text = self.0.get(&(model.to_owned(), field.to_owned()));
        text.unwrap_or_else(|| panic!("{model}.{field} ({}.{key}) has no docstring", record.name))
            .trim_end_matches('.')
            .to_owned()
    }

    fn scan(&mut self, text: &str) {
        let mut of = String::new();
        let mut doc: Vec<&str> = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                doc.push(text.trim());
                continue;
            }
            if line.starts_with("#[") {
                continue;
            }
            if let Some(rest) = line.strip_prefix("pub struct ") {
                let end = rest.find(|char: char| !char.is_alphanumeric());
                rest[..end.unwrap_or(rest.len())].clone_into(&mut of);
                self.0.insert((of.clone(), String::new()), doc.join(" "));
            } else if let Some((field, _)) = line
                .strip_prefix("pub ")
                .and_then(|rest| rest.split_once(": "))
                .filter(|_| !doc.is_empty())
            {
                self.0.insert((of.clone(), field.to_owned()), doc.join(" "));
            }
            doc.clear();
        }
    }
}
