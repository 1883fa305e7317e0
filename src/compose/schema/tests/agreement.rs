//! Every attribute with every kind of value, and whole files: decoders and schema agree.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value as Json;

use super::verdict::{documents, errors, is_beyond_schemas, json};
use crate::compose::decode::records::RECORDS;

fn validator() -> Validator {
    jsonschema::draft7::new(&super::super::schema()).unwrap()
}

/// Where each record is in a file: `?` stands for it.
const PLACES: &[(&str, &str, &str)] = &[
    ("decode", "root", "?"),
    ("service", "attributes", "services: {a: ?}"),
    (
        "service",
        "credential_spec",
        "services: {a: {credential_spec: ?}}",
    ),
    ("service", "logging", "services: {a: {logging: ?}}"),
    ("service", "provider", "services: {a: {provider: ?}}"),
    (
        "service",
        "service_model",
        "services: {a: {models: {m: ?}}}",
    ),
    ("build", "build", "services: {a: {build: ?}}"),
    (
        "dependency",
        "dependency",
        "services: {a: {depends_on: {b: ?}}}",
    ),
    ("dependency", "env_file", "services: {a: {env_file: [?]}}"),
    ("dependency", "extends", "services: {a: {extends: ?}}"),
    ("deploy", "deploy", "services: {a: {deploy: ?}}"),
    (
        "deploy",
        "discrete_resource",
        "services: {a: {deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: ?}]}}}}}",
    ),
    (
        "deploy",
        "generic_resource_entry",
        "services: {a: {deploy: {resources: {reservations: {generic_resources: [?]}}}}}",
    ),
    (
        "deploy",
        "limits",
        "services: {a: {deploy: {resources: {limits: ?}}}}",
    ),
    (
        "deploy",
        "placement",
        "services: {a: {deploy: {placement: ?}}}",
    ),
    (
        "deploy",
        "preference",
        "services: {a: {deploy: {placement: {preferences: [?]}}}}",
    ),
    (
        "deploy",
        "reservations",
        "services: {a: {deploy: {resources: {reservations: ?}}}}",
    ),
    (
        "deploy",
        "resources",
        "services: {a: {deploy: {resources: ?}}}",
    ),
    (
        "deploy",
        "restart_policy",
        "services: {a: {deploy: {restart_policy: ?}}}",
    ),
    (
        "deploy",
        "update_config",
        "services: {a: {deploy: {update_config: ?}}}",
    ),
    ("develop", "develop", "services: {a: {develop: ?}}"),
    (
        "develop",
        "trigger",
        "services: {a: {develop: {watch: [?]}}}",
    ),
    ("device", "blkio", "services: {a: {blkio_config: ?}}"),
    ("device", "device", "services: {a: {devices: [?]}}"),
    ("device", "request", "services: {a: {gpus: [?]}}"),
    (
        "device",
        "throttle",
        "services: {a: {blkio_config: {device_read_bps: [?]}}}",
    ),
    (
        "device",
        "weight",
        "services: {a: {blkio_config: {weight_device: [?]}}}",
    ),
    ("file_reference", "config", "configs: {a: ?}"),
    (
        "file_reference",
        "file_reference",
        "services: {a: {configs: [?]}}",
    ),
    ("file_reference", "secret", "secrets: {a: ?}"),
    (
        "healthcheck",
        "healthcheck",
        "services: {a: {healthcheck: ?}}",
    ),
    ("hook", "hook", "services: {a: {post_start: [?]}}"),
    ("hook", "pre_start", "services: {a: {pre_start: [?]}}"),
    ("network", "port", "services: {a: {ports: [?]}}"),
    (
        "network",
        "service_network",
        "services: {a: {networks: {n: ?}}}",
    ),
    ("resource", "ipam_parts", "networks: {n: {ipam: ?}}"),
    ("resource", "model", "models: {m: ?}"),
    ("resource", "network", "networks: {n: ?}"),
    ("resource", "pool", "networks: {n: {ipam: {config: [?]}}}"),
    ("resource", "volume", "volumes: {v: ?}"),
    (
        "ulimit",
        "soft_and_hard",
        "services: {a: {ulimits: {nofile: ?}}}",
    ),
    (
        "volume",
        "bind",
        "services: {a: {volumes: [{type: bind, target: /t, bind: ?}]}}",
    ),
    (
        "volume",
        "image",
        "services: {a: {volumes: [{type: image, target: /t, image: ?}]}}",
    ),
    ("volume", "mount", "services: {a: {volumes: [?]}}"),
    (
        "volume",
        "tmpfs",
        "services: {a: {volumes: [{type: tmpfs, target: /t, tmpfs: ?}]}}",
    ),
    (
        "volume",
        "volume",
        "services: {a: {volumes: [{type: volume, target: /t, volume: ?}]}}",
    ),
];

