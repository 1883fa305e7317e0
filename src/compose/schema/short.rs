//! What stages before decoding add: short forms, and hints for people.

use serde_json::{Value, json};

use super::super::decode::records::Record;
use super::{any, list, reference};

/// The forms that may be written, given the one that is decoded.
pub(super) fn of(record: &Record, key: &str, decoded: Value) -> Value {
    let text = || json!({ "type": "string" });
    match (record.name, key) {
        ("root", "version" | "name") => text(),
        ("root", "include") => include(),
        ("attributes", "build" | "extends" | "label_file") => any([text(), decoded]),
        ("attributes", "depends_on" | "networks" | "models") => any([reference("names"), decoded]),
        ("attributes", "env_file") => any([text(), list(any([text(), reference("env_file")]))]),
        ("attributes", "gpus") => any([
            json!({ "const": "all" }),
            json!({ "type": "string", "pattern": r"\$" }),
            decoded,
        ]),
        ("attributes", "volumes") => list(any([
            json!({ "type": "string", "minLength": 1 }),
            reference("mount"),
        ])),
        ("attributes", "devices") => list(any([
            json!({ "type": "string", "pattern": r"^[^:]*(:[^:]*){0,2}$|\$" }),
            reference("device"),
        ])),
        ("attributes" | "build", "secrets") | ("attributes", "configs") => {
            list(any([text(), reference("file_reference")]))
        }
        // Empty entries do not count.
        ("attributes", "dns") => any([
            text(),
            json!({ "type": "array", "items": { "type": ["string", "null"] }, "uniqueItems": true }),
        ]),
        ("port", "target") => json!({
            "allOf": [reference("unsigned"), { "not": { "const": 0 } }],
        }),
        ("port", "host_ip") => json!({ "type": "string", "pattern": ADDRESS }),
        ("build", "provenance" | "sbom") => json!({ "type": ["string", "boolean"] }),
        ("build", "additional_contexts") => pairs("="),
        ("build", "ssh") => pairs("^default$|="),
        _ => decoded,
    }
}

/// An IP address of either kind, or a variable.
const ADDRESS: &str = concat!(
    r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
    r"|^[0-9a-fA-F:.]*::[0-9a-fA-F:.]*$|^([0-9a-fA-F]{1,4}:){6,7}[0-9a-fA-F.]+$|\$",
);

/// A mapping, or a list of texts that match.
fn pairs(pattern: &str) -> Value {
    any([
        json!({
            "type": "object",
            "propertyNames": { "minLength": 1 },
            "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
        }),
        list(json!({ "type": "string", "pattern": format!(r"{pattern}|\$") })),
    ])
}

fn include() -> Value {
    let path = json!({
        "description": "A compose file, or several that are merged",
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
    });
    let env_file = json!({
        "description": "Env files with the variables of the imported files",
        "type": ["string", "array"],
        "items": { "type": "string" },
    });
    let entry = json!({
        "type": "object",
        "properties": {
            "path": path,
            "project_directory": {
                "description": "Folder that relative paths of the imported files start from",
                "type": "string",
            },
            "env_file": env_file,
        },
        "required": ["path"],
        "additionalProperties": false,
    });
    json!({ "type": ["array", "null"], "items": any([json!({ "type": "string" }), entry]) })
}

/// What to do instead of using an attribute, if it is no longer meant to be used.
pub(super) fn deprecated(record: &Record, key: &str) -> Option<&'static str> {
    Some(match (record.name, key) {
        ("root", "version") => "remove it, it has no effect",
        ("attributes", "pull_refresh_after") => "use `pull_policy: every_<duration>`",
        ("attributes", "links") => {
            "remove it: services of a project reach each other by name; `rcompose migrate` does it"
        }
        ("attributes", "external_links") => "join a network with the other container",
        _ => return None,
    })
}

/// Values that editors may offer where others are allowed too.
pub(super) fn examples(record: &Record, key: &str) -> Option<Value> {
    Some(match (record.name, key) {
        ("attributes", "restart") => json!(["no", "always", "on-failure", "unless-stopped"]),
        ("attributes", "network_mode") => json!(["host", "none", "bridge"]),
        ("attributes", "ipc") => json!(["private", "host", "shareable"]),
        ("attributes", "stop_signal") => json!(["SIGTERM", "SIGINT", "SIGQUIT"]),
        ("attributes", "stop_grace_period") => json!(["10s", "1m30s"]),
        ("attributes", "mem_limit" | "mem_reservation" | "shm_size") => json!(["64m", "1g"]),
        ("attributes", "platform") => json!(["linux/amd64", "linux/arm64"]),
        ("attributes", "profiles") => json!([["debug"]]),
        ("attributes", "ports") => json!([["8080:80"]]),
        ("healthcheck", "interval" | "timeout" | "start_period") => json!(["30s", "5s"]),
        ("logging", "driver") => json!(["json-file", "local", "journald", "none"]),
        ("deploy", "mode") => json!(["replicated", "global"]),
        ("restart_policy", "condition") => json!(["none", "on-failure", "any"]),
        ("port", "protocol") => json!(["tcp", "udp", "sctp"]),
        ("bind", "propagation") => {
            json!([
                "private", "rprivate", "shared", "rshared", "slave", "rslave"
            ])
        }
        _ => return None,
    })
}
