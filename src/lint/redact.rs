//! Sources without the secrets in them, so that showing a line never gives one away.

use std::ops::Range;

use super::assignment;
use super::input::Input;
use super::rules::dollar_in_env_file::values;
use super::secret;
use super::walk;
use crate::compose::source::Source;
use crate::compose::{SourceMap, Span};

/// The sources with every secret overwritten by `*`. Places stay what they are.
pub fn redacted(input: &Input<'_>) -> SourceMap {
    let mut ranges = Vec::new();
    let secret_value = |name: &str, value: &str| secret::is_name(name) && secret::is_value(value);
    for assignment in assignment::all(input) {
        if secret_value(assignment.name, &assignment.value) {
            ranges.push(assignment.span);
        }
    }
    for document in &input.written.documents {
        walk::walk(document, &mut |visit| {
            let text = visit.node.as_str().unwrap_or_default();
            let span = visit.node.span;
            if secret::in_text(text).is_some() {
                ranges.push(span);
            }
            let passwords = secret::passwords_in_urls(input.text(span));
            ranges.extend(passwords.into_iter().map(|range| input.inside(span, range)));
        });
    }
    for file in &input.written.env_files {
        for value in values(input, file) {
            if secret_value(&value.name, value.text) || secret::in_text(value.text).is_some() {
                ranges.push(value.span);
            }
            let passwords = secret::passwords_in_urls(value.text);
            let places = passwords.into_iter();
            ranges.extend(places.map(|range| input.inside(value.span, range)));
        }
    }
    overwrite(input.sources(), &ranges)
}

fn overwrite(sources: &SourceMap, places: &[Span]) -> SourceMap {
    let mut result = SourceMap::default();
    for (id, source) in sources.entries() {
        let ranges: Vec<Range<usize>> = places
            .iter()
            .filter(|place| place.source == id)
            .map(|place| place.start as usize..place.end as usize)
            .collect();
        result.add(Source {
            text: stars(&source.text, &ranges).into(),
            ..source.clone()
        });
    }
    result
}

/// The text with the ranges overwritten, byte for byte. What shapes a value stays: quotes, blanks,
/// line breaks and variables.
fn stars(text: &str, ranges: &[Range<usize>]) -> String {
    let hidden = |at: usize| ranges.iter().any(|range| range.contains(&at));
    let mut result = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c.is_whitespace() || matches!(c, '$' | '"' | '\'' | '|' | '>') || !hidden(at) {
            result.push(c);
        } else {
            result.extend(std::iter::repeat_n('*', c.len_utf8()));
        }
    }
    result
}