/// Values of every kind, as YAML.
const VALUES: &[&str] = &[
    "null",
    "true",
    "'true'",
    "'Yes'",
    "'maybe'",
    "0",
    "1",
    "-1",
    "101",
    "70000",
    "1.5",
    "'1'",
    "'-1'",
    "'1.5'",
    "''",
    "'text'",
    "'a b'",
    "a=b",
    "'a:b'",
    "'a:b:c:d'",
    "all",
    "30s",
    "'1m30s'",
    "'5 s'",
    "64m",
    "'1.5 GiB'",
    "'0440'",
    "'9'",
    "'127.0.0.1:80:80/tcp'",
    "'80-81:90-91'",
    "'80:'",
    "host",
    "private",
    "always",
    "every_1h",
    "service_started",
    "start-first",
    "bind",
    "z",
    "enabled",
    "rebuild",
    "default",
    "'${A}'",
    "'${A:-b}'",
    "[]",
    "[text]",
    "[a, b]",
    "[1]",
    "[1.5]",
    "[true]",
    "[null]",
    "['']",
    "[a=b]",
    "['a:b']",
    "['a:b:c:d']",
    "['80:80']",
    "[70000]",
    "['${A}']",
    "[[a]]",
    "[{}]",
    "{}",
    "{a: b}",
    "{a: 1}",
    "{a: 1.5}",
    "{a: true}",
    "{a: null}",
    "{a: [b]}",
    "{a: [1]}",
    "{a: [null]}",
    "{a: {}}",
    "{a: {b: c}}",
    "{a: '${A}'}",
    "{'': b}",
    "{'a b': c}",
    "{x-a: 1}",
    "{name: n}",
    "{a: {name: n}}",
    "{a: {x-b: 1}}",
    "{a: {condition: service_started}}",
    "{soft: 1, hard: 2}",
];

/// What decoders and schema say of a text; nothing when they agree.
fn disagreement(validator: &Validator, text: &str) -> Option<String> {
    let (sources, documents) = documents(text)?;
    for document in documents {
        let errors = errors(&sources, &document);
        let instance = json(&document);
        let refused = validator.iter_errors(&instance).next();
        match refused {
            Some(reason) if errors.is_empty() => {
                return Some(format!(
                    "the schema refuses at {}: {:.200}",
                    reason.instance_path(),
                    reason.to_string()
                ));
            }
            None if errors.iter().any(|error| !is_beyond_schemas(error)) => {
                let error = errors.iter().find(|error| !is_beyond_schemas(error))?;
                return Some(format!(
                    "the schema accepts: {} ({})",
                    error.message, error.code
                ));
            }
            _ => {}
        }
    }
    None
}

/// A mapping that has what a record requires beside the attribute.
fn with_required(required: &[&str], key: &str, value: &str) -> String {
    let mut text = format!("{{{key}: {value}");
    for other in required.iter().filter(|other| **other != key) {
        let value = match *other {
            "type" => "volume",
            "target" => "80",
            "condition" => "service_started",
            "action" => "rebuild",
            "capabilities" => "[gpu]",
            "soft" | "hard" => "1",
            _ => "x",
        };
        let _ = write!(text, ", {other}: {value}");
    }
    text + "}"
}

