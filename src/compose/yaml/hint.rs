//! What is probably wrong with the lines around a syntax error.

use std::ops::Range;

/// A line that is not blank and no comment.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    /// Counted from 1.
    number: usize,
    /// Byte offset of its first character that is no space.
    start: usize,
    /// Spaces in front.
    indent: usize,
    /// The text without the spaces around it.
    text: &'t str,
}

/// The lines of a text up to the one that holds byte `at`, that one last.
fn lines_to(text: &str, at: usize) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let body = raw.trim_start_matches(' ');
        let indent = raw.len() - body.len();
        let content = body.trim_end();
        if !content.is_empty() && !content.starts_with('#') {
            lines.push(Line {
                number: index + 1,
                start: offset + indent,
                indent,
                text: content,
            });
        }
        offset += raw.len();
        if offset > at {
            break;
        }
    }
    lines
}

/// A key in the line above that has no value: where it is, and what to do.
pub(super) fn key_above(text: &str, at: usize) -> Option<(Range<usize>, String)> {
    let lines = lines_to(text, at);
    let [.., above, line] = &lines[..] else {
        return None;
    };
    let key = text.get(line.start..at)?;
    if key.contains(char::is_whitespace) || line.indent != above.indent {
        return None;
    }
    let above_is_key = above.text.contains(": ") || above.text.ends_with(':');
    if above_is_key || above.text.starts_with(['-', '"', '\'', '[', '{', '&', '*']) {
        return None;
    }
    let word = above.text.split([':', ' ']).next().unwrap_or_default();
    let help = if above.text.contains(':') {
        "put a space after `:`".to_owned()
    } else {
        format!("put `:` after `{word}`")
    };
    Some((above.start..above.start + above.text.len(), help))
}

/// The first line that a version control system wrote for a conflict: its bytes.
pub(super) fn conflict_marker(text: &str) -> Option<Range<usize>> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") {
            return Some(offset..offset + line.trim_end().len());
        }
        offset += line.len();
    }
    None
}

/// A text with `: ` in it, in quotes.
pub(super) fn quoted_value(text: &str, at: usize) -> Option<String> {
    let lines = lines_to(text, at);
    let line = lines.last()?;
    let (key, value) = line.text.trim_start_matches("- ").split_once(": ")?;
    let before = text.get(line.start..at)?;
    let plain = !value.contains(['"', '\'']) && !key.contains(' ') && value.len() <= 60;
    (plain && before.contains(": ")).then(|| format!("quote the text: \"{}\"", value.trim()))
}

/// What indentation the line of `at` should have, if it fits none of the lines above.
pub(super) fn indentation(text: &str, at: usize) -> Option<String> {
    let lines = lines_to(text, at);
    let (line, above) = lines.split_last()?;
    let levels = levels(above);
    let opens = |line: &Line<'_>| line.text.ends_with(':') || line.text.contains(": &");
    let may_be_deeper = above.last().is_none_or(opens);
    if may_be_deeper
        && levels
            .first()
            .is_none_or(|(indent, _)| *indent < line.indent)
    {
        return None;
    }
    if levels.iter().any(|(indent, _)| *indent == line.indent) {
        return None;
    }
    let deeper = levels
        .iter()
        .rev()
        .find(|(indent, _)| *indent > line.indent);
    let shallower = levels.iter().find(|(indent, _)| *indent < line.indent);
    let like = |(indent, number): &(usize, usize)| {
        format!(
            "{indent} space{} like line {number}",
            if *indent == 1 { "" } else { "s" }
        )
    };
    let choice = match (deeper, shallower) {
        (Some(deeper), Some(shallower)) => format!("{} or {}", like(deeper), like(shallower)),
        (Some(one), None) | (None, Some(one)) => like(one),
        (None, None) => return None,
    };
    Some(format!("indent it by {choice}, not by {}", line.indent))
}

/// The indentations that a next line may have, deepest first, each with the number of the last
/// line that has it.
fn levels(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut levels: Vec<(usize, usize)> = Vec::new();
    for line in lines.iter().rev() {
        let mut indents = vec![line.indent];
        let mut rest = line.text;
        let mut indent = line.indent;
        while let Some(inner) = rest.strip_prefix("- ") {
            let body = inner.trim_start_matches(' ');
            indent += 2 + inner.len() - body.len();
            indents.push(indent);
            rest = body;
        }
        for indent in indents.into_iter().rev() {
            if levels.last().is_none_or(|(least, _)| indent < *least) {
                levels.push((indent, line.number));
            }
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_between_two_levels_could_have_either() {
        let text = "services:\n  web:\n    image: a\n   ports: []\n";
        let at = text.find("ports").unwrap_or_default();
        assert_eq!(
            indentation(text, at).as_deref(),
            Some("indent it by 4 spaces like line 3 or 2 spaces like line 2, not by 3")
        );
    }

    #[test]
    fn a_list_item_has_two_levels() {
        let text = "a:\n  - b: c\n     d: e\n";
        let at = text.find("d:").unwrap_or_default();
        assert_eq!(
            indentation(text, at).as_deref(),
            Some("indent it by 4 spaces like line 2, not by 5")
        );
        let right = "a:\n  - b: c\n    d: e\n";
        assert_eq!(
            indentation(right, right.find("d:").unwrap_or_default()),
            None
        );
    }

    #[test]
    fn a_key_without_a_colon_is_found() {
        let text = "web:\n  image nginx\n  restart: always\n";
        let colon = text.find(": always").unwrap_or_default();
        let (range, help) = key_above(text, colon).unwrap_or_default();
        assert_eq!(&text[range], "image nginx");
        assert_eq!(help, "put `:` after `image`");
    }
}
