//! Here-documents: the lines behind an instruction up to one with the delimiter alone.

use std::ops::Range;

use super::words::words;

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HereDocument {
    /// Its delimiter.
    pub delimiter: String,
    /// The place of its lines, without the delimiter's.
    pub body: Range<usize>,
    /// Whether the whole mark, `<<EOF`, is all that its instruction says.
    pub alone: bool,
}

/// A `<<EOF` in an instruction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) delimiter: String,
    /// `<<-`: tabs in front of the delimiter do not count.
    pub(super) chomp: bool,
    /// Its place in the text of the instruction.
    pub(super) range: Range<usize>,
}

/// The marks of the text of an instruction.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    if !text.contains("<<") {
        return Vec::new();
    }
    words(text, '\\')
        .into_iter()
        .filter_map(|word| mark(text.get(word.range.clone())?, word.range))
        .collect()
}

/// The builder takes whole words only: digits, `<<`, perhaps `-`, and a name without `<`.
fn mark(word: &str, range: Range<usize>) -> Option<Mark> {
    let rest = word
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix("<<")?;
    let (chomp, name) = match rest.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, rest),
    };
    let delimiter = words(name, '\\').pop()?.text;
    (!name.contains('<') && !delimiter.is_empty()).then_some(Mark {
        delimiter,
        chomp,
        range,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_whole_words() {
        let names = |text| -> Vec<(String, bool)> {
            let marks = marks(text).into_iter();
            marks.map(|mark| (mark.delimiter, mark.chomp)).collect()
        };
        assert_eq!(
            names("cat <<A 3<<-'B' >x"),
            [("A".into(), false), ("B".into(), true)]
        );
        for none in [
            "cat <<<word",
            "echo $((1<<2))",
            "[\"<<EOF\"]",
            "a << b",
            "'<<A'",
        ] {
            assert!(marks(none).is_empty(), "{none}");
        }
    }
}
