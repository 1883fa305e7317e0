//! The services of a project and what they depend on, as a graph in Graphviz's language.

use std::fmt::Write as _;

use crate::compose::Project;
use crate::compose::model::{Port, Service};
use crate::plan::names;

/// What the graph shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The networks of each service.
    pub networks: bool,
    /// The ports that each service publishes.
    pub ports: bool,
    /// The image of each service.
    pub image: bool,
    /// What each line begins with.
    pub indentation: String,
    /// Between the parts of names.
    pub separator: char,
}

/// The graph, in the order of the services' names.
pub fn dot(project: &Project, options: &Options) -> String {
    let indentation = &options.indentation;
    let mut text = format!(
        "digraph {} {{\n{indentation}layout=dot;\n",
        quoted(&project.name)
    );
    // Writing to a string cannot fail.
    for service in project.services.values() {
        let _ = writeln!(
            text,
            "{indentation}{} [style=\"filled\" label=<{}>];",
            quoted(&service.name),
            label(project, service, options)
        );
    }
    text.push('\n');
    for service in project.services.values() {
        for dependency in service.depends_on.keys() {
            let (from, to) = (quoted(&service.name), quoted(dependency));
            let _ = writeln!(text, "{indentation}{from} -> {to};");
        }
    }
    text.push_str("}\n");
    text
}

fn label(project: &Project, service: &Service, options: &Options) -> String {
    let name = escaped(&service.name);
    let mut label = format!("<font point-size=\"15\">{name}</font>");
    if options.networks {
        let networks = networks(service);
        label.push_str(&section(
            "Networks",
            networks.iter().map(|name| escaped(name)),
        ));
    }
    if options.ports {
        label.push_str(&section("Ports", service.ports.iter().map(port)));
    }
    if options.image {
        let image = names::image(&project.name, service, options.separator);
        label.push_str(&section("Image", std::iter::once(escaped(&image))));
    }
    label
}

/// A title and its lines; nothing where there are none.
fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.join("<br/>");
    format!("<font point-size=\"10\"><br/><br/><b>{title}:</b><br/>{lines}</font>")
}

/// Names of the service's networks, those of higher priority first.
fn networks(service: &Service) -> Vec<&str> {
    let mut networks: Vec<(i64, &str)> = service
        .networks
        .iter()
        .map(|(name, network)| {
            let priority = network.as_ref().and_then(|network| network.priority);
            (-priority.unwrap_or(0), name.as_str())
        })
        .collect();
    networks.sort_unstable();
    networks.into_iter().map(|(_, name)| name).collect()
}

fn port(port: &Port) -> String {
    let address = port
        .host_ip
        .as_deref()
        .filter(|address| !address.is_empty());
    let address = address.map(|address| format!("{address}:"));
    escaped(&format!(
        "{}{}:{} ({}, {})",
        address.unwrap_or_default(),
        port.published.as_deref().unwrap_or_default(),
        port.target.unwrap_or(0),
        port.protocol.as_deref().unwrap_or_default(),
        port.mode.as_deref().unwrap_or_default()
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text inside a label, which is HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
        assert_eq!(escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
        assert_eq!(section("Ports", std::iter::empty()), "");
    }
}
