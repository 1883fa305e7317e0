//! `build`.

use super::fields::{Fields, Format};
use super::file_reference::file_reference;
use super::service::{hosts, ulimit};
use super::value::Value;
use crate::compose::model::{Build, SshKey};

pub(super) fn build(build: &Build, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("context", build.context.as_ref())
        .text("dockerfile", build.dockerfile.as_ref())
        .text("dockerfile_inline", build.dockerfile_inline.as_ref())
        .texts("entitlements", &build.entitlements)
        .environment("args", &build.args)
        .text("provenance", build.provenance.as_ref())
        .text("sbom", build.sbom.as_ref())
        .list("ssh", &build.ssh, ssh)
        .mapping("labels", &build.labels)
        .texts("cache_from", &build.cache_from)
        .texts("cache_to", &build.cache_to)
        .flag("no_cache", build.no_cache)
        .texts("no_cache_filter", &build.no_cache_filter)
        .mapping("additional_contexts", &build.additional_contexts)
        .flag("pull", build.pull)
        .maybe("extra_hosts", hosts(&build.extra_hosts))
        .text("isolation", build.isolation.as_ref())
        .text("network", build.network.as_ref())
        .text("target", build.target.as_ref())
        .list("secrets", &build.secrets, file_reference)
        .display("shm_size", build.shm_size)
        .texts("tags", &build.tags)
        .map("ulimits", &build.ulimits, ulimit)
        .texts("platforms", &build.platforms)
        .flag("privileged", build.privileged)
        .extended(&build.extensions)
}

/// docker compose writes `id: path` in YAML and no valid JSON at all; JSON gets the short form.
fn ssh(key: &SshKey, format: Format) -> Value<'_> {
    match (&key.path, format) {
        (None, _) => Value::str(key.id.as_str()),
        (Some(path), Format::Yaml) => Value::str(format!("{}: {path}", key.id)),
        (Some(path), Format::Json) => Value::str(format!("{}={path}", key.id)),
    }
}
