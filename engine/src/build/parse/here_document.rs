//! Here-documents: lines after an instruction, up to one with the delimiter alone.

use super::lines::Reader;
use super::wrong;
use crate::build::Failure;
use crate::build::progress::Lines;

/// One here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// The delimiter, without quotes.
    pub(crate) name: String,
    /// The lines as written, each with its end.
    pub(crate) content: String,
    /// Whether variables are replaced in it: the delimiter has no quotes.
    pub(crate) expands: bool,
    /// `<<-`: leading tabs are not part of the lines.
    without_tabs: bool,
}

impl Document {
    /// What is in it, without the tabs that are no part of it.
    pub(crate) fn text(&self) -> String {
        if !self.without_tabs {
            return self.content.clone();
        }
        let lines = self.content.split_inclusive('\n');
        lines.map(|line| line.trim_start_matches('\t')).collect()
    }

    /// The document that a word begins, as `<<EOF`, `<<-EOF` and `3<<"EOF"` do.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let mark = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let after = mark.strip_prefix("<<")?;
        let bare = after.strip_prefix('-').unwrap_or(after);
        let delimiter = bare.trim_start();
        if delimiter.is_empty() || delimiter.contains('<') {
            return None;
        }
        let name: String = delimiter
            .chars()
            .filter(|letter| !matches!(letter, '"' | '\'' | '\\'))
            .collect();
        let is_one_word = !name.is_empty() && !name.contains(char::is_whitespace);
        is_one_word.then(|| Self {
            expands: !delimiter.contains(['"', '\'']),
            name,
            content: String::new(),
            without_tabs: after.starts_with('-'),
        })
    }
}

/// Reads the here-documents of a line from the lines that follow it.
///
/// # Errors
/// 400 for one without an end.
pub(super) fn read(
    line: &str,
    first: usize,
    reader: &mut Reader<'_>,
) -> Result<Vec<Document>, Failure> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let mut documents: Vec<Document> = words(line)
        .iter()
        .filter_map(|word| Document::of(word))
        .collect();
    for document in &mut documents {
        loop {
            let Some(line) = reader.raw() else {
                let lines = Lines {
                    first,
                    last: reader.line(),
                };
                let message = format!("no line ends the here-document {}", document.name);
                return Err(wrong(lines, &message));
            };
            let text = if document.without_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if text.trim_end_matches('\r') == document.name {
                break;
            }
            document.content.push_str(line);
            document.content.push('\n');
        }
    }
    Ok(documents)
}

/// Words with their quotes; spaces may follow `<<`.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quote != Some('\'') => {
                word.push(letter);
                word.extend(letters.next());
                continue;
            }
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            letter if letter.is_whitespace() && quote.is_none() => {
                if !word.ends_with("<<") && !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            _ => {}
        }
        word.push(letter);
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}
