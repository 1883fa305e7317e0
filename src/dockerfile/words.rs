//! Words of an instruction: separated by blanks, with quotes and escapes.

use std::ops::Range;

/// A word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The word without its quotes and escapes.
    pub text: String,
    /// Its place in the text it was read from, with its quotes.
    pub range: Range<usize>,
}

/// The words of a text. A quote without an end reaches up to the end.
pub fn words(text: &str, escape: char) -> Vec<Word> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, first)) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
            continue;
        }
        let mut word = Word {
            text: String::new(),
            range: start..text.len(),
        };
        let mut quote = None;
        while let Some(&(at, c)) = chars.peek() {
            if c.is_whitespace() && quote.is_none() {
                word.range.end = at;
                break;
            }
            chars.next();
            if c == escape && quote != Some('\'') {
                word.text.extend(chars.next().map(|(_, next)| next));
            } else if quote == Some(c) {
                quote = None;
            } else if quote.is_none() && matches!(c, '"' | '\'') {
                quote = Some(c);
            } else {
                word.text.push(c);
            }
        }
        found.push(word);
    }
    found
}

/// Names of the variables of a text, `$NAME` and `${NAME…}`, each with whether it has a default.
pub fn variables(text: &str) -> Vec<(&str, bool)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices('$') {
        if text[..at].ends_with('\\') {
            continue;
        }
        let rest = &text[at + 1..];
        let braced = rest.strip_prefix('{');
        let name = braced.unwrap_or(rest);
        let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
        let has_default =
            braced.is_some() && (name[end..].starts_with(":-") || name[end..].starts_with('-'));
        if end > 0 {
            found.push((&name[..end], has_default));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes() {
        let texts = |text| -> Vec<String> {
            let words = words(text, '\\');
            words.into_iter().map(|word| word.text).collect()
        };
        assert_eq!(
            texts(r#" a  b\ c 'd e'f "g \" h" "#),
            ["a", "b c", "d ef", "g \" h"]
        );
        assert_eq!(texts("'open end"), ["open end"]);
        assert_eq!(texts("end\\"), ["end"]);
        assert_eq!(words("é  'b'", '\\')[1].range, 4..7);
        assert_eq!(words("a` b", '`')[0].text, "a b");
    }

    #[test]
    fn names_of_variables() {
        assert_eq!(
            variables("$a-${B:-x}${c} \\$d $1 $"),
            [("a", false), ("B", true), ("c", false), ("1", false)]
        );
    }
}
