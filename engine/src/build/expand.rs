//! Variables and quotes in a Dockerfile's words.

use std::iter::Peekable;
use std::str::Chars;

use super::pattern::Pattern;

/// What a name stands for; `None` where it is not set.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// How words are read.
#[derive(Clone, Copy)]
pub(super) struct Expander<'a> {
    /// What takes the meaning of the letter that follows.
    pub(super) escape: char,
    /// Values of variables.
    pub(super) lookup: &'a Lookup<'a>,
    /// Whether quotes stay as they are.
    keeps_quotes: bool,
}

/// The letters of a word that are still to be read.
type Letters<'a> = Peekable<Chars<'a>>;

impl<'a> Expander<'a> {
    /// Reads words of an instruction with this escape.
    pub(super) fn new(escape: char, lookup: &'a Lookup<'a>) -> Self {
        Self {
            escape,
            lookup,
            keeps_quotes: false,
        }
    }

    /// Reads the text of here-documents, in which quotes are letters as others.
    pub(super) fn of_text(lookup: &'a Lookup<'a>) -> Self {
        Self {
            escape: '\\',
            lookup,
            keeps_quotes: true,
        }
    }

    /// Splits at spaces outside of quotes, replaces variables, and takes quotes and escapes away.
    pub(super) fn words(&self, text: &str) -> Result<Vec<String>, String> {
        let words = raw_words(text, self.escape);
        words.iter().map(|raw| self.word(raw)).collect()
    }

    /// One word: variables replaced, quotes and escapes taken away.
    pub(super) fn word(&self, text: &str) -> Result<String, String> {
        self.until(&mut text.chars().peekable(), None, false)
    }

    /// Reads up to `stop`, which is read too, or to the end.
    fn until(
        &self,
        letters: &mut Letters<'_>,
        stop: Option<char>,
        keeps_escapes: bool,
    ) -> Result<String, String> {
        let mut out = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                letter if Some(letter) == stop => return Ok(out),
                '\'' if !self.keeps_quotes => single_quoted(letters, &mut out)?,
                '"' if !self.keeps_quotes => self.double_quoted(letters, &mut out)?,
                '$' => out.push_str(&self.variable(letters)?),
                letter if letter == self.escape => {
                    if keeps_escapes {
                        out.push(letter);
                    }
                    out.extend(letters.next());
                }
                letter => out.push(letter),
            }
        }
        match stop {
            None => Ok(out),
            Some(stop) => Err(format!("syntax error: missing '{stop}'")),
        }
    }

    fn double_quoted(&self, letters: &mut Letters<'_>, out: &mut String) -> Result<(), String> {
        loop {
            match letters.next().ok_or("a double quote is not closed")? {
                '"' => return Ok(()),
                '$' => out.push_str(&self.variable(letters)?),
                letter if letter == self.escape => {
                    let is_escaped =
                        |next: &char| matches!(next, '"' | '$') || *next == self.escape;
                    out.push(letters.next_if(is_escaped).unwrap_or(letter));
                }
                letter => out.push(letter),
            }
        }
    }

    /// What stands for a variable whose dollar is read.
    fn variable(&self, letters: &mut Letters<'_>) -> Result<String, String> {
        if letters.next_if_eq(&'{').is_none() {
            let name = name(letters);
            return Ok(if name.is_empty() {
                "$".to_owned()
            } else {
                (self.lookup)(&name).unwrap_or_default()
            });
        }
        if matches!(letters.peek(), Some('{' | '}' | ':')) {
            return Err("syntax error: bad substitution".to_owned());
        }
        let name = name(letters);
        let missing = || "syntax error: missing '}'".to_owned();
        let operator = letters.next().ok_or_else(missing)?;
        let value = (self.lookup)(&name);
        match operator {
            '}' => Ok(value.unwrap_or_default()),
            ':' => {
                let operator = letters.next().ok_or_else(missing)?;
                let value = value.filter(|value| !value.is_empty());
                self.default(letters, &name, value, (operator, "empty"))
            }
            '-' | '+' | '?' => self.default(letters, &name, value, (operator, "unset")),
            '#' | '%' => {
                let is_longest = letters.next_if_eq(&operator).is_some();
                let pattern = Pattern::new(&self.until(letters, Some('}'), true)?);
                let value = value.unwrap_or_default();
                Ok(if operator == '#' {
                    pattern.without_prefix(&value, is_longest)
                } else {
                    pattern.without_suffix(&value, is_longest)
                })
            }
            '/' => {
                let is_every = letters.next_if_eq(&'/').is_some();
                let pattern = Pattern::new(&self.until(letters, Some('/'), true)?);
                let replacement = self.until(letters, Some('}'), true)?;
                Ok(pattern.replace(&value.unwrap_or_default(), &replacement, is_every))
            }
            other => Err(format!("unsupported modifier ({other}) in substitution")),
        }
    }

    /// `${NAME-word}`, `${NAME+word}` and `${NAME?message}`; `value` is none where the word counts.
    fn default(
        &self,
        letters: &mut Letters<'_>,
        name: &str,
        value: Option<String>,
        (operator, lacking): (char, &str),
    ) -> Result<String, String> {
        if !matches!(operator, '-' | '+' | '?') {
            return Err(format!(
                "unsupported modifier (:{operator}) in substitution"
            ));
        }
        let word = self.until(letters, Some('}'), false)?;
        match (operator, value) {
            ('-', None) | ('+', Some(_)) => Ok(word),
            ('+', None) => Ok(String::new()),
            ('?', None) if word.is_empty() => {
                Err(format!("{name}: is not allowed to be {lacking}"))
            }
            ('?', None) => Err(format!("{name}: {word}")),
            (_, value) => Ok(value.unwrap_or_default()),
        }
    }
}

