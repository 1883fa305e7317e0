//! The dialect of `.env` files.

use super::{Reading, Variable, Variables, escape};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::interpolate::template_problem;
use crate::compose::source::{SourceId, Span};
use crate::compose::template;

/// Most bytes that values with variables in them may have together.
const MAX_EXPANDED: usize = 16 << 20;

/// Most problems of a file; what is behind them is not read.
const MAX_PROBLEMS: usize = 1000;

/// Reads an env file of which every line can be read; otherwise as [`read`].
///
/// # Errors
///
/// The first line that cannot be read.
pub fn parse(
    source: SourceId,
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Variables, Box<Diagnostic>> {
    read(source, text, lookup).whole()
}

/// Reads as much of an env file as can be read.
///
/// `lookup` knows the variables around the file: they win over those of the file when a value refers
/// to a variable, and give the value of a name that stands alone.
pub fn read(source: SourceId, text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Reading {
    read_after(source, text, lookup, &|_| None)
}

/// [`read`] for one of several files: `earlier` knows the variables of those before it, over which
/// those of the file itself win.
pub fn read_after(
    source: SourceId,
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    earlier: &dyn Fn(&str) -> Option<String>,
) -> Reading {
    let bom = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut parser = Parser {
        source,
        text,
        at: bom,
        lookup,
        earlier,
        variables: Variables::new(),
        counted: (0, 0),
        expanded: 0,
    };
    let mut problems = Vec::new();
    while problems.len() < MAX_PROBLEMS && parser.skip_to_statement() {
        if let Err(problem) = parser.statement() {
            parser.skip_line_of(&problem);
            problems.push(*problem);
        }
    }
    Reading {
        variables: parser.variables,
        problems,
    }
}

struct Parser<'a> {
    source: SourceId,
    text: &'a str,
    /// Bytes read.
    at: usize,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    earlier: &'a dyn Fn(&str) -> Option<String>,
    variables: Variables,
    /// A place, and the number of its line counted from 0.
    counted: (usize, usize),
    /// Bytes that variables in values have added.
    expanded: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Counts the lines up to `at`, so that spans behind it need not.
    fn count_lines(&mut self, at: usize) {
        let (from, line) = self.counted;
        self.counted = (at, line + self.text[from..at].matches('\n').count());
    }

    /// A place that starts at the counted one or behind it.
    fn span(&self, start: usize, end: usize) -> Span {
        let (from, line) = self.counted;
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = self.text[line_start..start].trim_start_matches('\u{feff}');
        Span {
            source: self.source,
            start: start as u32,
            end: end as u32,
            line: (line + self.text[from..start].matches('\n').count()) as u32 + 1,
            column: before.chars().count() as u32 + 1,
        }
    }

    /// Skips blank lines and comments; whether anything is left.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let body = rest.trim_start();
            let skipped = rest.len() - body.len();
            let comment = body
                .starts_with('#')
                .then(|| body.find('\n').unwrap_or(body.len()));
            let Some(comment) = comment else {
                let more = !body.is_empty();
                self.at += skipped;
                return more;
            };
            self.at += skipped + comment;
        }
    }

    /// Goes on behind the line of a problem, if the reading did not get further.
    fn skip_line_of(&mut self, problem: &Diagnostic) {
        let start = problem.span.map_or(0, |span| span.start as usize);
        let line = self.text[start..].find('\n');
        let end = line.map_or(self.text.len(), |length| start + length);
        self.at = self.at.max(end);
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(is_blank).len();
    }

    fn statement(&mut self) -> Result<(), Box<Diagnostic>> {
        if self
            .rest()
            .strip_prefix("export")
            .is_some_and(|rest| rest.starts_with(|c| is_blank(c) || c == '\n'))
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let start = self.at;
        self.count_lines(start);
        let (length, separator) = self.name_length()?;
        let Some(separator) = separator else {
            return self.nameless();
        };
        let name = self.text[start..start + length].trim_end().to_owned();
        let span = self.span(start, start + name.len());
        if name.contains(' ') {
            return Err(Diagnostic::error("a variable name cannot contain a blank")
                .code(code::INVALID_ENV_FILE)
                .at(span)
                .help("write one `NAME=value` on each line")
                .into());
        }
        self.at = start + length + separator.len_utf8();
        let value = if separator == '\n' {
            (self.lookup)(&name)
        } else {
            self.skip_blanks();
            Some(self.value()?)
        };
        self.set(name, value, span);
        Ok(())
    }

    /// What stands at the end of the file without `=` or a line break behind it: the value of a
    /// variable without a name, as docker compose reads it.
    fn nameless(&mut self) -> Result<(), Box<Diagnostic>> {
        let start = self.at;
        let span = self.span(start, self.text.len());
        if self.rest().is_empty() {
            return Err(Diagnostic::error("`export` without a variable")
                .code(code::INVALID_ENV_FILE)
                .at(span)
                .help("write `NAME=value`")
                .into());
        }
        let value = self.unquoted()?;
        self.set(String::new(), Some(value), span);
        Ok(())
    }

    fn set(&mut self, name: String, value: Option<String>, span: Span) {
        if value.is_none() && self.variables.contains_key(&name) {
            return;
        }
        self.variables.insert(name, Variable { value, span });
    }

    /// Length of the name at the current place in bytes, and what ends it; nothing where the
    /// text ends before.
    fn name_length(&self) -> Result<(usize, Option<char>), Box<Diagnostic>> {
        for (at, c) in self.rest().char_indices() {
            match c {
                '=' | ':' | '\n' => return Ok((at, Some(c))),
                '_' | '.' | '-' | '[' | ']' => {}
                _ if is_blank(c) || c.is_alphanumeric() => {}
                _ => {
                    let start = self.at + at;
                    let message = format!("unexpected character `{c}` in variable name");
                    return Err(Diagnostic::error(message).code(code::INVALID_ENV_FILE)
                        .at(self.span(start, start + c.len_utf8()))
                        .help("names are made of letters, digits, `_`, `.` and `-`; comments start with `#`")
                        .into());
                }
            }
        }
        Ok((self.rest().len(), None))
    }

    fn value(&mut self) -> Result<String, Box<Diagnostic>> {
        match self.rest().as_bytes().first() {
            Some(b'"') => {
                let (start, text) = self.quoted('"')?;
                self.expand(&escape::expand(&text), start)
            }
            Some(b'\'') => Ok(self.quoted('\'')?.1),
            _ => self.unquoted(),
        }
    }

    /// The rest of the line without a comment, which starts with ` #`.
    fn unquoted(&mut self) -> Result<String, Box<Diagnostic>> {
        let start = self.at;
        let line = self.rest().split('\n').next().unwrap_or_default();
        let value = line.split(" #").next().unwrap_or_default().trim_end();
        let (length, value) = (line.len(), value.to_owned());
        self.at = (start + length + 1).min(self.text.len());
        self.expand(&value, start)
    }

    /// Text in quotes, which may span lines; a backslash before the quote gives the quote. Also
    /// gives where the text starts.
    fn quoted(&mut self, quote: char) -> Result<(usize, String), Box<Diagnostic>> {
        let start = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            if c == quote && !escaped {
                self.at = start + at + 1;
                return Ok((start + 1, value));
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        let line = self.rest().split('\n').next().unwrap_or_default().len();
        // Where the text should have ended is anyone's guess.
        self.at = self.text.len();
        Err(Diagnostic::error("unterminated quoted value")
            .code(code::INVALID_ENV_FILE)
            .at(self.span(start, start + line))
            .help(format!("close it with {quote}"))
            .into())
    }

    fn expand(&mut self, value: &str, start: usize) -> Result<String, Box<Diagnostic>> {
        if !value.contains('$') {
            return Ok(value.to_owned());
        }
        let lookup = |name: &str| {
            let own = || self.variables.get(name)?.value.clone();
            (self.lookup)(name)
                .or_else(own)
                .or_else(|| (self.earlier)(name))
        };
        let value = template::substitute(value, &lookup, &mut |_| {}).map_err(|error| {
            let line = self.text[start..].split('\n').next().unwrap_or_default();
            let part = value.get(error.range.clone()).unwrap_or(value);
            let (from, length) = match line.find(part) {
                Some(at) if !part.is_empty() => (start + at, part.len()),
                _ => (start, line.len()),
            };
            let span = self.span(from, from + length);
            Box::new(template_problem(&error).at(span))
        })?;
        self.expanded += value.len();
        if self.expanded > MAX_EXPANDED {
            let line = self.text[start..].split('\n').next().unwrap_or_default();
            return Err(Diagnostic::error(format!(
                "variables make the values longer than {} MiB",
                MAX_EXPANDED >> 20
            ))
            .code(code::LIMIT)
            .at(self.span(start, start + line.len()))
            .help("look for a variable that is made of others many times")
            .into());
        }
        Ok(value)
    }
}

/// White space that does not end a line.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}
