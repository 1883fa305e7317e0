//! YAML, templates and env files that grow.

use std::fmt::Write as _;

use crate::Case;

const LEVELS: usize = 100_000;

#[test]
fn aliases_of_aliases() {
    for value in [
        "[P]".replace('P', &["P"; 9].join(", ")),
        "{a: P, b: P}".to_owned(),
        format!(
            "{{{}}}",
            (0..20)
                .map(|key| format!("k{key}: P"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    ] {
        let mut text = format!("x-0: &a0 {}\n", value.replace('P', "x"));
        for level in 1..40 {
            let aliases = value.replace('P', &format!("*a{}", level - 1));
            writeln!(text, "x-{level}: &a{level} {aliases}").expect("text grows");
        }
        text.push_str("services: {a: {image: i}}\n");
        Case::new(&text).refused("compose.yaml:", "aliases expand to more than 64 MiB");
    }
}

#[test]
fn nested_collections() {
    for text in [
        "[".repeat(LEVELS),
        "{a: ".repeat(LEVELS),
        "- ".repeat(LEVELS),
        "? ".repeat(LEVELS),
        format!("a: {}{}", "[".repeat(LEVELS), "]".repeat(LEVELS)),
        (0..3000).fold(String::new(), |text, level| {
            text + &" ".repeat(level) + "a:\n"
        }),
    ] {
        Case::new(&text).refused("compose.yaml:", "nesting is deeper than 200 levels");
    }
}

#[test]
fn nested_templates() {
    let nested = "${A:-".repeat(LEVELS) + "x" + &"}".repeat(LEVELS);
    Case::new(&format!("services: {{a: {{image: \"{nested}\"}}}}"))
        .refused("compose.yaml:1:", "variables are nested too deeply");
    let open = "${A:-".repeat(LEVELS);
    Case::new(&format!("services: {{a: {{image: \"{open}\"}}}}"))
        .refused("compose.yaml:1:24", "invalid interpolation format");
    let case = Case::new("services: {a: {image: i, env_file: app.env}}");
    case.file("app.env", format!("A=1\nB={nested}\n").as_bytes());
    case.refused("app.env:2:", "variables are nested too deeply");
}

#[test]
fn variables_that_multiply() {
    let uses = "\"$BIG$BIG\", ".repeat(5000);
    let mut case = Case::new(&format!("services: {{a: {{image: i, cap_add: [{uses}]}}}}"));
    case.environment.push(("BIG".into(), "x".repeat(20_000)));
    case.refused("compose.yaml:1:", "variables expand to more than 64 MiB");
    let case = Case::new("services: {a: {image: i, env_file: app.env}}");
    let mut text = "A0=xxxxxxxxxx\n".to_owned();
    for level in 1..40 {
        let below = format!("$A{}", level - 1).repeat(4);
        writeln!(text, "A{level}={below}").expect("text grows");
    }
    case.file("app.env", text.as_bytes());
    case.refused("app.env:11:", "variables make the text longer than 8 MiB");
}

#[test]
fn services_that_multiply() {
    let mut text = "services:\n  base: {image: i, labels: {".to_owned();
    for label in 0..1000 {
        write!(text, "l{label}: v, ").expect("text grows");
    }
    text.push_str("}}\n");
    for service in 0..1000 {
        writeln!(text, "  s{service}: {{extends: base}}").expect("text grows");
    }
    Case::new(&text).refused(
        "compose.yaml:",
        "services that extend others expand to more than 64 MiB",
    );
}

#[test]
fn port_ranges_that_multiply() {
    let mut ports = String::new();
    for address in 1..=100 {
        write!(ports, "'127.0.0.{address}:1-65535:1-65535', ").expect("text grows");
    }
    Case::new(&format!("services: {{a: {{image: i, ports: [{ports}]}}}}"))
        .refused("compose.yaml:1:", "port ranges expand to more than 64 MiB");
}

#[test]
fn too_many_of_everything() {
    let mut services = "services:\n".to_owned();
    for index in 0..1_000_000 {
        writeln!(services, " s{index}: {{image: i}}").expect("text grows");
    }
    Case::new(&services).refused("compose.yaml", "is too large: at most 8 MiB are read");
    let documents = "---\nservices: {a: {image: i}}\n".repeat(10_000);
    Case::new(&documents).refused("compose.yaml:", "file has more than 4096 documents");
    let twice = "services:\n".to_owned() + &"  a: {}\n".repeat(20_000);
    Case::new(&twice).refused("", "more problems");
}

#[test]
fn long_texts_and_keys_are_read() {
    let long = "x".repeat(3 << 20);
    Case::new(&format!(
        "services: {{a: {{image: i, labels: {{a: {long}}}}}}}"
    ))
    .accepted();
    Case::new(&format!(
        "services: {{a: {{image: i, labels: {{? {long} : a}}}}}}"
    ))
    .accepted();
}

#[test]
fn bytes_that_are_no_text() {
    let case = Case::new("");
    case.file("compose.yaml", b"services:\n  a: {image: \"i\xff\"}\n");
    case.refused("compose.yaml:2:16", "compose.yaml is not UTF-8 text");
    case.file("compose.yaml", b"services:\n  a: {image: \"i\0\"}\n");
    case.refused(
        "compose.yaml:2:16",
        "control character U+0000 is not allowed",
    );
}
