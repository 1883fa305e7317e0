use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::diagnostic::Diagnostic;
use super::super::node::{Directive, Node, Value};
use super::super::source::{Source, SourceId, SourceMap};

fn source() -> SourceId {
    SourceMap::default().add(Source {
        name: "compose.yaml".into(),
        text: Arc::from(""),
        parent: None,
    })
}

fn documents(text: &str) -> Vec<Node> {
    super::parse(source(), text).expect("text is valid")
}

fn document(text: &str) -> Node {
    documents(text).remove(0)
}

fn problems(text: &str) -> Vec<Diagnostic> {
    super::parse(source(), text).expect_err("text is invalid")
}

fn problem(text: &str) -> Diagnostic {
    problems(text).remove(0)
}

fn message(text: &str) -> String {
    problem(text).message
}

/// A compact spelling of a value that shows its type.
fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => format!("i{value}"),
        Value::Uint(value) => format!("u{value}"),
        Value::Float(value) => format!("f{value}"),
        Value::Timestamp(value) => format!("t{value}"),
        Value::Str(value) => format!("{value:?}"),
        Value::Seq(items) => {
            let items: Vec<_> = items.iter().map(|item| show(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, entry)| format!("{key}: {}", show(&entry.node.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn shown(text: &str) -> String {
    let first = documents(text).into_iter().next();
    first.map_or("null".into(), |node| show(&node.value))
}

#[test]
fn scalars_resolve_as_go_yaml_does() {
    for (text, expected) in [
        ("yes", "\"yes\""),
        ("off", "\"off\""),
        ("y", "\"y\""),
        ("true", "true"),
        ("TRUE", "true"),
        ("False", "false"),
        ("tRuE", "\"tRuE\""),
        ("~", "null"),
        ("Null", "null"),
        ("nUll", "\"nUll\""),
        ("0", "i0"),
        ("-0", "i0"),
        ("+1", "i1"),
        ("0o644", "i420"),
        ("0o9", "\"0o9\""),
        ("0644", "i420"),
        ("0899", "f899"),
        ("-0644", "i-420"),
        ("0X1F", "i31"),
        ("-0x1F", "i-31"),
        ("0B101", "i5"),
        ("-0b11", "i-3"),
        ("0b-1", "i-1"),
        ("0o-7", "i-7"),
        ("0O17", "i15"),
        ("1e3", "f1000"),
        ("1E3", "f1000"),
        ("-1.5e-3", "f-0.0015"),
        ("1.", "f1"),
        (".5", "f0.5"),
        ("+.5", "f0.5"),
        (".5_0", "f0.5"),
        (".", "\".\""),
        ("1__000", "i1000"),
        ("_1", "\"_1\""),
        ("1_", "i1"),
        ("0x1_F", "i31"),
        ("1_000.5", "f1000.5"),
        ("100000000000000000000", "f100000000000000000000"),
        ("9223372036854775807", "i9223372036854775807"),
        ("9223372036854775808", "u9223372036854775808"),
        ("18446744073709551615", "u18446744073709551615"),
        ("18446744073709551616", "f18446744073709552000"),
        ("-9223372036854775808", "i-9223372036854775808"),
        ("-9223372036854775809", "f-9223372036854776000"),
        ("1e400", "\"1e400\""),
        (".inf", "finf"),
        ("+.Inf", "finf"),
        ("-.INF", "f-inf"),
        (".NaN", "fNaN"),
        ("inf", "\"inf\""),
        ("+Inf", "\"+Inf\""),
        ("22:22", "\"22:22\""),
        ("190:20:30", "\"190:20:30\""),
        ("1.2.3", "\"1.2.3\""),
        ("1e", "\"1e\""),
        ("0x", "\"0x\""),
        ("0b", "\"0b\""),
        ("0xG", "\"0xG\""),
        ("0x1p4", "\"0x1p4\""),
        ("1d", "\"1d\""),
        ("=", "\"=\""),
        ("<<", "\"<<\""),
        ("1,000", "\"1,000\""),
        ("08", "f8"),
        ("0.", "f0"),
        ("+0b1", "i1"),
        ("1e1_0", "f10000000000"),
        ("-", "[null]"),
        ("+", "\"+\""),
        ("é", "\"é\""),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn timestamps_are_recognised_and_normalised() {
    for (text, expected) in [
        ("2001-12-14", "t2001-12-14T00:00:00Z"),
        ("2001-1-1", "t2001-01-01T00:00:00Z"),
        (
            "2001-12-14t21:59:43.10-05:00",
            "t2001-12-14T21:59:43.1-05:00",
        ),
        ("2001-12-14 21:59:43.10 -5", "\"2001-12-14 21:59:43.10 -5\""),
        ("2001-12-15 2:59:43.10", "t2001-12-15T02:59:43.1Z"),
        ("2001-12-14   1:2:3", "t2001-12-14T01:02:03Z"),
        ("2001-12-14T1:2:3+00:00", "t2001-12-14T01:02:03Z"),
        ("2001-12-14 1:2:3Z", "\"2001-12-14 1:2:3Z\""),
        (
            "2001-12-14T1:2:3.1234567891Z",
            "t2001-12-14T01:02:03.123456789Z",
        ),
        ("2001-2-29", "\"2001-2-29\""),
        ("2024-2-29", "t2024-02-29T00:00:00Z"),
        ("2001-12-14T24:00:00Z", "\"2001-12-14T24:00:00Z\""),
        ("2024-13-45", "\"2024-13-45\""),
        ("'2001-12-14'", "\"2001-12-14\""),
        ("!!timestamp '2001-12-14'", "t2001-12-14T00:00:00Z"),
        ("2001-12-14T", "\"2001-12-14T\""),
        ("2001-é", "\"2001-é\""),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn tags_steer_or_are_dropped() {
    for (text, expected) in [
        ("!!str 123", "\"123\""),
        ("!!str", "\"\""),
        ("!!int \"123\"", "i123"),
        ("!!float 1", "f1"),
        ("!!bool \"true\"", "true"),
        ("!!null ''", "null"),
        ("!!binary aGVsbG8=", "\"hello\""),
        ("! 12", "i12"),
        ("!foo 12", "\"12\""),
        ("!foo {a: 1}", "{a: i1}"),
        ("!!set {a, b}", "{a: null, b: null}"),
        ("!!map x", "\"x\""),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(
        message("a: !!bool yes"),
        "`yes` is not a value of type `!!bool`"
    );
    assert_eq!(
        message("a: !!int 1.5"),
        "`1.5` is not a value of type `!!int`"
    );
    assert_eq!(
        message("a: !!binary '%'"),
        "value of `!!binary` is not valid base64"
    );
}

#[test]
fn directives_stay_on_their_nodes() {
    let node = document(
        "a: !reset null\nb: !override [x]\nc: [!reset x, y]\nd: !reset\ne: &e !override {k: 1}\nf: *e\n",
    );
    let directive = |key: &str| node.get(key).and_then(|node| node.directive);
    assert_eq!(directive("a"), Some(Directive::Reset));
    assert_eq!(directive("b"), Some(Directive::Override));
    assert_eq!(directive("c"), None);
    assert_eq!(directive("d"), Some(Directive::Reset));
    assert_eq!(directive("f"), Some(Directive::Override));
    let items = node.get("c").and_then(Node::as_seq).expect("a list");
    assert_eq!(items[0].directive, Some(Directive::Reset));
    assert_eq!(items[1].directive, None);
}

#[test]
fn an_alias_leaves_resets_at_the_anchor() {
    let node = document("a: &a {p: !reset [], q: [!reset x, y]}\nb: *a\nc: {<<: *a}\n");
    assert!(node.at(&["a", "p"]).is_some());
    for key in ["b", "c"] {
        let map = node.get(key).and_then(Node::as_map).expect("a mapping");
        assert_eq!(map.keys().collect::<Vec<_>>(), ["q"]);
        assert_eq!(map["q"].node.as_seq().map(<[Node]>::len), Some(1));
    }
}

#[test]
fn merge_keys_add_what_is_missing() {
    for (text, expected) in [
        ("{<<: {b: 1, a: 2}, a: 3}", "{a: i3, b: i1}"),
        ("{a: 3, <<: {b: 1, a: 2}}", "{a: i3, b: i1}"),
        ("{<<: [{a: 1}, {a: 2, b: 2}]}", "{a: i1, b: i2}"),
        ("{<<: []}", "{}"),
        ("{\"<<\": 1}", "{<<: i1}"),
        ("{!!merge <<: {a: 1}}", "{a: i1}"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(
        shown("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: [*y], a: 0}"),
        "{x: {a: i1}, y: {b: i2, a: i1}, z: {a: i0, b: i2}}"
    );
    assert_eq!(
        message("{<<: null}"),
        "`<<` takes a mapping or a list of mappings, not empty"
    );
    assert_eq!(
        message("{<<: [{a: 1}, 2]}"),
        "`<<` takes a mapping or a list of mappings, not an integer"
    );
    assert_eq!(
        message("<<: {a: 1}\n<<: {b: 1}"),
        "key \"<<\" is already defined at line 1"
    );
}

#[test]
fn anchors_expand_and_may_be_redefined() {
    assert_eq!(
        shown("a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: &y\nf: *y"),
        "{a: i1, b: i1, c: i2, d: i2, e: null, f: null}"
    );
    assert_eq!(shown("a: &x k\nb: {*x : 1}"), "{a: \"k\", b: {k: i1}}");
    assert_eq!(message("a: *x"), "unknown anchor `x`");
    assert_eq!(message("a: &x 1\n---\nb: *x"), "unknown anchor `x`");
    let cycle = problem("a:\n  b: &x [*x]\n");
    assert_eq!(cycle.message, "cycle detected: `*x` is part of `&x`");
    assert_eq!(cycle.related[0].0.line, 2);
}

#[test]
fn duplicate_and_non_string_keys_are_all_reported() {
    let found = problems("a: 1\nb:\n  - {c: 1, 'c': 2}\na: 3\n");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].message, "key \"c\" is already defined at line 3");
    assert_eq!(found[1].message, "key \"a\" is already defined at line 1");
    assert_eq!(
        found[1].span.map(|span| (span.line, span.column)),
        Some((4, 1))
    );
    assert_eq!(found[1].related[0].0.line, 1);

    assert_eq!(
        message("services: {a: {environment: {1: x}}}"),
        "non-string key in services.a.environment: 1"
    );
    assert_eq!(message("x: [{true: x}]"), "non-string key in x[0]: true");
    assert_eq!(message("1: x"), "non-string key at top level: 1");
    assert_eq!(message("{[a]: x}"), "a list cannot be a key");
    assert_eq!(problems("{1: a, '1': b}").len(), 2);
    assert_eq!(shown("{!!str 1: a}"), "{1: \"a\"}");
}

#[test]
fn streams_and_encodings() {
    assert_eq!(documents("").len(), 0);
    assert_eq!(documents("# only a comment\n").len(), 0);
    assert_eq!(documents("---\n").len(), 0);
    let all: Vec<_> = documents("a: 1\n---\n---\nb: 2\n...\n")
        .iter()
        .map(|node| show(&node.value))
        .collect();
    assert_eq!(all, ["{a: i1}", "{b: i2}"]);
    assert_eq!(
        shown("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n"),
        "{a: i1, b: \"x\\ny\\n\"}"
    );
    assert_eq!(shown("%YAML 1.1\n---\na: 1"), "{a: i1}");
    assert_eq!(
        message("%YAML 1.2\n---\na: 1"),
        "only YAML 1.1 is supported in a `%YAML` directive"
    );
    assert_eq!(shown("ﬀ: 1"), "{ﬀ: i1}");
}

#[test]
fn places_are_exact() {
    let text = "\u{feff}é: ü\nlist:\n  - a\n  - bc   # note\n\n# more\nflow: {k: [1, 2] }\n";
    let node = document(text);
    let slice = |node: &Node| &text[node.span.start as usize..node.span.end as usize];
    let map = node.as_map().expect("a mapping");
    let (first, list, flow) = (&map["é"], &map["list"], &map["flow"]);
    assert_eq!(slice(&first.node), "ü");
    assert_eq!((first.node.span.line, first.node.span.column), (1, 4));
    assert_eq!(&text[first.key.start as usize..first.key.end as usize], "é");
    assert_eq!(slice(&list.node), "- a\n  - bc");
    assert_eq!((list.key.line, list.node.span.line), (2, 3));
    assert_eq!(slice(&list.node.as_seq().expect("a list")[1]), "bc");
    assert_eq!(slice(&flow.node), "{k: [1, 2] }");
    assert_eq!(slice(flow.node.get("k").expect("k")), "[1, 2]");
    assert_eq!(flow.key.line, 7);
}

#[test]
fn syntax_errors_say_what_and_where() {
    for (text, line, column, expected) in [
        ("a:\n\tb: 1\n", 2, 1, "tabs cannot indent"),
        ("a: @b\n", 1, 4, "a value cannot start with `@`"),
        ("a: b: c\n", 1, 5, "a `key: value` is not allowed here"),
        (
            "a:\n b: 1\n  c: 2\n",
            3,
            4,
            "a `key: value` is not allowed here",
        ),
        ("a: 'b\n", 1, 4, "the quote is never closed"),
        ("a: [b, c\nd: 1\n", 2, 2, "expected `,` or `]` here"),
        ("a: - b\n", 1, 4, "a list item is not allowed here"),
        ("a:\n- b\n-c\n", 3, 3, "expected `:` after this key"),
        ("a: *\n", 1, 5, "expected a name after `*`"),
        (
            "a: \"\\q\"\n",
            1,
            5,
            "unknown escape in a double-quoted text",
        ),
        (
            "a: \u{1}\n",
            1,
            4,
            "control character U+0001 is not allowed",
        ),
        ("a: |\n  x\n y\n", 3, 2, "expected a `key: value` here"),
        (
            "a: [\"!x,\", a, !reset, b]\n",
            1,
            15,
            "a tag must not run into a comma",
        ),
    ] {
        let found = problem(text);
        assert_eq!(found.message, expected, "{text:?}");
        let span = found.span.expect("a place");
        assert_eq!((span.line, span.column), (line, column), "{text:?}");
    }
}

#[test]
fn long_keys_are_rejected() {
    assert_eq!(shown(&format!("{}: 1", "k".repeat(1024))).len(), 1024 + 6);
    assert_eq!(
        message(&format!("{}: 1", "k".repeat(1025))),
        "a `key: value` is not allowed here"
    );
}

#[test]
fn the_text_may_end_without_a_line_break() {
    assert_eq!(shown("a: |\n  x"), "{a: \"x\"}");
    assert_eq!(shown("a: |+\n  x\n\n  "), "{a: \"x\\n\\n\"}");
    assert_eq!(shown("a: |-\n  x"), "{a: \"x\"}");
    assert_eq!(shown("a: |+\n  x"), "{a: \"x\"}");
    assert_eq!(shown("a: |\n  x\n  "), "{a: \"x\\n\"}");
    assert_eq!(shown("a: >\n  x\n"), "{a: \"x\\n\"}");
    assert_eq!(shown("a: |\n x\n  "), "{a: \"x\\n \"}");
    assert_eq!(shown("a: |\n  x \n  "), "{a: \"x \\n\"}");
    assert_eq!(message("\"\\"), "the quote is never closed");
    assert_eq!(shown("a: |\n  C:\\"), "{a: \"C:\\\\\"}");
    assert_eq!(shown("a: C:\\"), "{a: \"C:\\\\\"}");
}

#[test]
fn bombs_are_defused_fast() {
    // Unoptimised, the deepest nesting allowed takes more stack than the thread of a test has;
    // this is what the program's own has.
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    let defused = thread.spawn(defuse_bombs).expect("a thread");
    assert!(defused.join().is_ok());
}

fn defuse_bombs() {
    let started = Instant::now();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        writeln!(bomb, "a{level}: &a{level} [{below}]").expect("text grows");
    }
    assert_eq!(message(&bomb), "aliases expand to more than 64 MiB");
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(1 << 20),
        "*a, ".repeat(1000)
    );
    assert_eq!(message(&long), "aliases expand to more than 64 MiB");
    assert_eq!(
        message(&"--- a\n".repeat(5000)),
        "file has more than 4096 documents"
    );
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "? [".repeat(100_000),
    ] {
        assert_eq!(message(&deep), "nesting is deeper than 200 levels");
    }
    assert_eq!(
        message(&"a,".repeat(5 << 20)),
        "file is too large: 10 MiB, at most 8 MiB can be read"
    );
    assert!(started.elapsed() < Duration::from_secs(20), "too slow");
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let text = format!("{}{}", "[".repeat(200), "]".repeat(200));
    documents(&text);
}

fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a: ".to_owned()),
        Just("\n".to_owned()),
        Just("  ".to_owned()),
        Just("- ".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just(", ".to_owned()),
        Just("&x ".to_owned()),
        Just("*x ".to_owned()),
        Just("<<: ".to_owned()),
        Just("!reset ".to_owned()),
        Just("!!int ".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("|\n".to_owned()),
        Just("? ".to_owned()),
        Just("#".to_owned()),
        Just("---\n".to_owned()),
        Just("%TAG ! x\n".to_owned()),
        Just("\\".to_owned()),
        Just("\t".to_owned()),
        Just("\r".to_owned()),
        Just("é".to_owned()),
        "[0-9_.:+xob-]{1,8}",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), yaml_like()]) {
        if let Err(problems) = super::parse(source(), &text) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn places_are_inside_the_text(text in yaml_like()) {
        fn check(node: &Node, text: &str) -> bool {
            let span = node.span;
            text.get(span.start as usize..span.end as usize).is_some()
                && match &node.value {
                    Value::Seq(items) => items.iter().all(|item| check(item, text)),
                    Value::Map(map) => map.values().all(|entry| check(&entry.node, text)),
                    _ => true,
                }
        }
        if let Ok(documents) = super::parse(source(), &text) {
            prop_assert!(documents.iter().all(|node| check(node, &text)));
        }
    }
}
