//! Attributes that do not merge the plain way.

use crate::compose::diagnostic::Diagnostic;
use crate::compose::node::{Entry, Map, Node, Value};
use crate::compose::path::{Path, Pattern};
use crate::compose::scalar;
use crate::compose::source::Span;

use super::{merge_maps, merge_plain};

/// How an attribute merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The later value replaces the earlier one.
    Replace,
    /// Both become sequences (`key=value` for mappings), the later one appended.
    Append,
    /// As [`Append`](Self::Append), without elements that are there already.
    AppendNew,
    /// Text stands for `context`.
    Build,
    /// A list stands for a mapping to the default condition.
    DependsOn,
    /// A list stands for a mapping to null.
    Keyed,
    /// Options merge only where the drivers agree.
    Logging,
    /// Pools merge by subnet.
    IpamConfig,
}

const RULES: &[(Pattern, Rule)] = &[
    (&["networks", "*", "ipam", "config"], Rule::IpamConfig),
    (&["networks", "*", "labels"], Rule::Append),
    (&["volumes", "*", "labels"], Rule::Append),
    (&["services", "*", "annotations"], Rule::Append),
    (&["services", "*", "build"], Rule::Build),
    (&["services", "*", "build", "args"], Rule::Append),
    (
        &["services", "*", "build", "additional_contexts"],
        Rule::Append,
    ),
    (&["services", "*", "build", "extra_hosts"], Rule::AppendNew),
    (&["services", "*", "build", "labels"], Rule::Append),
    (&["services", "*", "command"], Rule::Replace),
    (&["services", "*", "depends_on"], Rule::DependsOn),
    (&["services", "*", "deploy", "labels"], Rule::Append),
    (&["services", "*", "dns"], Rule::Append),
    (&["services", "*", "dns_opt"], Rule::Append),
    (&["services", "*", "dns_search"], Rule::Append),
    (&["services", "*", "entrypoint"], Rule::Replace),
    (&["services", "*", "env_file"], Rule::Append),
    (&["services", "*", "label_file"], Rule::Append),
    (&["services", "*", "environment"], Rule::Append),
    (&["services", "*", "extra_hosts"], Rule::AppendNew),
    (&["services", "*", "healthcheck", "test"], Rule::Replace),
    (&["services", "*", "labels"], Rule::Append),
    (&["services", "*", "logging"], Rule::Logging),
    (&["services", "*", "models"], Rule::Keyed),
    (&["services", "*", "networks"], Rule::Keyed),
    (&["services", "*", "sysctls"], Rule::Append),
    (&["services", "*", "tmpfs"], Rule::Append),
    (&["services", "*", "ulimits", "*"], Rule::Replace),
];

/// The rule for the attribute at `path`, if it is not the plain one.
pub(super) fn rule(path: &Path<'_>) -> Option<Rule> {
    path.find(RULES)
}

/// Merges `over` into `base` by `rule`.
pub(super) fn apply(
    rule: Rule,
    base: &mut Node,
    over: Node,
    path: Path<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    match rule {
        Rule::Replace => *base = over,
        Rule::Append => append(base, over, true),
        Rule::AppendNew => append(base, over, false),
        Rule::Build => merge_as_maps(base, over, path, problems, context_map),
        Rule::DependsOn => merge_as_maps(base, over, path, problems, depends_on_map),
        Rule::Keyed => merge_as_maps(base, over, path, problems, keyed_map),
        Rule::Logging => merge_logging(base, over, path, problems),
        Rule::IpamConfig => merge_ipam(base, over, path, problems),
    }
}

fn append(base: &mut Node, over: Node, duplicates: bool) {
    if over.is_null() {
        return;
    }
    if base.is_null() {
        *base = over;
        return;
    }
    let span = over.span;
    let (Some(mut items), Some(more)) = (sequence(base), sequence(&over)) else {
        // A wrong type is left for decoding to report.
        *base = over;
        return;
    };
    for item in more {
        if duplicates || !items.iter().any(|known| known.value == item.value) {
            items.push(item);
        }
    }
    *base = Node::new(Value::Seq(items), span);
}

