//! `volumes` of a service: `source:target:options`.

use super::{Context, LongForm};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Map, Node, Value};
use crate::compose::path::Path;
use crate::compose::paths;

/// The short form, taken apart.
#[derive(Debug, Default, PartialEq)]
struct Spec {
    /// One or two characters, which docker compose takes as they are.
    tiny: bool,
    source: String,
    target: String,
    read_only: bool,
    nocopy: bool,
    propagation: Option<String>,
    selinux: Option<String>,
}

/// Turns the short form into the long one.
pub(super) fn mount(node: &mut Node, _: Path<'_>, context: &mut Context<'_>) {
    let Some(text) = node.as_str() else {
        return;
    };
    let spec = match parse(text) {
        Ok(spec) => spec,
        Err(_) if context.lenient => return,
        Err(reason) => {
            context.problems.push(
                Diagnostic::error(format!("volume \"{text}\" cannot be read: {reason}"))
                    .code(code::INVALID_VOLUME)
                    .at(node.span)
                    .help("write it as [source:]target[:options]"),
            );
            *node = LongForm::new(node.span)
                .text("type", "volume")
                .text("target", "/")
                .build();
            return;
        }
    };
    *node = long_form(spec, node);
}

fn long_form(spec: Spec, node: &Node) -> Node {
    let bind = is_file_path(&spec.source);
    let mut long = LongForm::new(node.span).text("type", if bind { "bind" } else { "volume" });
    if !spec.source.is_empty() {
        long = long.text("source", spec.source.as_str());
    }
    if !spec.target.is_empty() {
        long = long.text("target", paths::clean(&spec.target));
    }
    if spec.read_only {
        long = long.with("read_only", Value::Bool(true));
    }
    if bind || spec.propagation.is_some() || spec.selinux.is_some() {
        let mut options = LongForm::new(node.span);
        if let Some(selinux) = &spec.selinux {
            options = options.text("selinux", selinux);
        }
        if let Some(propagation) = &spec.propagation {
            options = options.text("propagation", propagation);
        }
        if bind {
            options = options.with("create_host_path", Value::Bool(true));
        }
        long.insert("bind", options.build());
    }
    if spec.nocopy {
        let options = LongForm::new(node.span).with("nocopy", Value::Bool(true));
        long.insert("volume", options.build());
    } else if !bind && !spec.tiny {
        long = long.with("volume", Value::Map(Map::new()));
    }
    long.build()
}

/// The container path of a short form, if it can be read.
pub(crate) fn target(text: &str) -> Option<String> {
    parse(text).ok().map(|spec| spec.target)
}

/// Whether a short form mounts a path of the host.
pub(crate) fn is_bind_source(text: &str) -> bool {
    parse(text).is_ok_and(|spec| is_file_path(&spec.source))
}

fn parse(text: &str) -> Result<Spec, &'static str> {
    let mut spec = Spec::default();
    match text.len() {
        0 => return Err("it is empty"),
        1 | 2 => {
            text.clone_into(&mut spec.target);
            spec.tiny = true;
            return Ok(spec);
        }
        _ => {}
    }
    let sections = sections(text);
    if sections.iter().any(String::is_empty) {
        return Err("there is nothing between two colons");
    }
    match &sections[..] {
        [target] => spec.target.clone_from(target),
        [source, target] => {
            spec.source.clone_from(source);
            spec.target.clone_from(target);
        }
        [source, target, options] => {
            spec.source.clone_from(source);
            spec.target.clone_from(target);
            set_options(&mut spec, options);
        }
        _ => return Err("it has too many colons"),
    }
    Ok(spec)
}

/// Splits at colons, but not after a drive letter or inside `${…}`.
fn sections(text: &str) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let mut depth = 0_usize;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '$' if chars.peek() == Some(&'{') => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ':' if depth == 0 && !is_drive(&section) => {
                sections.push(std::mem::take(&mut section));
                continue;
            }
            _ => {}
        }
        section.push(char);
    }
    sections.push(section);
    sections
}

fn is_drive(section: &str) -> bool {
    let mut chars = section.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

fn set_options(spec: &mut Spec, options: &str) {
    for option in options.split(',') {
        match option {
            "ro" => spec.read_only = true,
            "rw" => spec.read_only = false,
            "nocopy" => spec.nocopy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                spec.propagation = Some(option.to_owned());
            }
            "z" | "Z" => spec.selinux = Some(option.to_owned()),
            // docker compose takes any other option and drops it.
            _ => {}
        }
    }
}

fn is_file_path(source: &str) -> bool {
    if source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") {
        return true;
    }
    let mut chars = source.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source_and_target(text: &str) -> (String, String) {
        let spec = parse(text).unwrap();
        (spec.source, spec.target)
    }

    #[test]
    fn splits_at_colons() {
        assert_eq!(source_and_target("/data"), (String::new(), "/data".into()));
        assert_eq!(source_and_target("db:/data"), ("db".into(), "/data".into()));
        assert_eq!(
            source_and_target(r"C:\x:/data:ro"),
            (r"C:\x".into(), "/data".into())
        );
        assert_eq!(
            source_and_target("${A:-x}:/data"),
            ("${A:-x}".into(), "/data".into())
        );
    }

    #[test]
    fn two_characters_are_taken_as_they_are() {
        let mount =
            |text: &str| long_form(parse(text).unwrap(), &crate::compose::testing::node(text));
        assert!(mount("/a").get("volume").is_none());
        assert!(mount("/ab").get("volume").is_some());
    }

    #[test]
    fn refuses_empty_sections_and_too_many_colons() {
        assert!(parse("aa::/b").is_err());
        assert!(parse("aa:/b:ro:x").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn reads_options() {
        let spec = parse("./a:/b:ro,z,rshared,cached").unwrap();
        assert!(spec.read_only);
        assert_eq!(spec.selinux.as_deref(), Some("z"));
        assert_eq!(spec.propagation.as_deref(), Some("rshared"));
    }

    #[test]
    fn tells_paths_from_names() {
        for path in [".", "./a", "/a", "~/a", r"\\.\pipe\x", "c:/x"] {
            assert!(is_file_path(path), "{path}");
        }
        for name in ["a", "a/b", "1:x"] {
            assert!(!is_file_path(name), "{name}");
        }
    }
}
