//! Pieces → tree.

use serde_json::Value;

use super::TemplateError;
use super::lex::{Piece, Token};

#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Show(Pipeline),
    Block {
        kind: Block,
        pipeline: Pipeline,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    If,
    Range,
    With,
}

/// Commands joined by `|`: each gets the value of the one before as its last argument.
pub(super) type Pipeline = Vec<Command>;

/// Operands of which the first may be a function.
pub(super) type Command = Vec<Operand>;

#[derive(Debug, Clone)]
pub(super) enum Operand {
    Dot,
    Root,
    Field(Vec<String>),
    Literal(Value),
    Function(String),
    Group(Pipeline, Vec<String>),
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum End {
    Input,
    Close,
    Else(Vec<Token>),
}

pub(super) fn parse(pieces: Vec<Piece>) -> Result<Vec<Node>, TemplateError> {
    let mut pieces = pieces.into_iter();
    let (nodes, end) = nodes(&mut pieces)?;
    match end {
        End::Input => Ok(nodes),
        End::Close => Err(TemplateError("{{end}} without a beginning".into())),
        End::Else(_) => Err(TemplateError("{{else}} without {{if}}".into())),
    }
}

fn nodes(pieces: &mut impl Iterator<Item = Piece>) -> Result<(Vec<Node>, End), TemplateError> {
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let tokens = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text(text));
                continue;
            }
            Piece::Action(tokens) => tokens,
        };
        match keyword(&tokens) {
            Some("end") => return Ok((nodes, End::Close)),
            Some("else") => return Ok((nodes, End::Else(tokens[1..].to_vec()))),
            Some("if") => nodes.push(block(Block::If, &tokens[1..], pieces)?),
            Some("range") => nodes.push(block(Block::Range, &tokens[1..], pieces)?),
            Some("with") => nodes.push(block(Block::With, &tokens[1..], pieces)?),
            Some(word @ ("define" | "template" | "block" | "break" | "continue")) => {
                return Err(TemplateError(format!(
                    "{{{{{word}}}}} is not supported in a format"
                )));
            }
            _ => nodes.push(Node::Show(pipeline(&tokens)?)),
        }
    }
    Ok((nodes, End::Input))
}

fn keyword(tokens: &[Token]) -> Option<&str> {
    match tokens.first() {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    }
}

fn block(
    kind: Block,
    condition: &[Token],
    pieces: &mut impl Iterator<Item = Piece>,
) -> Result<Node, TemplateError> {
    let pipeline = pipeline(condition)?;
    let (body, end) = nodes_boxed(pieces)?;
    let otherwise = match end {
        End::Input => {
            return Err(TemplateError(
                "a block without {{end}} in the format".into(),
            ));
        }
        End::Close => Vec::new(),
        End::Else(rest) if rest.is_empty() => match nodes_boxed(pieces)? {
            (nodes, End::Close) => nodes,
            _ => return Err(TemplateError("{{else}} without {{end}}".into())),
        },
        End::Else(rest) if keyword(&rest) == Some("if") => {
            vec![block(Block::If, &rest[1..], pieces)?]
        }
        End::Else(_) => return Err(TemplateError("unexpected words after \"else\"".into())),
    };
    Ok(Node::Block {
        kind,
        pipeline,
        body,
        otherwise,
    })
}

/// Keeps the type of the iterator finite across the recursion.
fn nodes_boxed(pieces: &mut dyn Iterator<Item = Piece>) -> Result<(Vec<Node>, End), TemplateError> {
    nodes(&mut &mut *pieces)
}

fn pipeline(tokens: &[Token]) -> Result<Pipeline, TemplateError> {
    let mut tokens = tokens.iter();
    let pipeline = commands(&mut tokens, false)?;
    Ok(pipeline)
}

fn commands(
    tokens: &mut std::slice::Iter<'_, Token>,
    nested: bool,
) -> Result<Pipeline, TemplateError> {
    let mut pipeline = vec![Vec::new()];
    while let Some(token) = tokens.next() {
        let operand = match token {
            Token::Pipe => {
                pipeline.push(Vec::new());
                continue;
            }
            Token::Close if nested => return finished(pipeline),
            Token::Close => return Err(TemplateError("\")\" without \"(\"".into())),
            Token::Open => {
                let group = commands(tokens, true)?;
                Operand::Group(group, Vec::new())
            }
            Token::Dot => Operand::Dot,
            Token::Root => Operand::Root,
            Token::Field(names) => match pipeline.last_mut().and_then(|last| last.last_mut()) {
                // `(…).Name` and `$.Name`: the field is of what is before it.
                Some(Operand::Group(_, fields)) => {
                    fields.extend(names.iter().cloned());
                    continue;
                }
                Some(last @ Operand::Root) => {
                    *last = Operand::Group(vec![vec![Operand::Root]], names.clone());
                    continue;
                }
                _ => Operand::Field(names.clone()),
            },
            Token::Word(word) => match word.as_str() {
                "true" => Operand::Literal(Value::Bool(true)),
                "false" => Operand::Literal(Value::Bool(false)),
                "nil" => Operand::Literal(Value::Null),
                _ => Operand::Function(word.clone()),
            },
            Token::Text(text) => Operand::Literal(Value::String(text.clone())),
            Token::Number(number) if number.fract() == 0.0 => {
                Operand::Literal(Value::from(*number as i64))
            }
            Token::Number(number) => Operand::Literal(Value::from(*number)),
        };
        if let Some(last) = pipeline.last_mut() {
            last.push(operand);
        }
    }
    if nested {
        return Err(TemplateError("\"(\" without \")\"".into()));
    }
    finished(pipeline)
}

fn finished(pipeline: Pipeline) -> Result<Pipeline, TemplateError> {
    if pipeline.iter().any(Vec::is_empty) {
        return Err(TemplateError("an empty {{}} in the format".into()));
    }
    Ok(pipeline)
}
