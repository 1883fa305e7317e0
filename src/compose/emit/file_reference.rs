//! Configs and secrets.

use super::fields::{Fields, Format};
use super::value::Value;
use crate::compose::model::{FileReference, ObjectSource};

pub(super) fn file_reference(reference: &FileReference, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("source", Some(&reference.source))
        .text("target", reference.target.as_ref())
        .text("uid", reference.uid.as_ref())
        .text("gid", reference.gid.as_ref())
        .given("mode", reference.mode)
        .extended(&reference.extensions)
}

/// A top-level secret; its content is never shown.
pub(super) fn secret(secret: &ObjectSource, format: Format) -> Value<'_> {
    object(secret, None, format)
}

/// A top-level config; content that came from the environment is not shown.
pub(super) fn config(config: &ObjectSource, format: Format) -> Value<'_> {
    let from_environment = config
        .environment
        .as_ref()
        .is_some_and(|name| !name.is_empty());
    let content = config.content.as_ref().filter(|_| !from_environment);
    object(config, content, format)
}

fn object<'a>(object: &'a ObjectSource, content: Option<&'a String>, format: Format) -> Value<'a> {
    Fields::new(format)
        .text("name", object.name.as_ref())
        .text("file", object.file.as_ref())
        .text("environment", object.environment.as_ref())
        .text("content", content)
        .flag("external", object.external)
        .mapping("labels", &object.labels)
        .text("driver", object.driver.as_ref())
        .mapping("driver_opts", &object.driver_opts)
        .text("template_driver", object.template_driver.as_ref())
        .extended(&object.extensions)
}
