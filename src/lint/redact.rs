//! Sources without the secrets in them, so that showing a line never gives one away.

use std::collections::BTreeMap;
use std::ops::Range;

use super::assignment;
use super::input::Input;
use super::rules::dockerfile::secret_text;
use super::rules::dollar_in_env_file::values;
use super::secret;
use super::walk;
use crate::compose::source::{Source, SourceId};
use crate::compose::{SourceMap, Span, template};

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
    for file in input.dockerfiles {
        let secrets = secret_text::secrets(file).into_iter();
        ranges.extend(secrets.flat_map(|range| file.spans(range)));
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
    let mut ranges: BTreeMap<SourceId, Vec<Range<usize>>> = BTreeMap::new();
    for place in places {
        let range = place.start as usize..place.end as usize;
        ranges.entry(place.source).or_default().push(range);
    }
    let mut result = SourceMap::default();
    for (id, source) in sources.entries() {
        let ranges = ranges.remove(&id).unwrap_or_default();
        result.add(Source {
            text: stars(&source.text, ranges).into(),
            ..source.clone()
        });
    }
    result
}

/// The text with the ranges overwritten, byte for byte.
fn stars(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        let start = range.start.max(done);
        let (Some(before), Some(hidden)) = (text.get(done..start), text.get(start..range.end))
        else {
            continue;
        };
        result.push_str(before);
        push_hidden(&mut result, hidden);
        done = range.end;
    }
    result.push_str(&text[done..]);
    result
}

/// A secret without what it is: quotes, blanks, line breaks, dollars and the names of variables
/// stay.
fn push_hidden(result: &mut String, hidden: &str) {
    let names: Vec<Range<usize>> = template::variables(hidden)
        .into_iter()
        .map(|used| {
            let text = used.default.as_ref().or(used.alternate.as_ref());
            // Behind the name, the operator and its text up to the brace.
            let end = text.map_or(used.range.end, |text| used.range.end - 1 - text.len());
            used.range.start..end
        })
        .collect();
    for (at, c) in hidden.char_indices() {
        let is_name = names.iter().any(|range| range.contains(&at));
        if is_name || c.is_whitespace() || matches!(c, '$' | '{' | '}' | '"' | '\'' | '|' | '>') {
            result.push(c);
        } else {
            result.extend(std::iter::repeat_n('*', c.len_utf8()));
        }
    }
}
