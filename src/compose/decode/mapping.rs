//! Mappings of texts: environment, labels, options. Lists of `key=value` are accepted too.

use std::collections::BTreeMap;

use super::Context;
use super::combinators::{keyed, list, or_default, unique_texts};
use super::scalar::{any_scalar, text, text_or_number};
use crate::compose::diagnostic::code;
use crate::compose::model::{Environment, HostsList, Mapping};
use crate::compose::node::{Entry, Node, Value};

/// `environment` and `args`: a name without value is `None`.
pub(super) fn environment<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Environment> {
    match &node.value {
        Value::Map(map) => {
            let mut variables = Environment::new();
            for (name, entry) in map {
                check_name(name, entry, cx);
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
        Value::Seq(_) => environment_list(node, cx),
        _ => cx.wrong_type(node, "a mapping or a list"),
    }
}

/// A name must not be empty where it is written as a key.
fn check_name(name: &str, entry: &Entry, cx: &mut Context<'_>) {
    if name.is_empty() {
        cx.error(entry.key, "has an empty name").code = code::INVALID_NAME;
    }
}

fn environment_list<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Environment> {
    let mut variables = Environment::new();
    for line in unique_texts(node, cx)? {
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.as_str(), None),
        };
        if name.ends_with(char::is_whitespace) {
            let message = format!("has the variable \"{name}\" whose name ends in a space");
            let items = node.as_seq().into_iter().flatten();
            let place = items
                .filter(|item| item.as_str() == Some(line.as_str()))
                .map(|item| item.span)
                .next();
            cx.error(place.unwrap_or(node.span), &message).help =
                Some("write NAME=value without a space before `=`".to_owned());
        }
        variables.insert(name.to_owned(), value);
    }
    Some(variables)
}

/// Labels, sysctls, options: `null` and a missing value are the empty text.
pub(super) fn mapping<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Mapping> {
    match &node.value {
        Value::Seq(_) => {
            let lines = unique_texts(node, cx)?;
            Some(lines.iter().map(|line| key_and_value(line)).collect())
        }
        Value::Map(map) => {
            for (name, entry) in map {
                check_name(name, entry, cx);
            }
            keyed(or_default(any_scalar))(node, cx)
        }
        _ => cx.wrong_type(node, "a mapping or a list"),
    }
}

fn key_and_value(line: &str) -> (String, String) {
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    (key.to_owned(), value.to_owned())
}

/// Driver options: a mapping of texts and numbers.
pub(super) fn options<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Mapping> {
    keyed(text_or_number)(node, cx)
}

/// Logging options: a mapping of texts and numbers; `null` is the empty text.
pub(super) fn nullable_options<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Mapping> {
    keyed(or_default(text_or_number))(node, cx)
}

/// Options of which each may have several values.
pub(super) fn multi_options<'a>(
    node: &'a Node,
    cx: &mut Context<'a>,
) -> Option<BTreeMap<String, Vec<String>>> {
    let mut options = keyed(|node, cx: &mut Context<'a>| match &node.value {
        Value::Seq(_) => list(any_scalar)(node, cx),
        _ => any_scalar(node, cx).map(|value| vec![value]),
    })(node, cx)?;
    options.retain(|_, values| !values.is_empty());
    Some(options)
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
        Value::Seq(_) => {
            for line in unique_texts(node, cx)? {
                host_line(&mut hosts, &line, node, cx);
            }
        }
        _ => return cx.wrong_type(node, "a mapping or a list"),
    }
    Some(hosts)
}

fn addresses<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<String>> {
    match &node.value {
        Value::Str(address) => Some(vec![address.clone()]),
        Value::Seq(_) => list(text)(node, cx),
        _ => cx.wrong_type(node, "an address or a list of addresses"),
    }
}

fn host_line(hosts: &mut HostsList, line: &str, node: &Node, cx: &mut Context<'_>) {
    let Some((host, list)) = line.split_once('=').or_else(|| line.split_once(':')) else {
        cx.error(node.span, &format!("has no address for \"{line}\""))
            .help = Some("write it as host=address".to_owned());
        return;
    };
    let addresses = list.split(',').map(str::to_owned).collect();
    add_host(hosts, host, addresses, node, cx);
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
