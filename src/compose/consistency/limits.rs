//! Attributes that say the same thing twice, once below `deploy`.

use super::Checker;
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::model::ByteSize;

impl Checker<'_> {
    pub(super) fn limits(&mut self) {
        self.replicas();
        self.container_name();
        let Some(deploy) = &self.service.deploy else {
            return;
        };
        let service = self.service;
        if let Some(limits) = &deploy.resources.limits {
            let cpus = service.cpus.unwrap_or_default();
            if cpus != 0.0 && limits.cpus.unwrap_or_default().to_bits() != cpus.to_bits() {
                self.twice("cpus", &["deploy", "resources", "limits", "cpus"]);
            }
            let memory = size(service.mem_limit);
            if memory != 0 && size(limits.memory) != memory {
                self.twice("mem_limit", &["deploy", "resources", "limits", "memory"]);
            }
            let pids = service.pids_limit.unwrap_or_default();
            if pids != 0 && limits.pids.unwrap_or_default() != pids {
                self.twice("pids_limit", &["deploy", "resources", "limits", "pids"]);
            }
        }
        if let Some(reservations) = &deploy.resources.reservations {
            let memory = size(service.mem_reservation);
            if memory != 0 && size(reservations.memory) != memory {
                let path = ["deploy", "resources", "reservations", "memory"];
                self.twice("mem_reservation", &path);
            }
        }
    }

    fn replicas(&mut self) {
        let service = self.service;
        let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
        if let (Some(scale), Some(replicas)) = (service.scale, replicas)
            && scale != replicas
        {
            self.twice("scale", &["deploy", "replicas"]);
        }
    }

    fn twice(&mut self, attribute: &str, path: &[&str]) {
        let message = format!(
            "`{attribute}` and `{}` of service \"{}\" differ",
            path.join("."),
            self.name
        );
        let other = self.span(path);
        let span = self.span(&[attribute]);
        self.problems.push(
            Diagnostic::error(message)
                .code(code::CONFLICTING_ATTRIBUTES)
                .path(self.path(&[attribute]))
                .at(span)
                .related(other, "the other one")
                .help("keep one of them"),
        );
    }

    fn container_name(&mut self) {
        let service = self.service;
        let named = service
            .container_name
            .as_deref()
            .is_some_and(|name| !name.is_empty());
        if named && service.replicas() > 1 {
            self.error(
                code::CONFLICTING_ATTRIBUTES,
                format!(
                    "service \"{}\" has {} replicas but one `container_name`",
                    self.name,
                    service.replicas()
                ),
                &["container_name"],
                "remove `container_name`: names must be unique".to_owned(),
            );
        }
    }
}

fn size(size: Option<ByteSize>) -> i64 {
    size.unwrap_or_default().0
}