#[test]
fn every_attribute_takes_the_same_values() {
    let validator = validator();
    let mut found = Vec::new();
    for record in RECORDS {
        let place = PLACES
            .iter()
            .find(|(noun, name, _)| (*noun, *name) == (record.noun(), record.name));
        let Some((.., place)) = place else {
            panic!("add the place of {}::{}", record.noun(), record.name);
        };
        for attribute in record.attributes {
            if attribute.decoder == "handled_before" {
                continue;
            }
            for value in VALUES {
                let mut map = with_required(record.required, attribute.key, value);
                if place.contains("volumes: [?]") || place.contains("devices: [?]") {
                    map = map.replace("target: 80", "target: /t");
                }
                if let ("secret" | "config", false) = (record.name, attribute.key == "file") {
                    map = map.replacen('{', "{file: f, ", 1);
                }
                let text = place.replace('?', &map);
                found.extend(
                    disagreement(&validator, &text).map(|what| format!("{text}\n    {what}")),
                );
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} disagreements:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn unknown_and_missing_attributes_are_found() {
    let validator = validator();
    let mut found = Vec::new();
    for (.., place) in PLACES {
        for value in [
            "{}",
            "null",
            "text",
            "1",
            "[]",
            "{unknown: 1}",
            "{x-known: 1}",
        ] {
            let text = place.replace('?', value);
            found.extend(disagreement(&validator, &text).map(|what| format!("{text}\n    {what}")));
        }
    }
    assert!(
        found.is_empty(),
        "{} disagreements:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// Every compose file of this repository, and those of the folder in `RCOMPOSE_TEST_CORPUS`.
#[test]
fn whole_files_are_judged_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("fixtures"), root.join("tests")];
    folders.extend(std::env::var_os("RCOMPOSE_TEST_CORPUS").map(PathBuf::from));
    for folder in &folders {
        collect(folder, &mut texts);
    }
    // The schema refuses entries of a wrong form; the loader does so too, but where it follows
    // `include`, which is before decoding: there is no verdict of the decoder to compare with.
    let wrong_form = ["/bad/include/entries/", "/bad/include/not-a-list/"];
    texts.retain(|(name, _)| !wrong_form.iter().any(|case| name.contains(case)));
    assert!(texts.len() > 3, "no files");
    let validator = validator();
    let found: Vec<String> = texts
        .iter()
        .filter_map(|(name, text)| Some(format!("{name}\n    {}", disagreement(&validator, text)?)))
        .collect();
    assert!(
        found.is_empty(),
        "{} of {} files:\n{}",
        found.len(),
        texts.len(),
        found.join("\n")
    );
}

/// Compose files below a folder; those inside a list of cases, one JSON object a line.
fn collect(folder: &Path, texts: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, texts);
        } else if name == "derived.jsonl" {
            cases(&fs::read_to_string(&path).unwrap_or_default(), texts);
        } else if is_compose_file(&name) {
            texts.extend(
                fs::read_to_string(&path)
                    .ok()
                    .map(|text| (path.display().to_string(), text)),
            );
        }
    }
}

fn is_compose_file(name: &str) -> bool {
    let yaml = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    yaml && name.contains("compose")
}

fn cases(lines: &str, texts: &mut Vec<(String, String)>) {
    for line in lines.lines() {
        let case: Json = serde_json::from_str(line).unwrap_or_default();
        for (name, text) in case["files"].as_object().into_iter().flatten() {
            if let (true, Some(text)) = (is_compose_file(name), text.as_str()) {
                let name = format!("{}: {name}", case["id"].as_str().unwrap_or_default());
                texts.push((name, text.to_owned()));
            }
        }
    }
}
