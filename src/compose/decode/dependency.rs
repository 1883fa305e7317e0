//! `depends_on`, `extends` and `env_file`.

use super::Context;
use super::combinators::{record, some};
use super::scalar::{flag, one_of, strict_flag, text};
use crate::compose::model::{Condition, Dependency, EnvFile, Extends};
use crate::compose::node::Node;

record! {
    /// One entry of `depends_on` in long form.
    pub(super) fn dependency -> Dependency = Dependency { required: true, ..Dependency::default() };
    extensions extensions;
    require ["condition"];
    "condition" => condition: condition,
    "restart" => restart: flag,
    "required" => required: strict_flag,
}

fn condition<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Condition> {
    let name = one_of(&[
        "service_started",
        "service_healthy",
        "service_completed_successfully",
    ])(node, cx)?;
    Condition::parse(&name)
}

record! {
    /// `extends` in long form.
    pub(super) fn extends -> Extends = Extends::default();
    extensions refused;
    require ["service"];
    "service" => service: some(text),
    "file" => file: some(text),
}

record! {
    /// One entry of `env_file` in long form.
    pub(super) fn env_file -> EnvFile = EnvFile { required: true, ..EnvFile::default() };
    extensions refused;
    require ["path"];
    "path" => path: text,
    "required" => required: flag,
    "format" => format: some(text),
}
