//! What people write after `--why`: a path of the model, or a variable.

use serde_json::Value as Json;

use super::steps::{Step, shown};
use crate::compose::diagnostic::similar::similar;

/// Keys that a path can start with, beside `x-…`.
const SECTIONS: [&str; 8] = [
    "services", "networks", "volumes", "secrets", "configs", "models", "name", "include",
];

/// A question, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// A path of the model.
    Path(Vec<Token>),
    /// A variable.
    Variable(String),
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A key. In quotes it stands for itself; otherwise it may go on behind the next dot.
    Key { text: String, quoted: bool },
    /// An element of a list, counted from 0.
    Index(usize),
}

/// A path that nothing is at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unknown {
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub help: Option<String>,
    /// How many steps of the path lead somewhere.
    depth: usize,
}

impl Unknown {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            depth: 0,
        }
    }

    /// The one that got further.
    pub(super) fn deeper(self, other: Self) -> Self {
        if other.depth > self.depth {
            other
        } else {
            self
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Takes a question apart: `${NAME}`, `$NAME`, `env:NAME` and a name that is no section of a compose
/// file are variables, anything else is a path.
pub(super) fn parse(text: &str) -> Result<Question, Unknown> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix("env:") {
        return Ok(Question::Variable(name.to_owned()));
    }
    if text.starts_with('$') {
        let name: String = text
            .trim_start_matches(['$', '{'])
            .chars()
            .take_while(|char| is_name(*char))
            .collect();
        return Ok(Question::Variable(name));
    }
    let tokens = tokens(text)?;
    match tokens.as_slice() {
        [] => Err(Unknown::new("--why needs a path or a variable")
            .help("such as services.web.image, or a variable's name")),
        [Token::Key { text, quoted }]
            if !quoted
                && !SECTIONS.contains(&text.as_str())
                && !text.starts_with(|char: char| char.is_ascii_digit())
                && text.chars().all(is_name) =>
        {
            Ok(Question::Variable(text.clone()))
        }
        _ => Ok(Question::Path(tokens)),
    }
}

fn is_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn tokens(text: &str) -> Result<Vec<Token>, Unknown> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (token, length) = token(rest, text)?;
        tokens.push(token);
        rest = &rest[length..];
        if let Some(more) = rest.strip_prefix('.') {
            rest = more;
        }
    }
    Ok(tokens)
}

/// The token at the start of `rest` and its length in bytes.
fn token(rest: &str, whole: &str) -> Result<(Token, usize), Unknown> {
    let unclosed = |what: &str| Unknown::new(format!("{whole} lacks a closing {what}"));
    if let Some(inner) = rest.strip_prefix("[\"") {
        let end = inner.find("\"]").ok_or_else(|| unclosed("bracket"))?;
        return Ok((key(&inner[..end], true), end + 4));
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let end = inner.find(']').ok_or_else(|| unclosed("bracket"))?;
        let token = match inner[..end].parse() {
            Ok(index) => Token::Index(index),
            Err(_) => key(&inner[..end], true),
        };
        return Ok((token, end + 2));
    }
    for quote in ['"', '\''] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let end = inner.find(quote).ok_or_else(|| unclosed("quote"))?;
            return Ok((key(&inner[..end], true), end + 2));
        }
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len()).max(1);
    Ok((key(&rest[..end], false), end))
}

fn key(text: &str, quoted: bool) -> Token {
    Token::Key {
        text: text.to_owned(),
        quoted,
    }
}

/// Finds what the tokens name in a tree. At each mapping the longest key that leads on counts.
pub(super) fn resolve<'a>(
    tree: &'a Json,
    tokens: &[Token],
) -> Result<(Vec<Step>, &'a Json), Unknown> {
    let mut failure = None;
    match descend(tree, tokens, &mut Vec::new(), &mut failure) {
        Some(found) => Ok(found),
        None => Err(failure.unwrap_or_else(|| Unknown::new("nothing is there"))),
    }
}