fn single_quoted(letters: &mut Letters<'_>, out: &mut String) -> Result<(), String> {
    loop {
        match letters.next().ok_or("a single quote is not closed")? {
            '\'' => return Ok(()),
            letter => out.push(letter),
        }
    }
}

/// A variable's name: one of the shell's own parameters, digits, or letters.
fn name(letters: &mut Letters<'_>) -> String {
    let is_special =
        |letter: &char| matches!(letter, '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0');
    if let Some(letter) = letters.next_if(is_special) {
        return letter.to_string();
    }
    let is_digits = letters.peek().is_some_and(char::is_ascii_digit);
    let is_name = |letter: &char| {
        letter.is_ascii_digit() || (!is_digits && (letter.is_alphanumeric() || *letter == '_'))
    };
    let mut name = String::new();
    while let Some(letter) = letters.next_if(is_name) {
        name.push(letter);
    }
    name
}

/// Words with their quotes.
pub(super) fn raw_words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut current = String::new();
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            letter if letter == escape && quote != Some('\'') => {
                // At the end of everything it means nothing.
                if let Some(next) = letters.next() {
                    current.extend([letter, next]);
                }
                continue;
            }
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            letter if letter.is_whitespace() && quote.is_none() => {
                if !current.is_empty() {
                    words.push(std::mem::take(&mut current));
                }
                continue;
            }
            _ => {}
        }
        current.push(letter);
    }
    if !current.is_empty() {
        words.push(current);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let known = HashMap::from([("a", "1"), ("empty", ""), ("path", "one/two/one.tar.gz")]);
        let lookup = |name: &str| known.get(name).map(|value| (*value).to_owned());
        Expander::new('\\', &lookup).word(text)
    }

    #[test]
    fn variables_are_replaced() {
        for (text, expected) in [
            ("$a-${a}", "1-1"),
            ("'$a'", "$a"),
            ("\"$a b\"", "1 b"),
            ("\"\\a\\$\\\"\"", "\\a$\""),
            ("\\$a", "$a"),
            ("$", "$"),
            ("$1x$-", "x"),
            ("${empty:-x}", "x"),
            ("${empty-x}", ""),
            ("${none-x}", "x"),
            ("${a:+yes}", "yes"),
            ("${none:+yes}", ""),
            ("${empty+yes}", "yes"),
            ("${none:-${a}}", "1"),
            ("${none:-'}'}", "}"),
            ("${path#*/}", "two/one.tar.gz"),
            ("${path##*/}", "one.tar.gz"),
            ("${path%.*}", "one/two/one.tar"),
            ("${path%%.*}", "one/two/one"),
            ("${path%none}", "one/two/one.tar.gz"),
            ("${path/one/1}", "1/two/one.tar.gz"),
            ("${path//one/1}", "1/two/1.tar.gz"),
            ("${path/t?o/}", "one//one.tar.gz"),
            ("${path//\\//-}", "one-two-one.tar.gz"),
            ("${none/x/y}", ""),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for (text, message) in [
            ("${a", "missing '}'"),
            ("'a", "single quote"),
            ("\"a", "double quote"),
            ("${}", "bad substitution"),
            ("${a^}", "unsupported modifier (^)"),
            ("${a:#x}", "unsupported modifier (:#)"),
            ("${a/x}", "missing '/'"),
            ("${none:?say so}", "none: say so"),
            ("${empty:?}", "empty: is not allowed to be empty"),
            ("${none?}", "none: is not allowed to be unset"),
        ] {
            let error = expanded(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn another_escape_leaves_the_backslash_alone() {
        let lookup = |_: &str| Some("x".to_owned());
        let expander = Expander::new('`', &lookup);
        let words = expander.words("C:\\a `$b \"`\"\\\" $c").unwrap();
        assert_eq!(words, ["C:\\a", "$b", "\"\\", "x"]);
        assert_eq!(
            Expander::of_text(&lookup).word("it's \"$a\"").unwrap(),
            "it's \"x\""
        );
    }
}
