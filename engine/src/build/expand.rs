//! Variables and quotes in a Dockerfile's words.

use std::iter::Peekable;
use std::str::Chars;

/// Splits at spaces outside of quotes, replaces variables, and takes quotes and escapes away.
pub(super) fn words(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    for raw in raw_words(text) {
        words.push(word(&raw, lookup)?);
    }
    Ok(words)
}

/// One word: variables replaced, quotes and escapes taken away.
pub(super) fn word(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => loop {
                match letters.next() {
                    Some('\'') => break,
                    Some(letter) => out.push(letter),
                    None => return Err("a quote is not closed".to_owned()),
                }
            },
            '"' => loop {
                match letters.next() {
                    Some('"') => break,
                    Some('\\') => match letters.next() {
                        Some(letter @ ('"' | '$' | '\\')) => out.push(letter),
                        Some(letter) => out.extend(['\\', letter]),
                        None => return Err("a quote is not closed".to_owned()),
                    },
                    Some('$') => out.push_str(&variable(&mut letters, lookup)?),
                    Some(letter) => out.push(letter),
                    None => return Err("a quote is not closed".to_owned()),
                }
            },
            '\\' => out.extend(letters.next()),
            '$' => out.push_str(&variable(&mut letters, lookup)?),
            letter => out.push(letter),
        }
    }
    Ok(out)
}

/// Words with their quotes.
pub(super) fn raw_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut current = String::new();
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quote != Some('\'') => {
                current.push(letter);
                current.extend(letters.next());
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

/// What stands for `$NAME`, `${NAME}`, `${NAME:-word}` or `${NAME:+word}`; the dollar is read.
fn variable(
    letters: &mut Peekable<Chars<'_>>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let is_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let mut name = String::new();
    if letters.peek() != Some(&'{') {
        while let Some(letter) = letters.next_if(is_name) {
            name.push(letter);
        }
        return Ok(if name.is_empty() {
            "$".to_owned()
        } else {
            lookup(&name).unwrap_or_default()
        });
    }
    letters.next();
    while let Some(letter) = letters.next_if(is_name) {
        name.push(letter);
    }
    let mut rest = String::new();
    let mut depth = 1;
    for letter in letters.by_ref() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        rest.push(letter);
    }
    if depth != 0 || name.is_empty() {
        return Err(format!("bad substitution: ${{{name}{rest}"));
    }
    let value = lookup(&name);
    let full = value.clone().filter(|value| !value.is_empty());
    if let Some(word_text) = rest.strip_prefix(":-") {
        return full.map_or_else(|| word(word_text, lookup), Ok);
    }
    if let Some(word_text) = rest.strip_prefix(":+") {
        return full.map_or_else(|| Ok(String::new()), |_| word(word_text, lookup));
    }
    if let Some(message) = rest.strip_prefix(":?") {
        return full.ok_or_else(|| format!("{name}: {message}"));
    }
    if rest.is_empty() {
        return Ok(value.unwrap_or_default());
    }
    Err(format!("unsupported modifier in ${{{name}{rest}}}"))
}