fn descend<'a>(
    tree: &'a Json,
    tokens: &[Token],
    steps: &mut Vec<Step>,
    failure: &mut Option<Unknown>,
) -> Option<(Vec<Step>, &'a Json)> {
    let Some(first) = tokens.first() else {
        return Some((steps.clone(), tree));
    };
    if let Json::Object(map) = tree {
        for length in (1..=tokens.len()).rev() {
            let Some(text) = joined(&tokens[..length]) else {
                continue;
            };
            if let Some(inner) = map.get(&text) {
                steps.push(Step::Key(text));
                let found = descend(inner, &tokens[length..], steps, failure);
                steps.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
    }
    if let Json::Array(items) = tree
        && let Some(index) = index(first)
        && let Some(inner) = items.get(index)
    {
        let text = inner.as_str().map(str::to_owned);
        steps.push(Step::Index(index, text));
        let found = descend(inner, &tokens[1..], steps, failure);
        steps.pop();
        return found;
    }
    if failure
        .as_ref()
        .is_none_or(|known| known.depth < steps.len())
    {
        let mut unknown = missing(tree, first, steps);
        unknown.depth = steps.len();
        *failure = Some(unknown);
    }
    None
}

/// The text of tokens that together may be one key.
fn joined(tokens: &[Token]) -> Option<String> {
    let mut joined = String::new();
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Key { text, .. } if tokens.len() == 1 => joined.push_str(text),
            Token::Key { quoted: true, .. } => return None,
            Token::Index(_) if place == 0 => return None,
            Token::Key { text, .. } => {
                if place > 0 {
                    joined.push('.');
                }
                joined.push_str(text);
            }
            Token::Index(index) => {
                joined.push('[');
                joined.push_str(&index.to_string());
                joined.push(']');
            }
        }
    }
    Some(joined)
}

fn index(token: &Token) -> Option<usize> {
    match token {
        Token::Index(index) => Some(*index),
        Token::Key { text, .. } => text.parse().ok(),
    }
}

fn missing(tree: &Json, token: &Token, steps: &[Step]) -> Unknown {
    let place = if steps.is_empty() {
        "the project".to_owned()
    } else {
        shown(steps)
    };
    let wanted = match token {
        Token::Key { text, .. } => text.clone(),
        Token::Index(index) => format!("[{index}]"),
    };
    match tree {
        Json::Object(map) => {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            let unknown = Unknown::new(format!("{place} has no \"{wanted}\""));
            match similar(&wanted, keys.iter().copied()) {
                Some(key) => unknown.help(format!("did you mean \"{key}\"?")),
                None if keys.is_empty() => unknown,
                None => unknown.help(format!("it has {}", keys.join(", "))),
            }
        }
        Json::Array(items) => Unknown::new(format!("{place} has no element {wanted}"))
            .help(format!("it has {} elements, counted from 0", items.len())),
        _ => Unknown::new(format!(
            "{place} is one value, there is no \"{wanted}\" in it"
        ))
        .help(format!("ask for {place}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Vec<Token> {
        match parse(text).unwrap() {
            Question::Path(tokens) => tokens,
            Question::Variable(name) => panic!("{name} is a variable"),
        }
    }

    #[test]
    fn variables_and_paths_are_told_apart() {
        for text in [
            "DB_HOST",
            "${DB_HOST}",
            "$DB_HOST",
            "${DB_HOST:-x}",
            "env:DB_HOST",
        ] {
            assert_eq!(
                parse(text),
                Ok(Question::Variable("DB_HOST".to_owned())),
                "{text}"
            );
        }
        assert_eq!(path("name").len(), 1);
        assert_eq!(path("services.web.ports[0].target").len(), 5);
        assert_eq!(path("x-common").len(), 1);
    }

    #[test]
    fn keys_with_dots_need_no_quotes() {
        let tree = json!({"labels": {"a.b": 1, "a": {"b": 2, "c": 3}, "a.b.c": 4}});
        let value = |text: &str| resolve(&tree, &path(text)).map(|found| found.1.clone());
        assert_eq!(value("labels.a.b"), Ok(json!(1)), "the longest key");
        assert_eq!(value("labels.a.c"), Ok(json!(3)));
        assert_eq!(value("labels.a.b.c"), Ok(json!(4)));
        assert_eq!(value("labels.\"a.b\""), Ok(json!(1)));
        assert_eq!(value("labels[\"a\"].b"), Ok(json!(2)));
        assert_eq!(value("labels.'a'.b"), Ok(json!(2)));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let tree = json!({"services": {"web": {"image": "x", "ports": [1]}}});
        let problem = |text: &str| resolve(&tree, &path(text)).unwrap_err();
        let found = problem("services.web.imagee");
        assert_eq!(found.message, "services.web has no \"imagee\"");
        assert_eq!(found.help.as_deref(), Some("did you mean \"image\"?"));
        let found = problem("services.web.ports[3]");
        assert_eq!(found.message, "services.web.ports has no element [3]");
        let found = problem("services.web.image.tag");
        assert_eq!(found.help.as_deref(), Some("ask for services.web.image"));
        assert!(parse("services.web.\"a").is_err());
        assert!(parse("services.web[1").is_err());
        assert!(parse("").is_err());
    }
}
