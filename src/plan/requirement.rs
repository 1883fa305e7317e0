//! Attributes that an engine cannot honour: refused or warned about before anything is made.

use super::inject;
use super::observed::ApiVersion;
use super::options::Settings;
use crate::compose::model::{MountType, ObjectSource, Service};
use crate::compose::{Diagnostic, Project};

const START_INTERVAL: ApiVersion = ApiVersion::v1(44);
const ENDPOINT_MAC: ApiVersion = ApiVersion::v1(44);
const SUBPATH: ApiVersion = ApiVersion::v1(45);
const IMAGE_MOUNT: ApiVersion = ApiVersion::v1(48);
const GW_PRIORITY: ApiVersion = ApiVersion::v1(48);
const INTERFACE_NAME: ApiVersion = ApiVersion::v1(49);
const ANNOTATIONS: ApiVersion = ApiVersion::v1(43);
const CDI: ApiVersion = ApiVersion::v1(44);
const ENABLE_IPV4: ApiVersion = ApiVersion::v1(48);

/// Everything about one service that the engine cannot do (errors) or will ignore (warnings),
/// each with its place.
pub fn service(project: &Project, service: &Service, settings: &Settings) -> Vec<Diagnostic> {
    let mut check = Check {
        project,
        service,
        settings,
        found: Vec::new(),
    };
    check.api_versions();
    check.mounts();
    check.networks();
    check.deploy();
    check.files();
    check.unsupported();
    check.found
}

/// What the engine cannot do about a top-level network.
pub fn network(project: &Project, key: &str, settings: &Settings) -> Vec<Diagnostic> {
    let Some(network) = project.networks.get(key) else {
        return Vec::new();
    };
    if network.enable_ipv4.is_none() || settings.api >= ENABLE_IPV4 || network.external {
        return Vec::new();
    }
    let message = needs("network", key, "enable_ipv4", ENABLE_IPV4, settings.api);
    let span = project.span_of(&["networks", key, "enable_ipv4"]);
    let severity = if network.enable_ipv4 == Some(false) {
        Diagnostic::error(message)
    } else {
        Diagnostic::warning(message)
    };
    vec![severity.at(span)]
}

fn needs(noun: &str, name: &str, attribute: &str, wanted: ApiVersion, has: ApiVersion) -> String {
    format!(
        "{noun} \"{name}\": {attribute} needs an engine with API {wanted} or later, this one has {has}"
    )
}

