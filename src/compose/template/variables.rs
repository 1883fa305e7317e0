//! Listing the variables of a template, for `config --variables`.

use std::ops::Range;

use super::syntax::{Operator, Piece, pieces};

/// How deep templates may nest; what is deeper is not listed.
const MAX_DEPTH: usize = 64;

/// One use of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableUse {
    /// The variable.
    pub name: String,
    /// The text behind `-` or `:-`, not substituted.
    pub default: Option<String>,
    /// The text behind `+` or `:+`, not substituted.
    pub alternate: Option<String>,
    /// Whether an empty value counts as unset (the operator has a colon).
    pub colon: bool,
    /// Whether it must have a value.
    pub required: bool,
    /// Where, in bytes from the start of the template.
    pub range: Range<usize>,
}

/// The variables of `text` in order, those of nested templates behind the one they are in.
pub fn variables(text: &str) -> Vec<VariableUse> {
    let mut uses = Vec::new();
    collect(text, 0, 0, &mut uses);
    uses
}

fn collect(text: &str, offset: usize, depth: usize, uses: &mut Vec<VariableUse>) {
    if depth > MAX_DEPTH {
        return;
    }
    for piece in pieces(text, offset) {
        let Piece::Variable {
            name,
            operation,
            range,
        } = piece
        else {
            continue;
        };
        let text_of = |operator| {
            let operation = operation.as_ref()?;
            (operation.operator == operator).then(|| operation.text.to_owned())
        };
        uses.push(VariableUse {
            name: name.to_owned(),
            colon: operation.as_ref().is_some_and(|operation| operation.colon),
            default: text_of(Operator::Default),
            alternate: text_of(Operator::Alternate),
            required: text_of(Operator::Required).is_some(),
            range,
        });
        if let Some(operation) = operation.filter(|it| it.operator != Operator::Required) {
            collect(operation.text, operation.start, depth + 1, uses);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_variables_follow_the_one_they_are_in() {
        let uses = variables("a ${A:-${B:-c}} $$D ${E:?no ${X}} ${F+f}");
        let names: Vec<_> = uses.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "E", "F"]);
        assert_eq!(uses[0].default.as_deref(), Some("${B:-c}"));
        assert!(uses[2].required);
        assert_eq!(uses[3].alternate.as_deref(), Some("f"));
    }
}
