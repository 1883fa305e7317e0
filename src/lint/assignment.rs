//! Names with values: variables, build arguments and labels, in either of their forms.

use super::input::Input;
use super::walk::{self, Visit};
use crate::compose::node::Node;
use crate::compose::{Span, scalar_text};

/// Mappings or lists of names with values that reach a container, a build or an image.
const PLACES: &[&[&str]] = &[
    &["services", "*", "environment"],
    &["services", "*", "build", "args"],
    &["services", "*", "build", "labels"],
    &["services", "*", "deploy", "labels"],
    &["services", "*", "labels"],
    &["services", "*", "annotations"],
    &["services", "*", "post_start", "*", "environment"],
    &["services", "*", "pre_start", "*", "environment"],
    &["services", "*", "pre_stop", "*", "environment"],
];

/// One name with its value, as it was written.
pub(super) struct Assignment<'a> {
    /// The name.
    pub(super) name: &'a str,
    /// The value, not substituted.
    pub(super) value: String,
    /// The place of the value.
    pub(super) span: Span,
    /// Whether it is an item `NAME=value` of a list.
    pub(super) in_list: bool,
    /// Whether it is a label or an annotation.
    pub(super) is_label: bool,
}

/// Every name with a value in the project's documents.
pub(super) fn all<'a>(input: &Input<'a>) -> Vec<Assignment<'a>> {
    let mut found = Vec::new();
    for document in &input.written.documents {
        walk::walk(document, &mut |visit| {
            if visit.is_any(PLACES) {
                collect(input, visit, &mut found);
            }
        });
    }
    found
}

fn collect<'a>(input: &Input<'a>, visit: &Visit<'_, 'a>, found: &mut Vec<Assignment<'a>>) {
    let is_label = matches!(visit.path.last(), Some(&("labels" | "annotations")));
    if let Some(map) = visit.node.as_map() {
        found.extend(map.iter().filter_map(|(name, entry)| {
            Some(Assignment {
                name,
                value: scalar_text(&entry.node.value)?,
                span: entry.node.span,
                in_list: false,
                is_label,
            })
        }));
    }
    for item in visit.node.as_seq().unwrap_or_default() {
        let assignment = item.as_str().and_then(|text| text.split_once('='));
        if let Some((name, value)) = assignment {
            found.push(Assignment {
                name,
                value: value.to_owned(),
                span: behind_equals(input, item),
                in_list: true,
                is_label,
            });
        }
    }
}

/// The place of the value in an item `NAME=value`.
fn behind_equals(input: &Input<'_>, item: &Node) -> Span {
    let span = item.span;
    let written = input.text(span);
    let Some(at) = written.find('=') else {
        return span;
    };
    let quoted = written.starts_with(['"', '\'']) && written.len() > at + 1;
    let end = written.len() - usize::from(quoted);
    input.inside(span, at + 1..end.max(at + 1))
}
