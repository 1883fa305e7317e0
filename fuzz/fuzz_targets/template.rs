//! Templates: text without `$` stays, doubled dollars come out single, listing never fails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::compose::emit::escape_dollars;
use rcompose_fuzz::compose::template::{substitute, variables};

fn lookup(name: &str) -> Option<String> {
    match name {
        "A" => Some("value".to_owned()),
        "B" => Some(String::new()),
        "C" => Some("${A}$".to_owned()),
        _ => None,
    }
}

fuzz_target!(|text: &str| {
    let mut unset = Vec::new();
    let result = substitute(text, &lookup, &mut |name| unset.push(name.to_owned()));
    for name in &unset {
        assert!(lookup(name).is_none(), "{name} is set");
    }
    if !text.contains('$') {
        assert_eq!(result.as_deref(), Ok(text));
    }
    if let Err(error) = &result {
        assert!(text.get(error.range.clone()).is_some(), "a place outside the text");
        assert!(!error.to_string().is_empty());
    }
    for used in variables(text) {
        assert!(text[used.range].starts_with('$'));
    }
    let escaped = escape_dollars(text);
    assert_eq!(substitute(&escaped, &lookup, &mut |_| {}).as_deref(), Ok(text));
});
