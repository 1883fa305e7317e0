//! Env files: read or refused with a place; plain ones as the `dotenvy` crate reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::compose::dotenv::{parse, parse_raw};

fn lookup(name: &str) -> Option<String> {
    (name == "SHELL_SET").then(|| "shell".to_owned())
}

fuzz_target!(|text: &str| {
    let source = rcompose_fuzz::source(text);
    for read in [parse(source, text, &lookup), parse_raw(source, text, &lookup)] {
        match read {
            Ok(variables) => {
                for variable in variables.values() {
                    let range = variable.span.start as usize..variable.span.end as usize;
                    assert!(text.get(range).is_some(), "a place outside the text");
                }
            }
            Err(problem) => assert!(problem.span.is_some(), "no place: {}", problem.message),
        }
    }
    compare(text);
});

/// Writes lines that mean the same in every dialect and reads them with both.
fn compare(text: &str) {
    let mut plain = String::new();
    for (index, line) in text.lines().take(8).enumerate() {
        let value: String = line
            .chars()
            .filter(|char| char.is_ascii_alphanumeric() || "_-./:,+@%^".contains(*char))
            .collect();
        plain.push_str(&match index % 3 {
            0 => format!("K{index}={value}\n"),
            1 => format!("export K{index}='{value} #x'\n"),
            _ => format!("# note\nK{index}=\"{value} x\"\n\n"),
        });
    }
    let ours = parse(rcompose_fuzz::source(&plain), &plain, &|_| None).expect("plain lines");
    let ours: Vec<(String, String)> = ours
        .into_iter()
        .map(|(name, variable)| (name, variable.value.unwrap_or_default()))
        .collect();
    let theirs: Vec<(String, String)> = dotenvy::from_read_iter(plain.as_bytes())
        .map(|item| item.expect("plain lines"))
        .collect();
    assert_eq!(ours, theirs, "{plain}");
}