fn sequence(node: &Node) -> Option<Vec<Node>> {
    match &node.value {
        Value::Seq(items) => Some(items.clone()),
        Value::Str(_) => Some(vec![node.clone()]),
        Value::Map(map) => Some(assignments(map)),
        _ => None,
    }
}

/// `key=value` texts in the order of the keys.
fn assignments(map: &Map) -> Vec<Node> {
    let mut items = Vec::with_capacity(map.len());
    for (key, entry) in map {
        match &entry.node.value {
            Value::Null => items.push(Node::str(key, entry.key)),
            Value::Seq(values) => {
                items.extend(values.iter().map(|value| assignment(key, value)));
            }
            _ => items.push(assignment(key, &entry.node)),
        }
    }
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    items
}

fn assignment(key: &str, value: &Node) -> Node {
    let text = scalar::text(&value.value).unwrap_or_default();
    Node::str(format!("{key}={text}"), value.span)
}

fn merge_as_maps(
    base: &mut Node,
    over: Node,
    path: Path<'_>,
    problems: &mut Vec<Diagnostic>,
    convert: fn(Node) -> Node,
) {
    if over.is_null() {
        return;
    }
    if base.is_null() {
        *base = over;
        return;
    }
    let converted = convert(std::mem::replace(base, Node::new(Value::Null, over.span)));
    *base = converted;
    merge_plain(base, convert(over), path, problems);
}

fn context_map(node: Node) -> Node {
    if node.as_str().is_none() {
        return node;
    }
    let span = node.span;
    single(span, "context", node)
}

fn depends_on_map(node: Node) -> Node {
    list_to_map(node, |span| {
        let mut map = Map::new();
        let condition = Node::str("service_started", span);
        map.insert(
            "condition".into(),
            Entry {
                key: span,
                node: condition,
            },
        );
        map.insert(
            "required".into(),
            Entry {
                key: span,
                node: Node::new(Value::Bool(true), span),
            },
        );
        Value::Map(map)
    })
}

fn keyed_map(node: Node) -> Node {
    list_to_map(node, |_| Value::Null)
}

fn list_to_map(node: Node, value: fn(Span) -> Value) -> Node {
    let Some(items) = node.as_seq() else {
        return node;
    };
    if items.iter().any(|item| item.as_str().is_none()) {
        return node;
    }
    let mut map = Map::new();
    for item in items {
        let key = item.as_str().unwrap_or_default().to_owned();
        let span = item.span;
        map.insert(
            key,
            Entry {
                key: span,
                node: Node::new(value(span), span),
            },
        );
    }
    Node::new(Value::Map(map), node.span)
}

fn single(span: Span, key: &str, node: Node) -> Node {
    let mut map = Map::new();
    map.insert(key.to_owned(), Entry { key: span, node });
    Node::new(Value::Map(map), span)
}

fn merge_logging(base: &mut Node, over: Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    let differs = match (base.get("driver"), over.get("driver")) {
        (Some(base), Some(over)) => base.value != over.value,
        _ => false,
    };
    if differs {
        *base = over;
    } else {
        merge_plain(base, over, path, problems);
    }
}

fn merge_ipam(base: &mut Node, over: Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    let (Value::Seq(pools), Value::Seq(more)) = (&mut base.value, &over.value) else {
        merge_plain(base, over, path, problems);
        return;
    };
    for pool in more {
        let subnet = pool.get("subnet").map(|node| &node.value);
        let known = pools
            .iter_mut()
            .find(|known| known.get("subnet").map(|node| &node.value) == subnet);
        match (known, &pool.value) {
            (Some(known), Value::Map(other)) => {
                if let Value::Map(map) = &mut known.value {
                    merge_maps(map, other.clone(), path, problems);
                }
            }
            _ => pools.push(pool.clone()),
        }
    }
}
