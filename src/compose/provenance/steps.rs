//! Paths of the model, as this room needs them: owned, with the number of list elements.

use std::fmt::Write as _;

use crate::compose::path::ITEM;

/// One step from a value to one in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An element of a list, counted from 0, and its text where it is text.
    Index(usize, Option<String>),
}

/// The keys of the steps; elements of lists all have the same.
pub(super) fn keys(steps: &[Step]) -> Vec<&str> {
    steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(..) => ITEM,
        })
        .collect()
}

/// The path as a question names it: `services.web.labels."a.b"`.
pub(super) fn shown(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Index(index, _) => write!(text, "[{index}]"),
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                if key.is_empty() || key.contains(['.', '[', '"', ' ']) {
                    write!(text, "\"{key}\"")
                } else {
                    write!(text, "{key}")
                }
            }
        };
    }
    text
}
