//! The rules there are.

use super::finding::Report;
use super::input::Input;
use super::rules::{
    bind_source, container_name, depends_on, docker_socket, dockerfile, dollar_in_env_file,
    duplicate_port, floating_tag, host_network_ports, implicit_type, links, oneoff_restart,
    privileged, profile, quoted_value, secret_in_clear, unused, version, yaml11,
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

macro_rules! rules {
    ($($severity:ident $id:expr, $summary:literal, $check:expr;)*) => {
        /// Every rule, by id.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id,
            severity: Severity::$severity,
            summary: $summary,
            check: $check,
        }),*];
    };
}

rules! {
    Warning "add-for-copy", "ADD where COPY does the same", dockerfile::add::for_copy;
    Warning "add-without-checksum", "ADD fetches a file that nothing checks", dockerfile::add::without_checksum;
    Warning "apk-cache", "`apk add` leaves its index in the image", dockerfile::package_cache::apk;
    Warning "apt-command", "`apt` in a RUN, which is for people", dockerfile::apt_command::check;
    Warning "apt-lists", "`apt-get update` leaves its lists in the image", dockerfile::apt_lists::check;
    Warning "apt-recommends", "`apt-get install` installs recommended packages too", dockerfile::apt_install::recommends;
    Warning "apt-update-alone", "`apt-get update` in another RUN than the install", dockerfile::apt_update::alone;
    Note "apt-upgrade", "packages of the base image are upgraded", dockerfile::apt_update::upgrade;
    Warning "apt-yes", "`apt-get` asks, and nobody answers", dockerfile::apt_install::yes;
    Note "cd-in-run", "a RUN begins with `cd` instead of a WORKDIR", dockerfile::workdir::cd;
    Warning "copy-before-install", "dependencies are installed behind `COPY .`, anew after each change", dockerfile::copy_order::check;
    Warning "docker-socket", "the engine's socket is mounted: whoever has it has the host", docker_socket::check;
    Error "dockerfile-syntax", "a line of a Dockerfile that no builder can read", dockerfile::syntax::check;
    Warning "dollar-in-env-file", "a `$` in an env file is substituted and the value becomes another", dollar_in_env_file::check;
    Error "duplicate-container-name", "two services have the same container name", container_name::check;
    Error "duplicate-port", "two containers publish the same port of the host", duplicate_port::check;
    Warning "duplicate-stage", "two stages of a Dockerfile have the same name", dockerfile::stage_names::duplicate;
    Warning "env-for-arg", "a variable for the build reaches every container", dockerfile::env_for_arg::check;
    Warning "floating-tag", "an image without a tag, or with `latest`: another one tomorrow", floating_tag::check;
    Note "gem-documents", "`gem install` leaves documents in the image", dockerfile::package_cache::gem;
    Warning "host-network-ports", "`ports` have no effect on the host's network", host_network_ports::check;
    Warning "implicit-type", "an unquoted value is read as a number or boolean and becomes another text", implicit_type::check;
    Error "invalid-expose", "EXPOSE of what is no port", dockerfile::expose::check;
    Warning "json-quotes", "a list with single quotes or a comma too many is no JSON", dockerfile::command_form::json_quotes;
    Note "links", "`links` are not needed: services reach each other by name", links::check;
    Warning "maintainer", "MAINTAINER is deprecated", dockerfile::maintainer::check;
    Warning "missing-dockerignore", "`COPY .` takes along what belongs to the machine", dockerfile::ignore_file::check;
    Warning "missing-file", "a file that is mounted or read does not exist", bind_source::check;
    Warning "missing-healthcheck", "`service_healthy` is waited for, but there is no healthcheck", depends_on::missing_healthcheck;
    Warning "npm-install", "`npm install` beside a lock file", dockerfile::npm::check;
    Warning "obsolete-version", "the top-level `version` is ignored", version::check;
    Warning "oneoff-restart", "a service that is to complete is always restarted", oneoff_restart::check;
    Warning "pip-cache", "`pip install` leaves its downloads in the image", dockerfile::package_cache::pip;
    Warning "pipe-without-pipefail", "a failure in front of a pipe goes unseen", dockerfile::pipe::check;
    Note "privileged", "a privileged container is root on the host", privileged::check;
    Warning "quoted-value", "quotes inside a list item become part of the value", quoted_value::check;
    Warning "relative-workdir", "a WORKDIR that depends on the base image", dockerfile::workdir::relative;
    Warning "repeated-instruction", "a CMD, ENTRYPOINT or HEALTHCHECK that a later one replaces", dockerfile::repeated::check;
    Note "root-user", "the program of an image runs as root", dockerfile::user::check;
    Warning "secret-in-clear", "a password, key or token stands in the file", secret_in_clear::check;
    Warning "secret-in-image", "a secret is a build argument or variable, which the image shows", dockerfile::secret_argument::check;
    Warning "shell-form", "a shell stands between the engine and the program", dockerfile::command_form::shell_form;
    Note "stage-name-case", "the name of a stage has capitals", dockerfile::stage_names::case;
    Note "started-not-healthy", "a dependency has a healthcheck that is not waited for", depends_on::started_not_healthy;
    Warning "sudo-in-run", "sudo in a RUN", dockerfile::sudo::check;
    Error "undefined-argument", "a variable of a FROM has no value", dockerfile::arguments::undefined;
    Warning "unknown-profile", "a profile is enabled that no service has", profile::unknown;
    Warning UNKNOWN_RULE, "a comment allows a rule that does not exist", |_, _| {};
    Error "unknown-stage", "something is taken from a stage that is not above", dockerfile::stage_names::unknown;
    Error "unknown-target", "`build.target` is no stage of the Dockerfile", dockerfile::target::check;
    Warning "unreachable-profile", "a profile cannot be enabled alone, or must always be", profile::unreachable;
    Warning "unused-build-arg", "a build argument that no ARG takes", dockerfile::arguments::unused;
    Warning "unused-definition", "a network, volume, secret, config or model that no service uses", unused::check;
    Warning "unused-stage", "a stage that nothing uses", dockerfile::stage_names::unused;
    Note "yaml-1.1-value", "an unquoted value that other YAML readers take for a boolean or number", yaml11::check;
}

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
