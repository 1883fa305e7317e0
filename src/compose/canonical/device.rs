//! `devices` and `gpus`.

use super::{Context, LongForm};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Node, Value};
use crate::compose::path::Path;

/// `host:container:permissions`.
pub(super) fn mapping(node: &mut Node, _: Path<'_>, context: &mut Context<'_>) {
    let Some(text) = node.as_str() else {
        return;
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match parts[..] {
        [source] => (source, "", "rwm"),
        [source, target] => (source, target, "rwm"),
        [source, target, permissions] => (source, target, permissions),
        _ if context.lenient => ("", "", "rwm"),
        _ => {
            context.problems.push(
                Diagnostic::error(format!("device \"{text}\" has too many colons")).code(code::INVALID_VALUE)
                    .at(node.span)
                    .help("write it as source:target:permissions, or with the keys source, target and permissions"),
            );
            return;
        }
    };
    let target = if target.is_empty() { source } else { target };
    *node = LongForm::new(node.span)
        .text("source", source)
        .text("target", target)
        .text("permissions", permissions)
        .build();
}

/// `gpus: all`.
pub(super) fn gpus(node: &mut Node, _: Path<'_>, _: &mut Context<'_>) {
    if node.as_str() == Some("all") {
        let all = LongForm::new(node.span).text("count", "all").build();
        node.value = Value::Seq(vec![all]);
    }
}
