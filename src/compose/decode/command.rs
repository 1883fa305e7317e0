//! Command lines: lists, or text split as a shell would.

use super::combinators::list;
use super::scalar::text;
use super::{Context, combinators};
use crate::compose::model::ShellCommand;
use crate::compose::node::{Node, Value};

/// `command` and `entrypoint`.
pub(super) fn command<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<ShellCommand> {
    match &node.value {
        Value::Null => Some(None),
        Value::Str(line) => match split(line) {
            Some(words) => Some(Some(words)),
            None => cx.unreadable(
                node,
                "cannot be split into words",
                "close every quote and bracket, or write the words as a list",
            ),
        },
        Value::Seq(_) => combinators::some(list(text))(node, cx),
        _ => cx.wrong_type(node, "a text or a list"),
    }
}

/// `healthcheck.test`: a text is run by the shell of the image.
pub(super) fn test<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<String>> {
    match &node.value {
        Value::Str(line) => Some(vec!["CMD-SHELL".to_owned(), line.clone()]),
        Value::Seq(_) => list(text)(node, cx),
        _ => cx.wrong_type(node, "a text or a list"),
    }
}

/// What the splitter is inside of.
#[derive(Default)]
struct Quotes {
    single: bool,
    double: bool,
    back: bool,
    dollar: bool,
}

impl Quotes {
    fn any(&self) -> bool {
        self.single || self.double || self.back || self.dollar
    }
}

/// Splits a command line as docker compose does: quotes as in a shell, a backslash takes the next
/// character as it is, `$(…)` and backquotes kept whole, and everything from an operator
/// (`;`, `&`, `|`, `<`, `>`) on dropped. `None` where a quote or bracket is not closed.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut started = false;
    let mut escaped = false;
    let mut quotes = Quotes::default();
    for char in line.chars() {
        if escaped {
            word.push(char);
            escaped = false;
            started = true;
            continue;
        }
        match char {
            '\\' if quotes.single => word.push(char),
            '\\' => escaped = true,
            ' ' | '\t' | '\r' | '\n' if quotes.any() => word.push(char),
            ' ' | '\t' | '\r' | '\n' => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            '"' if !quotes.single && !quotes.dollar => {
                started |= quotes.double;
                quotes.double = !quotes.double;
            }
            '\'' if !quotes.double && !quotes.dollar => {
                started |= quotes.single;
                quotes.single = !quotes.single;
            }
            '(' if !quotes.single && !quotes.double && !quotes.back => {
                if quotes.dollar || !word.ends_with('$') {
                    return None;
                }
                quotes.dollar = true;
                word.push(char);
            }
            ';' | '&' | '|' | '<' | '>' if !quotes.any() => {
                // `2>file`: the number belongs to the operator.
                if char == '>' && word.starts_with(|first: char| first.is_ascii_digit()) {
                    started = false;
                }
                break;
            }
            _ => {
                match char {
                    '`' if !quotes.single && !quotes.double && !quotes.dollar => {
                        quotes.back = !quotes.back;
                    }
                    ')' if !quotes.single && !quotes.double && !quotes.back => {
                        quotes.dollar = !quotes.dollar;
                    }
                    _ => {}
                }
                word.push(char);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    (!escaped && !quotes.any()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    fn words(line: &str) -> Vec<String> {
        split(line).expect("splits")
    }

    #[test]
    fn splits_at_blanks_and_keeps_quoted_ones() {
        assert_eq!(
            words("echo  a 'b c' \"d e\"f"),
            ["echo", "a", "b c", "d ef"]
        );
        assert_eq!(words(""), Vec::<String>::new());
        assert_eq!(words("''"), [""]);
        assert_eq!(words(r"a\ b c\td '\t'"), ["a b", "ctd", r"\t"]);
    }

    #[test]
    fn stops_at_operators() {
        assert_eq!(words("a b && c"), ["a", "b"]);
        assert_eq!(words("a|b"), ["a"]);
        assert_eq!(words("a 'x;y' ; b"), ["a", "x;y"]);
        assert_eq!(words("run 2>/dev/null"), ["run"]);
    }

    #[test]
    fn keeps_command_substitution_whole() {
        assert_eq!(words("echo $(date +%s) x"), ["echo", "$(date +%s)", "x"]);
        assert_eq!(words("echo `a b`"), ["echo", "`a b`"]);
    }

    #[test]
    fn refuses_what_is_not_closed() {
        for line in ["'a", "\"a", "a\\", "(a)", "$(a", "`a"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
