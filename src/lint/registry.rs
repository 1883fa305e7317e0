//! The rules there are.

use super::finding::Report;
use super::input::Input;
use super::rules::{
    bind_source, container_name, depends_on, docker_socket, dollar_in_env_file, duplicate_port,
    floating_tag, host_network_ports, implicit_type, links, oneoff_restart, privileged, profile,
    quoted_value, secret_in_clear, unused, version, yaml11,
};
use crate::compose::Severity;
use crate::compose::diagnostic::code;

/// The id of the rule that looks at comments which allow others.
pub(super) const UNKNOWN_RULE: &str = "unknown-rule";

/// A rule.
pub struct Rule {
    /// Its name in comments and options: words joined by hyphens.
    pub id: &'static str,
    /// How much its findings matter, unless one says otherwise.
    pub severity: Severity,
    /// What it finds, in a line.
    pub summary: &'static str,
    /// Looks at a project.
    pub(super) check: fn(&Input<'_>, &mut Report),
}

impl Rule {
    /// Where it is described, below the product's documentation.
    pub fn docs(&self) -> String {
        format!("docs/lint.md#{}", self.id)
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// Every rule, by id.
pub static RULES: &[Rule] = &[
    Rule {
        id: "docker-socket",
        severity: Severity::Warning,
        summary: "the engine's socket is mounted: whoever has it has the host",
        check: docker_socket::check,
    },
    Rule {
        id: "dollar-in-env-file",
        severity: Severity::Warning,
        summary: "a `$` in an env file is substituted and the value becomes another",
        check: dollar_in_env_file::check,
    },
    Rule {
        id: "duplicate-container-name",
        severity: Severity::Error,
        summary: "two services have the same container name",
        check: container_name::check,
    },
    Rule {
        id: "duplicate-port",
        severity: Severity::Error,
        summary: "two containers publish the same port of the host",
        check: duplicate_port::check,
    },
    Rule {
        id: "floating-tag",
        severity: Severity::Warning,
        summary: "an image without a tag, or with `latest`: another one tomorrow",
        check: floating_tag::check,
    },
    Rule {
        id: "host-network-ports",
        severity: Severity::Warning,
        summary: "`ports` have no effect on the host's network",
        check: host_network_ports::check,
    },
    Rule {
        id: "implicit-type",
        severity: Severity::Warning,
        summary: "an unquoted value is read as a number or boolean and becomes another text",
        check: implicit_type::check,
    },
    Rule {
        id: "links",
        severity: Severity::Note,
        summary: "`links` are not needed: services reach each other by name",
        check: links::check,
    },
    Rule {
        id: "missing-file",
        severity: Severity::Warning,
        summary: "a file that is mounted or read does not exist",
        check: bind_source::check,
    },
    Rule {
        id: "missing-healthcheck",
        severity: Severity::Warning,
        summary: "`service_healthy` is waited for, but there is no healthcheck",
        check: depends_on::missing_healthcheck,
    },
    Rule {
        id: "obsolete-version",
        severity: Severity::Warning,
        summary: "the top-level `version` is ignored",
        check: version::check,
    },
    Rule {
        id: "oneoff-restart",
        severity: Severity::Warning,
        summary: "a service that is to complete is always restarted",
        check: oneoff_restart::check,
    },
    Rule {
        id: "privileged",
        severity: Severity::Note,
        summary: "a privileged container is root on the host",
        check: privileged::check,
    },
    Rule {
        id: "quoted-value",
        severity: Severity::Warning,
        summary: "quotes inside a list item become part of the value",
        check: quoted_value::check,
    },
    Rule {
        id: "secret-in-clear",
        severity: Severity::Warning,
        summary: "a password, key or token stands in the file",
        check: secret_in_clear::check,
    },
    Rule {
        id: "started-not-healthy",
        severity: Severity::Note,
        summary: "a dependency has a healthcheck that is not waited for",
        check: depends_on::started_not_healthy,
    },
    Rule {
        id: "unknown-profile",
        severity: Severity::Warning,
        summary: "a profile is enabled that no service has",
        check: profile::unknown,
    },
    Rule {
        id: UNKNOWN_RULE,
        severity: Severity::Warning,
        summary: "a comment allows a rule that does not exist",
        check: |_, _| {},
    },
    Rule {
        id: "unreachable-profile",
        severity: Severity::Warning,
        summary: "a profile cannot be enabled alone, or must always be",
        check: profile::unreachable,
    },
    Rule {
        id: "unused-definition",
        severity: Severity::Warning,
        summary: "a network, volume, secret, config or model that no service uses",
        check: unused::check,
    },
    Rule {
        id: "yaml-1.1-value",
        severity: Severity::Note,
        summary: "an unquoted value that other YAML readers take for a boolean or number",
        check: yaml11::check,
    },
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Whether comments may name it: a rule, or the code of a warning of loading.
pub(super) fn can_be_allowed(id: &str) -> bool {
    rule(id).is_some() || code::ALL.iter().any(|code| code.id == id)
}

/// The id that `id` is probably a misspelling of.
pub(super) fn closest(id: &str) -> Option<&'static str> {
    RULES
        .iter()
        .map(|rule| (strsim::jaro_winkler(rule.id, id), rule.id))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, id)| id)
}
