//! `ulimits`.

use std::collections::BTreeMap;

use super::Context;
use super::combinators::{keyed, non_empty, record};
use super::scalar::integer;
use crate::compose::model::Ulimit;
use crate::compose::node::{Node, Value};

/// Limits keyed by name.
pub(super) fn ulimits<'a>(
    node: &'a Node,
    cx: &mut Context<'a>,
) -> Option<BTreeMap<String, Ulimit>> {
    keyed(ulimit)(node, cx)
}

/// Limits of a build, which docker compose does not take as text.
pub(super) fn build_ulimits<'a>(
    node: &'a Node,
    cx: &mut Context<'a>,
) -> Option<BTreeMap<String, Ulimit>> {
    keyed(|node: &'a Node, cx: &mut Context<'a>| match &node.value {
        Value::Str(_) => cx.wrong_type(node, "an integer, or a mapping with soft and hard"),
        _ => ulimit(node, cx),
    })(node, cx)
}

fn ulimit<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Ulimit> {
    match &node.value {
        Value::Map(_) => soft_and_hard(node, cx),
        Value::Seq(_) | Value::Float(_) => {
            cx.wrong_type(node, "an integer, or a mapping with soft and hard")
        }
        _ => Some(Ulimit {
            single: Some(integer(node, cx)?),
            ..Ulimit::default()
        }),
    }
}

record! {
    fn soft_and_hard -> Ulimit = Ulimit::default();
    extensions extensions;
    require ["soft", "hard"];
    "soft" => soft: non_empty(integer),
    "hard" => hard: non_empty(integer),
}
