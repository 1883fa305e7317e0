//! `dollar-in-env-file`: a `$` in an env file that changes the value.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::compose::template::{self, VariableUse};
use crate::compose::{Diagnostic, EnvText, Severity, Span, dotenv};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::place;
use crate::lint::secret;

/// Two bytes that stand for `\$` while a value is looked at.
const ESCAPED: &str = "\u{1}\u{1}";
/// Longest value to show, in characters.
const SHOWN: usize = 60;
/// How password hashes begin whose dollars were doubled with care.
const HASHES: [&str; 7] = [
    "$$2a$$", "$$2b$$", "$$2y$$", "$$apr1$$", "$$argon2", "$$5$$", "$$6$$",
];

/// A value of an env file, as it was written.
pub(in crate::lint) struct Value<'a> {
    /// The variable.
    pub(in crate::lint) name: String,
    /// The value without its quotes.
    pub(in crate::lint) text: &'a str,
    /// The place of `text`.
    pub(in crate::lint) span: Span,
    /// The quote around it.
    quote: Option<char>,
}

/// The values of an env file, in its order.
pub(in crate::lint) fn values<'a>(input: &Input<'a>, file: &EnvText) -> Vec<Value<'a>> {
    let text: &'a str = &input.sources().get(file.source).text;
    // What a name stands for does not matter here, only where it stands.
    let lookup = |_: &str| Some(String::new());
    let variables = if file.raw {
        dotenv::parse_raw(file.source, text, &lookup)
    } else {
        dotenv::parse(file.source, text, &lookup)
    };
    variables
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, variable)| {
            let (range, quote) = written(text, variable.span.end as usize, file.raw)?;
            Some(Value {
                name,
                text: text.get(range.clone())?,
                span: place::within(text, variable.span, range),
                quote,
            })
        })
        .collect()
}

/// The range of the value behind a name that ends at `end`, and its quote.
fn written(text: &str, end: usize, raw: bool) -> Option<(Range<usize>, Option<char>)> {
    let blank = |c: char| c.is_whitespace() && c != '\n';
    let rest = text.get(end..)?.trim_start_matches(blank);
    let rest = rest.strip_prefix(['=', ':'])?.trim_start_matches(blank);
    let start = text.len() - rest.len();
    let quote = rest
        .chars()
        .next()
        .filter(|c| !raw && matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let line = rest.split('\n').next().unwrap_or_default();
        let value = if raw {
            line
        } else {
            line.split(" #").next().unwrap_or_default()
        };
        return Some((start..start + value.trim_end().len(), None));
    };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some((start + 1..start + at, Some(quote)));
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for file in input.written.env_files.iter().filter(|file| !file.raw) {
        let mut known: BTreeSet<String> = file.known.clone();
        let values = values(input, file);
        for value in &values {
            if value.quote != Some('\'') && value.text.contains('$') {
                look_at(input, value, &values, &known, report);
            }
            known.insert(value.name.clone());
        }
    }
}

fn look_at(
    input: &Input<'_>,
    value: &Value<'_>,
    all: &[Value<'_>],
    known: &BTreeSet<String>,
    report: &mut Report,
) {
    let body = if value.quote == Some('"') {
        value.text.replace("\\$", ESCAPED)
    } else {
        value.text.to_owned()
    };
    let masked = secret::is_name(&value.name) || !secret::passwords_in_urls(&body).is_empty();
    let uses = template::variables(&body);
    let unset = uses
        .iter()
        .find(|used| is_plain(used) && !known.contains(&used.name));
    let help = "put the value in single quotes to keep it as it is";
    let name = &value.name;
    if let Some(used) = unset {
        let written = &body[used.range.clone()];
        let shape = shape(&body, known, masked);
        let later = all.iter().find(|other| other.name == used.name);
        let (when, remedy) = match later {
            Some(_) => (
                "only set further down",
                format!("set {} above this line", used.name),
            ),
            None => ("not set", format!("{help}, or set {}", used.name)),
        };
        let problem = Diagnostic::warning(format!(
            "`{written}` in {name} is read as a variable, which is {when}: {shape}"
        ))
        .at(input.inside(value.span, used.range.clone()))
        .help(remedy);
        report.add(match later {
            Some(later) => problem.related(later.span, "set here"),
            None => problem,
        });
        return;
    }
    let Some(at) = doubled(&body, &uses) else {
        return;
    };
    if HASHES
        .iter()
        .any(|start| body.starts_with(start) || body.contains(&format!(":{start}")))
    {
        return;
    }
    let level = if secret::is_name(name) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let shape = shape(&body, known, masked);
    let problem = Diagnostic::warning(format!("`$$` in {name} is read as one `$`: {shape}"))
        .at(input.inside(value.span, at..at + 2))
        .help(help);
    report.add_as(level, problem);
}

/// `$NAME` or `${NAME}` without a default, an alternative or an error.
fn is_plain(used: &VariableUse) -> bool {
    used.default.is_none() && used.alternate.is_none() && !used.required
}

/// Where the first `$$` outside of variables is.
fn doubled(body: &str, uses: &[VariableUse]) -> Option<usize> {
    body.match_indices("$$")
        .map(|(at, _)| at)
        .find(|at| !uses.iter().any(|used| used.range.contains(at)))
}

/// What the value looks like before and after, letters hidden where it is a secret.
fn shape(body: &str, known: &BTreeSet<String>, masked: bool) -> String {
    let hide = |text: &str| -> String {
        if masked {
            text.chars()
                .map(|c| if c.is_whitespace() { c } else { '*' })
                .collect()
        } else {
            text.to_owned()
        }
    };
    let (mut before, mut after) = (String::new(), String::new());
    let mut rest = 0;
    let mut pieces: Vec<(Range<usize>, String)> = template::variables(body)
        .iter()
        .map(|used| {
            let written = body[used.range.clone()].to_owned();
            let is_unset = is_plain(used) && !known.contains(&used.name);
            (
                used.range.clone(),
                if is_unset { String::new() } else { written },
            )
        })
        .collect();
    let doubled = body
        .match_indices("$$")
        .map(|(at, _)| (at..at + 2, "$".to_owned()));
    let escaped = body
        .match_indices(ESCAPED)
        .map(|(at, _)| (at..at + 2, "$".to_owned()));
    pieces.extend(doubled.chain(escaped));
    pieces.sort_by_key(|(range, _)| range.start);
    for (range, result) in pieces {
        // Variables in defaults stand inside of what was seen.
        if range.start < rest {
            continue;
        }
        let literal = hide(&body[rest..range.start]);
        before.push_str(&literal);
        before.push_str(&body[range.clone()].replace(ESCAPED, "\\$"));
        after.push_str(&literal);
        after.push_str(&result);
        rest = range.end;
    }
    let literal = hide(&body[rest..]);
    before.push_str(&literal);
    after.push_str(&literal);
    format!("`{}` becomes `{}`", shortened(&before), shortened(&after))
}

fn shortened(text: &str) -> String {
    let line = text.split('\n').next().unwrap_or_default();
    if line.chars().count() <= SHOWN && line.len() == text.len() {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(SHOWN).collect();
    short.push('…');
    short
}
