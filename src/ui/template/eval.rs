//! Tree and row → text.

use std::fmt::Write as _;

use serde_json::Value;

use super::parse::{Block, Command, Node, Operand, Pipeline};
use super::{Row, TemplateError, functions, go_json};

/// What `.` means at a place.
#[derive(Clone, Copy)]
enum Dot<'a> {
    Row,
    Value(&'a Value),
}

struct Scope<'a> {
    row: &'a Row,
    header: bool,
}

pub(super) fn render(nodes: &[Node], row: &Row, header: bool) -> Result<String, TemplateError> {
    let mut text = String::new();
    Scope { row, header }.nodes(nodes, Dot::Row, &mut text)?;
    Ok(text)
}

impl Scope<'_> {
    fn nodes(&self, nodes: &[Node], dot: Dot<'_>, text: &mut String) -> Result<(), TemplateError> {
        for node in nodes {
            match node {
                Node::Text(piece) => text.push_str(piece),
                Node::Show(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    text.push_str(&show(value.as_ref()));
                }
                Node::Block {
                    kind,
                    pipeline,
                    body,
                    otherwise,
                } => {
                    let value = self.pipeline(pipeline, dot)?.unwrap_or(Value::Null);
                    if !functions::truth(&value) {
                        self.nodes(otherwise, dot, text)?;
                    } else if *kind == Block::If {
                        self.nodes(body, dot, text)?;
                    } else if *kind == Block::With {
                        self.nodes(body, Dot::Value(&value), text)?;
                    } else {
                        self.range(&value, body, text)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn range(&self, value: &Value, body: &[Node], text: &mut String) -> Result<(), TemplateError> {
        match value {
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.nodes(body, Dot::Value(item), text)),
            Value::Object(members) => members
                .values()
                .try_for_each(|item| self.nodes(body, Dot::Value(item), text)),
            _ if self.header => Ok(()),
            _ => Err(TemplateError("{{range}} needs a list in the format".into())),
        }
    }

    /// The value of a pipeline; `None` is a value that does not exist.
    fn pipeline(&self, pipeline: &Pipeline, dot: Dot<'_>) -> Result<Option<Value>, TemplateError> {
        let mut last = None;
        for (index, command) in pipeline.iter().enumerate() {
            let piped = (index > 0).then(|| last.take().unwrap_or(Value::Null));
            last = self.command(command, piped, dot)?;
        }
        Ok(last)
    }

    fn command(
        &self,
        command: &Command,
        piped: Option<Value>,
        dot: Dot<'_>,
    ) -> Result<Option<Value>, TemplateError> {
        let Some((first, rest)) = command.split_first() else {
            return Ok(piped);
        };
        if let Operand::Field(names) = first
            && names.len() == 1
            && names[0] == "Label"
        {
            let name = rest.first().map(|operand| self.operand(operand, dot));
            return self.label(name.transpose()?.flatten().or(piped));
        }
        if let Operand::Function(name) = first {
            if name == "json" && is_whole_row(rest, dot) {
                // The docker CLI escapes whole rows, and only these.
                let text = go_json(&self.whole(Dot::Row), true);
                return Ok(Some(Value::String(text)));
            }
            let mut values = Vec::with_capacity(rest.len() + 1);
            for operand in rest {
                values.push(self.operand(operand, dot)?.unwrap_or(Value::Null));
            }
            values.extend(piped);
            return functions::call(name, &values, self.header).map(Some);
        }
        if !rest.is_empty() || piped.is_some() {
            return Err(TemplateError(
                "a value that is no function was given arguments in the format".into(),
            ));
        }
        self.operand(first, dot)
    }

    fn operand(&self, operand: &Operand, dot: Dot<'_>) -> Result<Option<Value>, TemplateError> {
        match operand {
            Operand::Dot => Ok(Some(self.whole(dot))),
            Operand::Root => Ok(Some(self.whole(Dot::Row))),
            Operand::Field(names) => match dot {
                Dot::Row => self.field(names),
                Dot::Value(value) => Ok(Some(descend(value, names)?)),
            },
            Operand::Literal(value) => Ok(Some(value.clone())),
            Operand::Function(name) => functions::call(name, &[], self.header).map(Some),
            Operand::Group(pipeline, names) => {
                let value = self.pipeline(pipeline, dot)?.unwrap_or(Value::Null);
                Ok(Some(descend(&value, names)?))
            }
        }
    }

    fn whole(&self, dot: Dot<'_>) -> Value {
        match dot {
            Dot::Row => Value::Object(self.row.fields.clone()),
            Dot::Value(value) => value.clone(),
        }
    }

    fn field(&self, names: &[String]) -> Result<Option<Value>, TemplateError> {
        let Some((first, rest)) = names.split_first() else {
            return Ok(None);
        };
        match self.row.fields.get(first) {
            Some(value) => descend(value, rest).map(Some),
            None if self.header => Ok(None),
            None => Err(unknown_field(first, self.row)),
        }
    }

    fn label(&self, name: Option<Value>) -> Result<Option<Value>, TemplateError> {
        let Some(Value::String(name)) = name else {
            return Err(TemplateError(
                "\".Label\" needs the name of a label in the format".into(),
            ));
        };
        if self.header {
            let title = name.rsplit('.').next().unwrap_or(&name);
            return Ok(Some(Value::String(title.replace(['-', '_'], " "))));
        }
        let value = self.row.labels.get(&name).cloned().unwrap_or_default();
        Ok(Some(Value::String(value)))
    }
}

fn is_whole_row(operands: &[Operand], dot: Dot<'_>) -> bool {
    match operands {
        [Operand::Root] => true,
        [Operand::Dot] => matches!(dot, Dot::Row),
        _ => false,
    }
}

fn descend(value: &Value, names: &[String]) -> Result<Value, TemplateError> {
    let mut value = value;
    for name in names {
        value = value
            .get(name)
            .ok_or_else(|| TemplateError(format!("unknown field \".{name}\" in the format")))?;
    }
    Ok(value.clone())
}

fn unknown_field(name: &str, row: &Row) -> TemplateError {
    let known: Vec<&str> = row.fields.keys().map(String::as_str).collect();
    let similar = known
        .iter()
        .map(|field| {
            (
                strsim::jaro_winkler(&field.to_lowercase(), &name.to_lowercase()),
                field,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match similar {
        Some((_, field)) => TemplateError(format!(
            "unknown field \".{name}\" in the format (did you mean \".{field}\"?)"
        )),
        None => TemplateError(format!(
            "unknown field \".{name}\" in the format (known: .{})",
            known.join(", .")
        )),
    }
}

/// A value as Go's `%v` prints it.
pub(super) fn show(value: Option<&Value>) -> String {
    match value {
        None => "<no value>".to_owned(),
        Some(Value::Null) => "<nil>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| show(Some(item))).collect();
            format!("[{}]", items.join(" "))
        }
        Some(Value::Object(members)) => {
            let mut text = String::new();
            for (index, value) in members.values().enumerate() {
                let space = if index == 0 { "" } else { " " };
                // Writing to a string cannot fail.
                let _ = write!(text, "{space}{}", show(Some(value)));
            }
            format!("{{{text}}}")
        }
        Some(other) => other.to_string(),
    }
}
