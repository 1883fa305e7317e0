//! `ports` of a service: `[address:][published:]target[/protocol]`, ports or ranges.

use std::net::IpAddr;

use super::{Context, LongForm};
use crate::compose::budget;
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Node, Value};
use crate::compose::path::Path;
use crate::compose::scalar;

/// What a short form says: the container ports and where they are published.
#[derive(Debug, PartialEq, Eq)]
struct Ports {
    host_ip: String,
    published: Option<(u16, u16)>,
    targets: (u16, u16),
    protocol: String,
}

/// Turns short forms into long ones; a range becomes one entry per container port.
pub(super) fn ports(node: &mut Node, _: Path<'_>, context: &mut Context<'_>) {
    let Value::Seq(items) = &node.value else {
        return;
    };
    let mut long = Vec::with_capacity(items.len());
    for item in items {
        let text = match &item.value {
            Value::Int(_) | Value::Uint(_) | Value::Str(_) => scalar::text(&item.value),
            _ => None,
        };
        let Some(text) = text else {
            long.push(item.clone());
            continue;
        };
        match parse(&text) {
            Ok(ports) if context.budget.take(ports.cost()).is_none() => {
                if !context.problems.iter().any(budget::is_limit) {
                    let problem = budget::exceeded("port ranges").at(item.span);
                    context.problems.push(problem);
                }
                break;
            }
            Ok(ports) => long.extend(ports.long_forms(item)),
            // With a variable in it, the list stays as it was written.
            Err(_) if context.lenient => return,
            Err(reason) => context.problems.push(
                Diagnostic::error(format!("port \"{text}\" cannot be read: {reason}"))
                    .code(code::INVALID_PORT)
                    .at(item.span)
                    .help(if text.starts_with("localhost:") {
                        "write 127.0.0.1 instead of localhost"
                    } else {
                        "write it as [address:][published:]target[/protocol]"
                    }),
            ),
        }
    }
    node.value = Value::Seq(long);
}

impl Ports {
    /// What a range costs beyond its first port, in bytes.
    fn cost(&self) -> usize {
        const PORT_COST: usize = 880;
        usize::from(self.targets.1 - self.targets.0) * PORT_COST
    }

    /// The container ports, sorted as text, as docker compose does.
    fn sorted(&self) -> Vec<u16> {
        let mut targets: Vec<u16> = (self.targets.0..=self.targets.1).collect();
        targets.sort_by_cached_key(u16::to_string);
        targets
    }

    /// Where a container port is published: a port, a range to choose from, or nothing.
    fn published(&self, target: u16) -> String {
        let single = self.targets.0 == self.targets.1;
        match self.published {
            None => String::new(),
            Some((first, last)) if single && first != last => format!("{first}-{last}"),
            Some((first, _)) => (u32::from(first) + u32::from(target - self.targets.0)).to_string(),
        }
    }

    fn long_forms(&self, node: &Node) -> impl Iterator<Item = Node> {
        let targets = self.sorted().into_iter();
        targets.map(|target| self.long_form(target, node))
    }

    fn long_form(&self, target: u16, node: &Node) -> Node {
        let mut long = LongForm::with_capacity(node.span, 5)
            .text("mode", "ingress")
            .with("target", Value::Int(i64::from(target)))
            .text("protocol", self.protocol.as_str());
        if !self.host_ip.is_empty() {
            long = long.text("host_ip", self.host_ip.as_str());
        }
        let published = self.published(target);
        if !published.is_empty() {
            long = long.text("published", published);
        }
        long.build()
    }
}

fn parse(text: &str) -> Result<Ports, String> {
    let mut parts = text.rsplitn(3, ':');
    let target = parts.next().unwrap_or_default();
    let published = parts.next().unwrap_or_default();
    let host_ip = address(parts.next().unwrap_or_default())?;
    let (target, protocol) = split_protocol(target)?;
    let targets =
        range(target).ok_or_else(|| format!("\"{target}\" is no port from 0 to 65535"))?;
    if targets.0 == 0 {
        return Err("the container port cannot be 0".to_owned());
    }
    let published = match published {
        "" => None,
        text => Some(range(text).ok_or_else(|| format!("\"{text}\" is no port from 0 to 65535"))?),
    };
    let single = targets.0 == targets.1;
    if let Some((first, last)) = published
        && last - first != targets.1 - targets.0
        && !single
    {
        return Err("the two ranges differ in length".to_owned());
    }
    Ok(Ports {
        host_ip,
        published,
        targets,
        protocol,
    })
}

fn address(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .ok_or_else(|| format!("\"{text}\" lacks a closing bracket"))?,
        None if text.contains(':') => {
            return Err(format!("the IPv6 address \"{text}\" must be in brackets"));
        }
        None => text,
    };
    if bare.is_empty() {
        return Ok(String::new());
    }
    match bare.parse::<IpAddr>() {
        Ok(_) => Ok(bare.to_owned()),
        Err(_) => Err(format!("\"{bare}\" is no IP address")),
    }
}

fn split_protocol(text: &str) -> Result<(&str, String), String> {
    let mut parts = text.split('/');
    let target = parts.next().unwrap_or_default();
    if target.is_empty() {
        return Err("the container port is missing".to_owned());
    }
    let protocol = match parts.next() {
        None | Some("") => "tcp".to_owned(),
        Some(protocol) => protocol.to_lowercase(),
    };
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(format!("\"{protocol}\" is none of tcp, udp and sctp"));
    }
    Ok((target, protocol))
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = if let Some((first, last)) = text.split_once('-') {
        (port(first)?, port(last.split('-').next()?)?)
    } else {
        (port(text)?, port(text)?)
    };
    (first <= last).then_some((first, last))
}

fn port(text: &str) -> Option<u16> {
    if text.starts_with('+') {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let ports = parse(text).unwrap();
        ports
            .sorted()
            .into_iter()
            .map(|target| {
                let published = ports.published(target);
                format!("{}|{published}|{target}/{}", ports.host_ip, ports.protocol)
            })
            .collect()
    }

    #[test]
    fn reads_every_form() {
        assert_eq!(shown("80"), ["||80/tcp"]);
        assert_eq!(shown("8080:80/UDP"), ["|8080|80/udp"]);
        assert_eq!(shown("127.0.0.1:8080:80"), ["127.0.0.1|8080|80/tcp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1||80/tcp"]);
        assert_eq!(shown("[::1]:8080:80"), ["::1|8080|80/tcp"]);
        assert_eq!(shown("8000-8005:80"), ["|8000-8005|80/tcp"]);
        assert_eq!(shown("90-91:80-81"), ["|90|80/tcp", "|91|81/tcp"]);
        assert_eq!(shown("99-100"), ["||100/tcp", "||99/tcp"], "sorted as text");
    }

    #[test]
    fn says_what_is_wrong() {
        for text in [
            "",
            "abc",
            "80:",
            "70000",
            "1.2.3:1:2",
            "80/icmp",
            "1-3:5-6",
            "0",
            "80:0-1",
            "8080:0",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("[::1:80:80").unwrap_err().contains("bracket"));
    }
}