struct Check<'a> {
    project: &'a Project,
    service: &'a Service,
    settings: &'a Settings,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn add(&mut self, diagnostic: Diagnostic, path: &[&str]) {
        let mut full = vec!["services", self.service.name.as_str()];
        full.extend(path);
        let span = self.project.span_of(&full);
        self.found.push(diagnostic.at(span));
    }

    fn error(&mut self, path: &[&str], text: &str) {
        let message = format!("service \"{}\": {text}", self.service.name);
        self.add(Diagnostic::error(message), path);
    }

    fn ignored(&mut self, path: &[&str], why: &str) {
        let attribute = path.join(".");
        let message = format!(
            "service \"{}\": {attribute} is ignored: {why}",
            self.service.name
        );
        self.add(Diagnostic::warning(message), path);
    }

    fn needs(&mut self, used: bool, path: &[&str], wanted: ApiVersion) {
        let has = self.settings.api;
        if used && has < wanted {
            let attribute = path.join(".");
            let message = needs("service", &self.service.name, &attribute, wanted, has);
            self.add(Diagnostic::error(message), path);
        }
    }

    fn api_versions(&mut self) {
        let service = self.service;
        if let Some(check) = &service.healthcheck {
            let path = ["healthcheck", "start_interval"];
            self.needs(check.start_interval.is_some(), &path, START_INTERVAL);
            if check.start_interval.is_some() && check.start_period.is_none() {
                self.error(
                    &path,
                    "healthcheck.start_interval requires healthcheck.start_period to be set",
                );
            }
        }
        if !service.annotations.is_empty() && self.settings.api < ANNOTATIONS {
            self.ignored(
                &["annotations"],
                "the engine has no annotations before API 1.43",
            );
        }
        let cdi = service.devices.iter().any(|device| {
            device.source == device.target
                && device
                    .source
                    .as_deref()
                    .is_some_and(|source| source.contains('=') && !source.starts_with('/'))
        });
        self.needs(cdi, &["devices"], CDI);
    }

    fn mounts(&mut self) {
        for (index, mount) in self.service.volumes.iter().enumerate() {
            let target = mount.target.as_deref().unwrap_or_default();
            let what = format!("volume {} ({target})", index + 1);
            let has = self.settings.api;
            let subpath = mount
                .volume
                .as_ref()
                .is_some_and(|volume| volume.subpath.is_some());
            if subpath && has < SUBPATH {
                let text = format!(
                    "{what}: subpath needs an engine with API {SUBPATH} or later, this one has {has}"
                );
                self.error(&["volumes"], &text);
            }
            if mount.kind == MountType::Image && has < IMAGE_MOUNT {
                let text = format!(
                    "{what}: type image needs an engine with API {IMAGE_MOUNT} or later, this one has {has}"
                );
                self.error(&["volumes"], &text);
            }
            if mount.kind == MountType::Cluster {
                let text = format!("{what}: type cluster needs a swarm service; use a volume");
                self.error(&["volumes"], &text);
            }
        }
    }

    fn networks(&mut self) {
        let service = self.service;
        let first = service.networks_by_priority().first().copied();
        for (key, network) in &service.networks {
            let Some(network) = network else { continue };
            let path = |attribute| ["networks", key.as_str(), attribute];
            // Older engines know one address, that of the container on its first network.
            let is_further = first != Some(key.as_str());
            self.needs(
                network.mac_address.is_some() && is_further,
                &path("mac_address"),
                ENDPOINT_MAC,
            );
            let priority = network.gw_priority.is_some_and(|priority| priority != 0);
            self.needs(priority, &path("gw_priority"), GW_PRIORITY);
            let interface = network.interface_name.is_some();
            self.needs(interface, &path("interface_name"), INTERFACE_NAME);
        }
        let first_mac =
            first.and_then(|key| service.networks.get(key)?.as_ref()?.mac_address.as_ref());
        if let (Some(own), Some(network)) = (&service.mac_address, first_mac)
            && own != network
        {
            let text = format!(
                "mac_address differs from the one on network {}, which must be the same",
                first.unwrap_or_default()
            );
            self.error(&["mac_address"], &text);
        }
    }

    fn deploy(&mut self) {
        let Some(deploy) = &self.service.deploy else {
            return;
        };
        let swarm = "it concerns swarm services alone";
        match deploy.mode.as_deref() {
            None | Some("replicated") => {}
            Some(mode) => {
                let why = format!("mode {mode} concerns swarm services alone, replicated is used");
                self.ignored(&["deploy", "mode"], &why);
            }
        }
        if deploy.endpoint_mode.is_some() {
            self.ignored(&["deploy", "endpoint_mode"], swarm);
        }
        let placement = &deploy.placement;
        if !placement.constraints.is_empty()
            || !placement.preferences.is_empty()
            || placement.max_replicas_per_node.is_some()
        {
            self.ignored(&["deploy", "placement"], "there is one node");
        }
        if deploy.rollback_config.is_some() {
            self.ignored(&["deploy", "rollback_config"], swarm);
        }
        if let Some(update) = &deploy.update_config {
            let path = ["deploy", "update_config", "order"];
            if update.order.as_deref() == Some("start-first") && !self.settings.strict {
                self.error(
                    &path,
                    "deploy.update_config.order: start-first is not supported; containers are replaced stop-first",
                );
            } else {
                self.ignored(&path[..2], swarm);
            }
        }
        if let Some(policy) = &deploy.restart_policy {
            let given = [
                ("delay", policy.delay.is_some()),
                ("window", policy.window.is_some()),
            ];
            for (attribute, is_given) in given {
                if is_given {
                    self.ignored(&["deploy", "restart_policy", attribute], swarm);
                }
            }
        }
        let resources = &deploy.resources;
        let reservations = resources.reservations.as_ref();
        if reservations.is_some_and(|resource| resource.cpus.is_some()) {
            self.ignored(&["deploy", "resources", "reservations", "cpus"], swarm);
        }
        if reservations.is_some_and(|resource| !resource.generic_resources.is_empty()) {
            let path = ["deploy", "resources", "reservations", "generic_resources"];
            self.ignored(&path, swarm);
        }
    }

    fn files(&mut self) {
        let references = [
            (
                "secret",
                "secrets",
                &self.service.secrets,
                &self.project.secrets,
            ),
            (
                "config",
                "configs",
                &self.service.configs,
                &self.project.configs,
            ),
        ];
        for (noun, section, used, defined) in references {
            for reference in used {
                let Some(object) = defined.get(&reference.source) else {
                    continue;
                };
                let name = &reference.source;
                self.object(noun, section, name, object);
                let copied = inject::is_copied(object);
                let has_owner =
                    reference.uid.is_some() || reference.gid.is_some() || reference.mode.is_some();
                if has_owner && !copied {
                    let text = format!(
                        "uid, gid and mode of the {noun} \"{name}\" are ignored: a file keeps those it has on the host"
                    );
                    let message = format!("service \"{}\": {text}", self.service.name);
                    self.add(Diagnostic::warning(message), &[section]);
                }
                if copied && self.service.read_only {
                    let text = format!(
                        "the {noun} \"{name}\" cannot be copied into a read-only container; give it a file"
                    );
                    self.error(&[section], &text);
                }
            }
        }
    }

    fn object(&mut self, noun: &str, section: &str, name: &str, object: &ObjectSource) {
        let mut refuse = |attribute: &str, why: &str| {
            let message = format!("{noun} \"{name}\": {attribute} {why}");
            let span = self.project.span_of(&[section, name, attribute]);
            self.found.push(Diagnostic::error(message).at(span));
        };
        if object.external {
            refuse(
                "external",
                "is not supported: the engine keeps no such objects; give it a file",
            );
        }
        if object.driver.is_some() {
            refuse(
                "driver",
                "is not supported: it concerns swarm services alone",
            );
        }
        if object.template_driver.is_some() {
            refuse(
                "template_driver",
                "is not supported: it concerns swarm services alone",
            );
        }
        let variable = object.environment.as_deref().unwrap_or_default();
        let missing = object.content.is_none()
            && !variable.is_empty()
            && !self.project.environment.contains_key(variable);
        if missing {
            refuse(
                "environment",
                &format!("names the variable {variable}, which is not set"),
            );
        }
    }

    fn unsupported(&mut self) {
        let service = self.service;
        if let Some(build) = &service.build {
            let why = "attestations are not made for images that stay on the engine";
            let asked = |text: &Option<String>| text.as_deref().is_some_and(|it| it != "false");
            if asked(&build.provenance) {
                self.ignored(&["build", "provenance"], why);
            }
            if asked(&build.sbom) {
                self.ignored(&["build", "sbom"], why);
            }
        }
        if service.credential_spec.is_some() {
            self.ignored(&["credential_spec"], "it concerns Windows containers alone");
        }
        if !service.models.is_empty() {
            self.error(
                &["models"],
                "models need a model runner, which is not supported",
            );
        }
        if service.provider.is_none() && service.image.is_none() && service.build.is_none() {
            self.error(&[], "neither image nor build is given");
        }
        if service.replicas() > 1 && service.container_name.is_some() {
            self.error(
                &["container_name"],
                "container_name allows one container only; remove it to scale the service",
            );
        }
    }
}
