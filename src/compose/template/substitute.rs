//! Replacing variables by their values.

use std::ops::Range;

use super::syntax::{Operation, Operator, Piece, pieces};

/// How deep templates may nest; bounds the stack.
const MAX_DEPTH: usize = 64;

/// Longest text that variables may make of a template, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// How much of a bad template a message shows, in characters.
const SHOWN: usize = 60;

/// A template that cannot be substituted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct TemplateError {
    /// What is wrong.
    pub kind: TemplateErrorKind,
    /// Where, in bytes from the start of the template.
    pub range: Range<usize>,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateErrorKind {
    /// `${` without a valid variable behind it.
    #[error("invalid interpolation format `{}`", shortened(.0))]
    Invalid(String),
    /// `${NAME:?reason}` or `${NAME?reason}` and the variable has no value.
    #[error("required variable {name} is missing a value{}", reason_suffix(.reason))]
    Required {
        /// The variable.
        name: String,
        /// The text behind the `?`, substituted; may be empty.
        reason: String,
    },
    /// Defaults inside defaults beyond the limit.
    #[error("variables are nested too deeply: the limit is {MAX_DEPTH} levels")]
    TooDeep,
    /// The values of the variables are too much together.
    #[error("variables make the text longer than {} MiB", MAX_BYTES >> 20)]
    TooLong,
}

fn shortened(template: &str) -> String {
    match template.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &template[..end]),
        None => template.to_owned(),
    }
}

fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

/// Replaces every variable of `text` by the value that `lookup` gives. `unset` is told the name of
/// each variable that has neither a value nor an operator and so becomes empty.
///
/// # Errors
///
/// The first place that is no valid template, or whose required variable has no value.
pub fn substitute(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    unset: &mut dyn FnMut(&str),
) -> Result<String, TemplateError> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    Substitution {
        text,
        lookup,
        unset,
    }
    .template(text, 0, 0)
}

struct Substitution<'a> {
    /// The whole template.
    text: &'a str,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: &'a mut dyn FnMut(&str),
}

impl Substitution<'_> {
    fn template(
        &mut self,
        text: &str,
        offset: usize,
        depth: usize,
    ) -> Result<String, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError {
                kind: TemplateErrorKind::TooDeep,
                range: offset..offset + text.len(),
            });
        }
        let mut result = String::with_capacity(text.len());
        for piece in pieces(text, offset) {
            match piece {
                Piece::Literal(text) => result.push_str(text),
                Piece::Dollar => result.push('$'),
                Piece::Invalid { range } => {
                    let template = self.text[range.clone()].to_owned();
                    return Err(TemplateError {
                        kind: TemplateErrorKind::Invalid(template),
                        range,
                    });
                }
                Piece::Variable {
                    name,
                    operation: Some(operation),
                    range,
                } => result.push_str(&self.operate(name, &operation, range, depth)?),
                Piece::Variable { name, .. } => match (self.lookup)(name) {
                    Some(value) => result.push_str(&value),
                    None => (self.unset)(name),
                },
            }
            if result.len() > MAX_BYTES {
                return Err(TemplateError {
                    kind: TemplateErrorKind::TooLong,
                    range: offset..offset + text.len(),
                });
            }
        }
        Ok(result)
    }

    fn operate(
        &mut self,
        name: &str,
        operation: &Operation<'_>,
        range: Range<usize>,
        depth: usize,
    ) -> Result<String, TemplateError> {
        // The text is substituted even where it is not used, so that a bad template in it never hides.
        let text = self.template(operation.text, operation.start, depth + 1)?;
        let value = (self.lookup)(name);
        let present = value
            .as_ref()
            .is_some_and(|value| !operation.colon || !value.is_empty());
        match (operation.operator, present) {
            (Operator::Default, false) | (Operator::Alternate, true) => Ok(text),
            (Operator::Required, false) => Err(TemplateError {
                kind: TemplateErrorKind::Required {
                    name: name.to_owned(),
                    reason: text,
                },
                range,
            }),
            _ => Ok(value.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "FOO" => Some("first".into()),
            "BAR" => Some(String::new()),
            "JSON" => Some("{\"json\":2}".into()),
            _ => None,
        }
    }

    fn value(text: &str) -> Result<String, TemplateError> {
        substitute(text, &lookup, &mut |_| {})
    }

    #[test]
    fn variables_and_operators() {
        for (text, expected) in [
            ("$${foo}", "${foo}"),
            ("a$ $ b $(cmd)", "a$ $ b $(cmd)"),
            ("$FOO-bar", "first-bar"),
            ("${missing-def}", "def"),
            ("${A:+${A},}B", "B"),
            ("${BAR-def}", ""),
            ("${BAR:-def}", "def"),
            ("${BAR:+x}", ""),
            ("${BAR+x}", "x"),
            ("${BAR:-/non:-alphanumeric}", "/non:-alphanumeric"),
            ("${BAR+$FOO ${FOO:+second}}", "first second"),
            ("${missing-{\"json\":1}}", "{\"json\":1}"),
            ("${JSON:-{\"json\":1}}", "{\"json\":2}"),
            ("${FOO-baz} }}}", "first }}}"),
            ("{{{ ${FOO:?foo} ${BAR:-V} }}}", "{{{ first V }}}"),
            ("${X:-${BAR:-x}_${BAR:-y}}", "x_y"),
            ("${X:--}", "-"),
            ("${X:-$$x}", "$x"),
            ("${X:-$}", "$"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_is_an_error_with_its_place() {
        for text in [
            "${",
            "${}",
            "${ }",
            "${foo }",
            "${FOO!}",
            "${FOO[0]}",
            "${FOO:=x}",
            "${1}",
            "${V.x}",
            "${X:-${}}",
            "${A:-${B}",
            "${FOO,,}",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
        assert_eq!(value("ab ${X:-${}}").unwrap_err().range, 8..11);
    }

    #[test]
    fn an_expression_ends_on_its_line_and_a_pair_of_braces_stays_open() {
        assert_eq!(value("${X:-{}}").as_deref(), Ok("{}"));
        assert_eq!(value("${X:-a}\n${X:-b}").as_deref(), Ok("a\nb"));
        assert!(value("${X:-a\nb}").is_err());
        assert!(value("${X:-{}} ${X:-y}").is_err());
    }

    #[test]
    fn a_required_variable_names_its_reason() {
        let message = |text| value(text).unwrap_err().to_string();
        assert_eq!(
            message("${X?Mandatory ${FOO}}"),
            "required variable X is missing a value: Mandatory first"
        );
        assert_eq!(
            message("${BAR:?}"),
            "required variable BAR is missing a value"
        );
        assert_eq!(value("${BAR?}").as_deref(), Ok(""));
    }

    #[test]
    fn unset_variables_are_reported_once_for_each_use() {
        let mut names = Vec::new();
        let result = substitute("$A ${B} ${C:-x} $A", &lookup, &mut |name| {
            names.push(name.to_owned());
        });
        assert_eq!(result.as_deref(), Ok("  x "));
        assert_eq!(names, ["A", "B", "A"]);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[${}A:?+\\-é ]{0,40}") {
            let _ = value(&text);
            let _ = super::super::variables(&text);
        }
    }
}
