use super::parse;
use crate::compose::diagnostic::Diagnostic;
use crate::compose::node::{Directive, Node, Value};
use crate::compose::source::{Source, SourceMap};

fn read(text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let id = SourceMap::default().add(Source {
        name: "compose.yaml".into(),
        text: text.into(),
        parent: None,
    });
    parse(id, text)
}

fn one(text: &str) -> Node {
    read(text).unwrap().remove(0)
}

fn problems(text: &str) -> Vec<String> {
    let diagnostics = read(text).unwrap_err();
    diagnostics
        .into_iter()
        .map(|diagnostic| {
            let place = diagnostic.span.map_or(String::new(), |span| {
                format!("{}:{}: ", span.line, span.column)
            });
            format!("{place}{}", diagnostic.message)
        })
        .collect()
}

#[test]
fn values_and_keys_know_their_places() {
    let text = "a:\n  bé: [x, 'y z']\n";
    let node = one(text);
    let entry = &node.get("a").unwrap().as_map().unwrap()["bé"];
    assert_eq!((entry.key.line, entry.key.column), (2, 3));
    let item = &entry.node.as_seq().unwrap()[1];
    assert_eq!((item.span.line, item.span.column), (2, 11));
    assert_eq!(
        &text[item.span.start as usize..item.span.end as usize],
        "'y z'"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text = "\u{feff}a: 1\r\nb: x\r\n";
    let node = one(text);
    let span = node.get("b").unwrap().span;
    assert_eq!(&text[span.start as usize..span.end as usize], "x");
}

#[test]
fn merge_keys_give_way_to_explicit_and_earlier_ones() {
    let node = one("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  c: 3\n  <<: [*x, *y]\n");
    let z = node.get("z").unwrap();
    let value = |key| z.get(key).map(|node| node.value.clone());
    assert_eq!(value("a"), Some(Value::Int(1)));
    assert_eq!(value("b"), Some(Value::Int(1)));
    assert_eq!(value("c"), Some(Value::Int(3)));
    assert!(one("'<<': 1").get("<<").is_some());
}

#[test]
fn directives_stay_on_their_nodes() {
    let node = one("a: !reset null\nb: !override [1]\nc: !other x\n");
    assert_eq!(node.get("a").unwrap().directive, Some(Directive::Reset));
    assert_eq!(node.get("b").unwrap().directive, Some(Directive::Override));
    assert_eq!(node.get("c").unwrap().directive, None);
}

#[test]
fn every_bad_key_is_reported() {
    assert_eq!(
        problems("a: 1\nb: {1: x}\na: 2\n"),
        [
            "2:5: non-string key: 1",
            "3:1: mapping key \"a\" already defined at line 1"
        ]
    );
}

#[test]
fn anchors_end_with_their_document() {
    assert_eq!(
        problems("a: &x 1\n---\nb: *x\n"),
        ["3:4: unknown anchor `x`"]
    );
    assert_eq!(
        problems("a: &x\n  b: *x\n"),
        ["2:6: cycle detected: `*x` stands inside `&x`"]
    );
    assert_eq!(
        one("a: &x 1\nb: &x 2\nc: *x\n").get("c").unwrap().value,
        Value::Int(2)
    );
}

#[test]
fn syntax_errors_have_a_place_and_a_remedy() {
    let diagnostics = read("services:\n\tweb: x\n").unwrap_err();
    assert_eq!(diagnostics[0].span.unwrap().line, 2);
    assert!(diagnostics[0].help.is_some());
    assert_eq!(
        problems("%YAML 1.2\n---\na: 1\n"),
        ["1:1: only version 1.1 of YAML is supported"]
    );
}

#[test]
fn hostile_files_fail_quickly() {
    let deep = format!("a: {}", "[".repeat(100_000));
    assert_eq!(
        problems(&deep),
        ["1:259: nested too deeply: the limit is 256 levels"]
    );
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        bomb += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
    }
    assert!(problems(&bomb)[0].ends_with("aliases expand to more than 500000 values"));
}
