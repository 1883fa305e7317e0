//! YAML: what is read is written so that it reads the same again, and places are in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::compose::emit;
use rcompose_fuzz::compose::node::{Node, Value};

fuzz_target!(|text: &str| {
    let Some(documents) = rcompose_fuzz::documents(text) else {
        return;
    };
    for document in documents {
        check_places(&document, text);
        // Compose files are mappings; a text alone may be written as a block without indent.
        if document.as_map().is_none() {
            continue;
        }
        let written = emit::node_yaml(&document);
        let again = rcompose_fuzz::documents(&written)
            .unwrap_or_else(|| panic!("cannot be read again:\n{written}"));
        assert_eq!(again.len(), 1, "one document:\n{written}");
        assert_eq!(
            emit::node_json(&document),
            emit::node_json(&again[0]),
            "means something else:\n{written}"
        );
    }
});

fn check_places(node: &Node, text: &str) {
    let range = node.span.start as usize..node.span.end as usize;
    assert!(text.get(range).is_some(), "a place outside the text");
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| check_places(item, text)),
        Value::Map(map) => map.values().for_each(|entry| check_places(&entry.node, text)),
        _ => {}
    }
}
