//! `develop` and hooks.

use super::fields::{Fields, Format};
use super::service::command;
use super::value::Value;
use crate::compose::model::{Develop, Hook, WatchTrigger};

pub(super) fn develop(develop: &Develop, format: Format) -> Value<'_> {
    Fields::new(format)
        .list("watch", &develop.watch, trigger)
        .extended(&develop.extensions)
}

fn trigger(trigger: &WatchTrigger, format: Format) -> Value<'_> {
    Fields::new(format)
        .always("path", Value::str(trigger.path.as_str()))
        .always("action", Value::str(trigger.action.as_str()))
        .text("target", trigger.target.as_ref())
        .structure("exec", hook(&trigger.exec, format))
        .texts("include", &trigger.include)
        .texts("ignore", &trigger.ignore)
        .flag("initial_sync", trigger.initial_sync)
        .extended(&trigger.extensions)
}

pub(super) fn hook(hook: &Hook, format: Format) -> Value<'_> {
    let fields = Fields::new(format).text("image", hook.image.as_ref());
    command(fields, "command", &hook.command)
        .text("user", hook.user.as_ref())
        .flag("privileged", hook.privileged)
        .text("working_dir", hook.working_dir.as_ref())
        .environment("environment", &hook.environment)
        .flag("per_replica", hook.per_replica)
        .extended(&hook.extensions)
}
