//! Text → text pieces and tokens of actions.

use super::TemplateError;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `.`
    Dot,
    /// `.Name` and chains of it, with the names.
    Field(Vec<String>),
    /// `$`
    Root,
    /// A function or keyword.
    Word(String),
    Text(String),
    Number(f64),
    Pipe,
    Open,
    Close,
}

pub(super) fn lex(template: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim = false;
    while let Some(start) = rest.find("{{") {
        let mut text = &rest[..start];
        if trim {
            text = text.trim_start();
        }
        let mut inside = &rest[start + 2..];
        if let Some(after) = inside.strip_prefix("- ") {
            text = text.trim_end();
            inside = after;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let (action, after) = action(inside)?;
        rest = after;
        trim = action.ends_with(" -");
        let action = action.strip_suffix(" -").unwrap_or(action).trim();
        if !action.starts_with("/*") {
            pieces.push(Piece::Action(tokens(action)?));
        }
    }
    if trim {
        rest = rest.trim_start();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// Splits what follows `{{` at its `}}`, which does not count inside a string.
fn action(text: &str) -> Result<(&str, &str), TemplateError> {
    let mut quote = None;
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character == '"' || character == '`' => quote = Some(character),
            None if text[index..].starts_with("}}") => {
                return Ok((&text[..index], &text[index + 2..]));
            }
            None => {}
        }
    }
    Err(TemplateError("\"{{\" without \"}}\" in the format".into()))
}

fn tokens(action: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = action.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, used) = match first {
            '|' => (Token::Pipe, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => quoted(rest)?,
            '`' => raw(rest)?,
            '.' => field(rest),
            '$' if !rest[1..].starts_with(|next: char| next.is_alphanumeric() || next == '_') => {
                (Token::Root, 1)
            }
            _ if first.is_ascii_digit() || (first == '-' && rest.len() > 1) => number(rest)?,
            _ if first.is_alphabetic() || first == '_' => word(rest),
            _ => {
                return Err(TemplateError(format!(
                    "unexpected \"{rest}\" in the format: variables and other parts of Go \
                     templates are not supported"
                )));
            }
        };
        tokens.push(token);
        rest = rest[used..].trim_start();
    }
    Ok(tokens)
}

/// Length of the name at the start.
fn name_length(text: &str) -> usize {
    text.find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(text.len())
}

fn word(rest: &str) -> (Token, usize) {
    let length = name_length(rest);
    (Token::Word(rest[..length].to_owned()), length)
}

fn field(rest: &str) -> (Token, usize) {
    let mut names = Vec::new();
    let mut used = 0;
    while let Some(after) = rest[used..].strip_prefix('.') {
        let length = name_length(after);
        if length == 0 {
            break;
        }
        names.push(after[..length].to_owned());
        used += 1 + length;
    }
    if names.is_empty() {
        (Token::Dot, 1)
    } else {
        (Token::Field(names), used)
    }
}

fn number(rest: &str) -> Result<(Token, usize), TemplateError> {
    let length = rest
        .find(|character: char| !character.is_ascii_digit() && !matches!(character, '.' | '-'))
        .unwrap_or(rest.len());
    let text = &rest[..length];
    let number = text
        .parse()
        .map_err(|_| TemplateError(format!("\"{text}\" is not a number in the format")))?;
    Ok((Token::Number(number), length))
}

fn raw(rest: &str) -> Result<(Token, usize), TemplateError> {
    let end = rest[1..].find('`').ok_or_else(unterminated)?;
    Ok((Token::Text(rest[1..=end].to_owned()), end + 2))
}

fn quoted(rest: &str) -> Result<(Token, usize), TemplateError> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Text(text), index + 1)),
            '\\' => match characters.next().ok_or_else(unterminated)?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    Err(unterminated())
}

fn unterminated() -> TemplateError {
    TemplateError("a string without its closing quote in the format".into())
}
