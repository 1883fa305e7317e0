//! Mappings of texts: environment, labels, options. Lists of `key=value` are accepted too.

use std::collections::BTreeMap;

use super::Context;
use super::scalar::{any_scalar, text};
use crate::compose::model::{Environment, HostsList, Mapping};
use crate::compose::node::{Node, Value};

/// `environment` and `args`: a name without value is `None`.
pub(super) fn environment<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Environment> {
    match &node.value {
        Value::Map(map) => {
            let mut variables = Environment::new();
            for (name, entry) in map {
                let value = if entry.node.is_null() {
                    Some(None)
                } else {
                    cx.at_key(name, |cx| any_scalar(&entry.node, cx)).map(Some)
                };
                if let Some(value) = value {
                    variables.insert(name.clone(), value);
                }
            }
            Some(variables)
        }
        Value::Seq(items) => Some(environment_list(items, cx)),
        _ => cx.wrong_type(node, "a mapping or a list"),
    }
}

fn environment_list<'a>(items: &'a [Node], cx: &mut Context<'a>) -> Environment {
    let mut variables = Environment::new();
    for (index, item) in items.iter().enumerate() {
        let Some(line) = cx.at_index(index, |cx| text(item, cx)) else {
            continue;
        };
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.as_str(), None),
        };
        if name.ends_with(char::is_whitespace) {
            let message = format!("has the variable \"{name}\" whose name ends in a space");
            cx.error(item.span, &message).help =
                Some("write NAME=value without a space before `=`".to_owned());
        }
        variables.insert(name.to_owned(), value);
    }
    variables
}

/// Labels, sysctls, options: `null` and a missing value are the empty text.
pub(super) fn mapping<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Mapping> {
    match &node.value {
        Value::Seq(items) => {
            let mut values = Mapping::new();
            for (index, item) in items.iter().enumerate() {
                if let Some(line) = cx.at_index(index, |cx| text(item, cx)) {
                    let (name, value) = line.split_once('=').unwrap_or((line.as_str(), ""));
                    values.insert(name.to_owned(), value.to_owned());
                }
            }
            Some(values)
        }
        Value::Map(_) => options(node, cx),
        _ => cx.wrong_type(node, "a mapping or a list"),
    }
}

/// Driver options: a mapping only.
pub(super) fn options<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Mapping> {
    let map = cx.mapping(node)?;
    let mut values = Mapping::new();
    for (name, entry) in map {
        let value = if entry.node.is_null() {
            Some(String::new())
        } else {
            cx.at_key(name, |cx| any_scalar(&entry.node, cx))
        };
        if let Some(value) = value {
            values.insert(name.clone(), value);
        }
    }
    Some(values)
}

/// Options of which each may have several values.
pub(super) fn multi_options<'a>(
    node: &'a Node,
    cx: &mut Context<'a>,
) -> Option<BTreeMap<String, Vec<String>>> {
    super::combinators::keyed(|node, cx: &mut Context<'a>| match &node.value {
        Value::Seq(_) => super::combinators::list(any_scalar)(node, cx),
        _ => any_scalar(node, cx).map(|value| vec![value]),
    })(node, cx)
}

/// `extra_hosts`: `host=address` lines, or addresses keyed by host.
pub(super) fn hosts<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<HostsList> {
    let mut hosts = HostsList::new();
    match &node.value {
        Value::Map(map) => {
            for (host, entry) in map {
                cx.at_key(host, |cx| {
                    if let Some(addresses) = addresses(&entry.node, cx) {
                        add_host(&mut hosts, host, addresses, node, cx);
                    }
                });
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                cx.at_index(index, |cx| host_line(&mut hosts, item, cx));
            }
        }
        _ => return cx.wrong_type(node, "a mapping or a list"),
    }
    Some(hosts)
}

fn addresses<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<String>> {
    match &node.value {
        Value::Null => Some(vec![String::new()]),
        Value::Str(address) => Some(vec![address.clone()]),
        Value::Seq(_) => super::combinators::list(text)(node, cx),
        _ => cx.wrong_type(node, "an address or a list of addresses"),
    }
}

fn host_line<'a>(hosts: &mut HostsList, item: &'a Node, cx: &mut Context<'a>) {
    let Some(line) = text(item, cx) else {
        return;
    };
    let Some((host, list)) = line.split_once('=').or_else(|| line.split_once(':')) else {
        cx.error(item.span, &format!("has no address for \"{line}\""))
            .help = Some("write it as host=address".to_owned());
        return;
    };
    let addresses = list.split(',').map(str::to_owned).collect();
    add_host(hosts, host, addresses, item, cx);
}

fn add_host(
    hosts: &mut HostsList,
    host: &str,
    addresses: Vec<String>,
    node: &Node,
    cx: &mut Context<'_>,
) {
    if host.is_empty() || host.contains([':', '=']) {
        cx.error(node.span, &format!("has the invalid host name \"{host}\""));
        return;
    }
    let bare = addresses.into_iter().map(without_brackets);
    hosts.entry(host.to_owned()).or_default().extend(bare);
}

/// `[::1]` → `::1`.
fn without_brackets(address: String) -> String {
    match address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) if !inner.is_empty() => inner.to_owned(),
        _ => address,
    }
}
