use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Variables, parse, parse_raw, read_after};
use crate::compose::diagnostic::Diagnostic;
use crate::compose::source::{Source, SourceId, SourceMap};

fn source(text: &str) -> SourceId {
    SourceMap::default().add(Source {
        name: ".env".into(),
        text: text.into(),
        parent: None,
    })
}

fn shell(name: &str) -> Option<String> {
    (name == "H").then(|| "host".to_owned())
}

fn read(text: &str) -> Result<Variables, Box<Diagnostic>> {
    parse(source(text), text, &shell)
}

fn values(variables: Variables) -> BTreeMap<String, String> {
    variables
        .into_iter()
        .filter_map(|(name, variable)| Some((name, variable.value?)))
        .collect()
}

fn value(text: &str) -> String {
    values(read(text).unwrap()).remove("K").unwrap_or_default()
}

#[test]
fn values_are_read_as_docker_compose_reads_them() {
    for (text, expected) in [
        ("K=v", "v"),
        ("   K = v ", "v"),
        ("export K=v", "v"),
        ("K: v", "v"),
        ("K:v", "v"),
        ("K=a b c", "a b c"),
        ("K='a $H b'", "a $H b"),
        ("K=\"a\\nb\\tc\"", "a\nb\tc"),
        ("K='a\\nb'", "a\\nb"),
        ("K=a\\nb", "a\\nb"),
        ("K=\"a\nb\nc\"", "a\nb\nc"),
        ("K=v # c", "v"),
        ("K=v#c", "v#c"),
        ("K=\"v\"#c", "v"),
        ("K=#v", "#v"),
        ("K= #v", "#v"),
        ("A=1\nK=${A}", "1"),
        ("K=${A:-${B:-z}}", "z"),
        ("A=1\nK=${A:+y}", "y"),
        ("K=\\$A", "\\"),
        ("K=$$A", "$A"),
        ("K=\"\\$A\"", "$A"),
        ("K=${H}", "host"),
        ("K=1\nK=2", "2"),
        ("K=\"a\" b", "a"),
        ("K=a\"b\"c", "a\"b\"c"),
        ("K=v\r\nB=2\r\n", "v"),
        ("\u{feff}K=v", "v"),
        ("K=a=b", "a=b"),
        ("K=a\\\\b", "a\\\\b"),
        ("K=\"a\\\\b\"", "a\\b"),
        ("K=\"a\\\"b\"", "a\"b"),
        ("K='a\\'b'", "a'b"),
        ("K=\"\\x41é\"", "\\x41é"),
        ("K=$(echo hi)", "$(echo hi)"),
        ("K=\"a \\\nb\"", "a \\\nb"),
        ("K=a \\\nb", "a \\"),
        ("K=\"\\0101\"", "A"),
        ("K=\"\\07 \\0999\"", "\\7 \\999"),
    ] {
        assert_eq!(value(text), expected, "{text:?}");
    }
}

#[test]
fn names_may_have_dots_dashes_digits_and_brackets() {
    let names: Vec<_> = values(read("K.a=1\nK-a=1\n1K=1\nK[0]=v\nexportK=v\n").unwrap())
        .into_keys()
        .collect();
    assert_eq!(names, ["1K", "K-a", "K.a", "K[0]", "exportK"]);
}

#[test]
fn a_name_alone_is_inherited() {
    let variables = read("K\nexport H\n").unwrap();
    assert_eq!(variables["K"].value, None);
    assert_eq!(variables["H"].value.as_deref(), Some("host"));
}

#[test]
fn what_ends_with_the_file_instead_of_a_line_is_a_value_without_a_name() {
    for (text, expected) in [("K", "K"), ("A=1\n K b ", "K b"), ("A=\"x\" y", "y")] {
        let variables = values(read(text).unwrap());
        assert_eq!(
            variables.get("").map(String::as_str),
            Some(expected),
            "{text:?}"
        );
    }
    assert!(read("export ").is_err());
}

#[test]
fn a_file_beats_those_before_it() {
    let text = "R=$A\nA=2\nS=$A\nA\n";
    let earlier = |name: &str| (name == "A").then(|| "1".to_owned());
    let found = read_after(source(text), text, &|_| None, &earlier).variables;
    let value = |name: &str| found[name].value.as_deref();
    assert_eq!(
        [value("R"), value("S"), value("A")],
        [Some("1"), Some("2"), Some("2")]
    );
}

#[test]
fn errors_have_a_line_and_a_column() {
    for (text, line, column) in [
        ("A=1\nA B=1\n", 2, 1),
        ("A=1\n\n{}=1\n", 3, 1),
        ("K=\"abc\n", 1, 3),
        ("A=1\nK=${A:?x${}}", 2, 9),
    ] {
        let span = read(text).unwrap_err().span.unwrap();
        assert_eq!((span.line, span.column), (line, column), "{text:?}");
    }
}

#[test]
fn raw_files_are_taken_literally() {
    let text = "# c\nK=\"a $H\" # b\n\nH\n";
    let variables = values(parse_raw(source(text), text, &shell).unwrap());
    assert_eq!(variables["K"], "\"a $H\" # b");
    assert_eq!(variables["H"], "host");
}

proptest! {
    #[test]
    fn never_panics(text in "[A=:\"'\\\\$#{}é \n0-9]{0,60}") {
        let _ = read(&text);
        let _ = parse_raw(source(&text), &text, &shell);
    }

    /// The part of the language on which docker compose and `dotenvy` agree.
    #[test]
    fn agrees_with_dotenvy_on_simple_lines(
        lines in proptest::collection::btree_map("[A-Z][A-Z0-9_]{0,8}", "[a-z0-9/.,:+-]{1,12}", 1..8),
    ) {
        let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = text.join("\n");
        let oracle: BTreeMap<String, String> =
            dotenvy::from_read_iter(text.as_bytes()).map(Result::unwrap).collect();
        prop_assert_eq!(values(read(&text).unwrap()), oracle);
    }
}
