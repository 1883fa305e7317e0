//! Names that must exist: networks, volumes, secrets, configs, models and services.

use super::Checker;
use crate::compose::diagnostic::similar::did_you_mean;
use crate::compose::diagnostic::{Code, Diagnostic, code};
use crate::compose::model::MountType;
use crate::compose::node::Node;
use crate::compose::source::Span;

impl Checker<'_> {
    pub(super) fn references(&mut self) {
        self.build();
        self.networks();
        self.dependencies();
        self.volumes();
        self.objects();
        self.health();
        self.watch();
    }

    /// Reports a name that the top-level `section` lacks.
    fn undefined(&mut self, kind: &str, section: &str, name: &str, span: Span) {
        self.undefined_at(kind, section, name, span, self.path(&[]));
    }

    /// The same for a name in a value with a path of its own.
    fn undefined_at(&mut self, kind: &str, section: &str, name: &str, span: Span, path: String) {
        let known: Vec<&str> = self
            .project
            .tree
            .get(section)
            .and_then(Node::as_map)
            .map(|map| map.keys().map(String::as_str).collect())
            .unwrap_or_default();
        if known.contains(&name) {
            // It is there but wrong, which has been said.
            return;
        }
        let help = did_you_mean(name, known.iter().copied(), || {
            let more = match section {
                "volumes" => format!(", or write ./{name} for a folder"),
                _ => String::new(),
            };
            format!("add \"{name}\" to the top-level `{section}`{more}")
        });
        self.problems.push(
            Diagnostic::error(format!(
                "service \"{}\" refers to undefined {kind} \"{name}\"",
                self.name
            ))
            .code(undefined_code(section))
            .path(path)
            .at(span)
            .help(help),
        );
    }

    fn build(&mut self) {
        let service = self.service;
        let Some(build) = &service.build else {
            return;
        };
        let is_set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if is_set(&build.dockerfile) && is_set(&build.dockerfile_inline) {
            self.error(
                code::CONFLICTING_ATTRIBUTES,
                format!(
                    "service \"{}\" has both `dockerfile` and `dockerfile_inline`",
                    self.name
                ),
                &["build", "dockerfile_inline"],
                "keep one of them".to_owned(),
            );
        }
        for (key, context) in &build.additional_contexts {
            if let Some(target) = context.strip_prefix("service:") {
                self.build_context(key, target);
            }
        }
        if let Some(platform) = service.platform.as_deref().filter(|text| !text.is_empty())
            && !build.platforms.is_empty()
            && !build.platforms.iter().any(|built| built == platform)
        {
            self.error(
                code::CONFLICTING_ATTRIBUTES,
                format!(
                    "service \"{}\" runs on {platform}, which `build.platforms` lacks",
                    self.name
                ),
                &["build", "platforms"],
                format!("add {platform} to `build.platforms`"),
            );
        }
        for (index, secret) in build.secrets.iter().enumerate() {
            if !self.project.secrets.contains_key(&secret.source) {
                let span = self.item_span(&["build", "secrets"], index, "source", &secret.source);
                self.undefined("build secret", "secrets", &secret.source, span);
            }
        }
    }

    fn build_context(&mut self, key: &str, target: &str) {
        let path = ["build", "additional_contexts", key];
        match self.project.services.get(target) {
            Some(service) if service.build.is_some() => {}
            Some(_) => self.error(
                code::INVALID_VALUE,
                format!(
                    "additional context \"{key}\" of service \"{}\" is service \"{target}\", which has no `build`",
                    self.name
                ),
                &path,
                "name a service that is built".to_owned(),
            ),
            None => {
                let span = self.span(&path);
                self.undefined("service", "services", target, span);
                self.disabled(target, "builds on", span);
            }
        }
    }

    fn networks(&mut self) {
        let service = self.service;
        let mode = service
            .network_mode
            .as_deref()
            .filter(|mode| !mode.is_empty());
        if mode.is_some() && !service.networks.is_empty() {
            let span = self.key_span(&[], "networks");
            let other = self.key_span(&[], "network_mode");
            self.problems.push(
                Diagnostic::error(format!(
                    "service \"{}\" has both `network_mode` and `networks`",
                    self.name
                ))
                .code(code::CONFLICTING_ATTRIBUTES)
                .at(span)
                .related(other, "the other one")
                .help("keep one of them"),
            );
        }
        let shared = mode.and_then(|mode| mode.strip_prefix("service:"));
        if let Some(target) = shared
            // Normalising makes it a dependency, which is checked as such.
            && !service.depends_on.contains_key(target)
            && !self.project.services.contains_key(target)
        {
            let span = self.span(&["network_mode"]);
            self.undefined("service", "services", target, span);
            self.disabled(target, "shares the network of", span);
        }
        for key in service.networks.keys() {
            if !self.project.networks.contains_key(key) {
                let span = self.key_span(&["networks"], key);
                self.undefined("network", "networks", key, span);
            }
        }
    }

    fn dependencies(&mut self) {
        for (target, dependency) in &self.service.depends_on {
            if self.project.services.contains_key(target) {
                continue;
            }
            let span = self.key_span(&["depends_on"], target);
            if !self.project.disabled_services.contains_key(target) {
                self.undefined("service", "services", target, span);
            } else if dependency.required {
                let verb = if self.is_listed(target) {
                    "depends on"
                } else {
                    "needs"
                };
                self.disabled(target, verb, span);
            }
        }
    }

    /// Whether `depends_on` itself names a service, not `links`, `network_mode` and the like.
    fn is_listed(&self, target: &str) -> bool {
        let service = self.service;
        let shared = format!("service:{target}");
        let modes = [&service.network_mode, &service.ipc, &service.pid];
        let linked = |link: &String| link.split(':').next() == Some(target);
        !modes.iter().any(|mode| mode.as_deref() == Some(&shared))
            && !service.links.iter().any(linked)
            && !service.volumes_from.iter().any(linked)
    }

    /// Reports a service that is there, but that none of the enabled profiles enables.
    fn disabled(&mut self, target: &str, verb: &str, span: Span) {
        let Some(disabled) = self.project.disabled_services.get(target) else {
            return;
        };
        let profiles = &disabled.profiles;
        let quoted: Vec<String> = profiles.iter().map(|name| format!("\"{name}\"")).collect();
        let which = match &quoted[..] {
            [one] => format!("profile {one}"),
            many => format!("one of the profiles {}", many.join(", ")),
        };
        let first = profiles.first().map_or("NAME", String::as_str);
        let remedy = if verb == "depends on" {
            ", or depend on it with `required: false`"
        } else {
            ""
        };
        self.problems.push(
            Diagnostic::error(format!(
                "service \"{}\" {verb} \"{target}\", which only {which} enables",
                self.name
            ))
            .code(code::DISABLED_SERVICE)
            .path(self.path(&[]))
            .at(span)
            .related(
                self.project.span_of(&["services", target, "profiles"]),
                format!("\"{target}\" is disabled without {which}"),
            )
            .help(format!(
                "enable it with `--profile {first}` or COMPOSE_PROFILES={first}{remedy}"
            )),
        );
    }

    fn volumes(&mut self) {
        for (index, mount) in self.service.volumes.iter().enumerate() {
            if mount.kind != MountType::Volume {
                continue;
            }
            let Some(source) = mount.source.as_deref().filter(|source| !source.is_empty()) else {
                continue;
            };
            if !self.project.volumes.contains_key(source) {
                let span = self.item_span(&["volumes"], index, "source", source);
                let path = self.path(&[&format!("volumes[{index}]"), "source"]);
                self.undefined_at("volume", "volumes", source, span, path);
            }
        }
    }

    fn objects(&mut self) {
        let service = self.service;
        for (index, config) in service.configs.iter().enumerate() {
            if !self.project.configs.contains_key(&config.source) {
                let span = self.item_span(&["configs"], index, "source", &config.source);
                self.undefined("config", "configs", &config.source, span);
            }
        }
        for (index, secret) in service.secrets.iter().enumerate() {
            if !self.project.secrets.contains_key(&secret.source) {
                let span = self.item_span(&["secrets"], index, "source", &secret.source);
                self.undefined("secret", "secrets", &secret.source, span);
            }
        }
        for key in service.models.keys() {
            if !self.project.models.contains_key(key) {
                let span = self.key_span(&["models"], key);
                self.undefined("model", "models", key, span);
            }
        }
    }

    fn health(&mut self) {
        let service = self.service;
        let first = service
            .healthcheck
            .as_ref()
            .and_then(|check| check.test.first());
        let Some(first) = first else {
            return;
        };
        if !["CMD", "CMD-SHELL", "NONE"].contains(&first.as_str()) {
            self.error(
                code::INVALID_VALUE,
                format!(
                    "`healthcheck.test` of service \"{}\" starts with \"{first}\"",
                    self.name
                ),
                &["healthcheck", "test"],
                "start the list with CMD, CMD-SHELL or NONE, or write the command as one text"
                    .to_owned(),
            );
        }
    }

    /// The place of `key` in the element of a list where it has this value, else of the list.
    /// `index` is that of the element, unless elements before it could not be read.
    pub(super) fn item_span(&self, path: &[&str], index: usize, key: &str, value: &str) -> Span {
        let mut full = vec!["services", self.name];
        full.extend(path);
        let items = self.project.tree.at(&full).and_then(Node::as_seq);
        let fits = |item: &&Node| {
            let node = item.get(key).unwrap_or(item);
            node.as_str().is_some_and(|text| text.starts_with(value))
        };
        let from = items.and_then(|items| items.get(index..)).into_iter();
        from.flatten()
            .find(fits)
            .or_else(|| items?.get(index))
            .map_or_else(
                || self.span(path),
                |item| item.get(key).unwrap_or(item).span,
            )
    }
}

/// The kind of problem of a name that a top-level section lacks.
fn undefined_code(section: &str) -> Code {
    match section {
        "networks" => code::UNDEFINED_NETWORK,
        "volumes" => code::UNDEFINED_VOLUME,
        "secrets" => code::UNDEFINED_SECRET,
        "configs" => code::UNDEFINED_CONFIG,
        "models" => code::UNDEFINED_MODEL,
        _ => code::UNDEFINED_SERVICE,
    }
}
