//! Dockerfiles: nothing is too strange to be read, and every place lies in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::dockerfile::{Instruction, locate_step, parse};

fuzz_target!(|text: &str| {
    let file = parse(text);
    for problem in &file.problems {
        assert!(text.get(problem.range.clone()).is_some(), "a place outside the text");
        assert!(!problem.message.is_empty());
    }
    for comment in &file.comments {
        assert!(text[comment.clone()].starts_with('#'));
    }
    let mut end = 0;
    for one in &file.instructions {
        assert!(one.range.start >= end, "instructions overlap");
        end = one.range.end;
        check(text, one);
    }
    for stage in file.stages() {
        assert!(text.get(stage.base.range.clone()).is_some());
        let name = stage.name.map_or_else(|| format!("stage-{}", stage.index), |name| name.text);
        let step = format!("[{name} 1/1] RUN {}", text.lines().next().unwrap_or_default());
        if let Some(place) = locate_step(&file, &step) {
            assert!(text.get(place).is_some());
        }
    }
    let _ = locate_step(&file, text);
});

fn check(text: &str, one: &Instruction) {
    let keyword = &text[one.name.clone()];
    assert!(keyword.len() >= one.keyword.as_str().len());
    assert!(text.get(one.arguments.whole()).is_some());
    for word in one.words() {
        assert!(text.get(word.range).is_some());
    }
    for pair in one.pairs() {
        assert!(text.get(pair.range).is_some() && text.get(pair.value_range).is_some());
    }
    for document in &one.documents {
        assert!(text.get(document.body.clone()).is_some());
    }
    for command in one.commands(text) {
        assert!(text.get(command.whole()).is_some() && text.get(command.place()).is_some());
        assert!(!command.words.is_empty());
    }
}
