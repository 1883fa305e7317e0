//! Answers of `config --why`: each value, below it the layers that say something about it, weakest
//! first.

use serde_json::{Value as Json, json};

use super::style::{self, paint, width};
use crate::compose::provenance::{Answer, Effect, Kind, Origin, Subject, Trail};
use crate::compose::{SourceMap, Span};

/// Columns that a written text takes at most.
const MAX_TEXT: usize = 60;

/// One line below a value: place, text, what came of it.
struct Row {
    indent: usize,
    /// What the place belongs to: the name of a variable on its first line.
    lead: String,
    place: String,
    text: String,
    verdict: String,
    wins: bool,
}

/// Answers as text, an empty line between them.
pub fn text(answers: &[Answer], sources: &SourceMap, color: bool) -> String {
    let answers = answers.iter().map(|answer| block(answer, sources, color));
    answers.collect::<Vec<_>>().join("\n")
}

fn block(answer: &Answer, sources: &SourceMap, color: bool) -> String {
    let mut text = String::new();
    for trail in &answer.trails {
        text += &trail_block(trail, sources, color);
    }
    if let Subject::Variable(_) = answer.subject {
        text += &uses(answer, sources);
    }
    for note in &answer.notes {
        text.extend(["  note: ", note, "\n"]);
    }
    text
}

fn trail_block(trail: &Trail, sources: &SourceMap, color: bool) -> String {
    let part = trail.included.map_or_else(String::new, |place| {
        format!("  (in what {} includes)", sources.locate(place))
    });
    let mut text = format!("{}{part}\n", headline(trail));
    let mut rows = Vec::new();
    origin_rows(trail, sources, 2, &mut rows);
    if rows.is_empty() {
        text += "  no layer sets it\n";
    }
    // A place is as wide as the widest of its depth, texts all start in one column.
    let place_end = rows.iter().map(place_end).max().unwrap_or_default();
    let text_width = rows.iter().map(|row| width(&row.text)).max();
    for row in &rows {
        text += &line(row, place_end, text_width.unwrap_or_default(), color);
    }
    text
}

fn headline(trail: &Trail) -> String {
    match &trail.value {
        Some(value) => format!("{} = {}", trail.subject, value),
        None => format!("{} is not set", trail.subject),
    }
}

fn place_end(row: &Row) -> usize {
    row.indent + width(&row.lead) + width(&row.place)
}

fn line(row: &Row, place_end: usize, text_width: usize, color: bool) -> String {
    let place_fill = place_end - self::place_end(row) + 2;
    let text_fill = text_width - width(&row.text) + 2;
    let verdict = if row.wins {
        paint(style::SUCCESS, &row.verdict, color)
    } else {
        row.verdict.clone()
    };
    let line = format!(
        "{:indent$}{}{}{:place_fill$}{}{:text_fill$}{verdict}",
        "",
        row.lead,
        row.place,
        "",
        row.text,
        "",
        indent = row.indent
    );
    line.trim_end().to_owned() + "\n"
}

fn origin_rows(trail: &Trail, sources: &SourceMap, indent: usize, rows: &mut Vec<Row>) {
    for origin in &trail.origins {
        rows.push(Row {
            indent,
            lead: String::new(),
            place: place(origin, sources),
            text: said(origin),
            verdict: verdict(origin, trail, sources),
            wins: origin.effect == Effect::Wins,
        });
        for variable in &origin.variables {
            variable_rows(variable, sources, indent + 4, rows);
        }
    }
}

/// The layers of a variable; its name is before the first.
fn variable_rows(variable: &Trail, sources: &SourceMap, indent: usize, rows: &mut Vec<Row>) {
    let first = rows.len();
    origin_rows(variable, sources, indent, rows);
    if rows.len() == first {
        rows.push(Row {
            indent,
            lead: String::new(),
            place: String::new(),
            text: String::new(),
            verdict: "not set".to_owned(),
            wins: false,
        });
    }
    let name = format!("{}  ", variable.subject);
    let blank = " ".repeat(width(&name));
    for (index, row) in rows[first..].iter_mut().enumerate() {
        row.lead.clone_from(if index == 0 { &name } else { &blank });
    }
}

/// Where an origin is, for people.
fn place(origin: &Origin, sources: &SourceMap) -> String {
    match (origin.kind, origin.place) {
        (Kind::Default, _) => "default".to_owned(),
        (Kind::Alternate, _) => "alternate".to_owned(),
        (Kind::Shell, _) => "shell".to_owned(),
        (Kind::Option, _) => origin.written.clone(),
        (Kind::Implied, _) | (_, None) => "default".to_owned(),
        (_, Some(place)) => sources.locate(place),
    }
}

/// What is written, and what it means where that is something else.
fn said(origin: &Origin) -> String {
    let written = short(&origin.written);
    let value = origin.value.as_ref().map(plain).unwrap_or_default();
    match origin.kind {
        Kind::Implied => origin.written.clone(),
        Kind::Option => value,
        _ if !origin.variables.is_empty() => written,
        Kind::EnvFile | Kind::ServiceEnvFile | Kind::LabelFile | Kind::Default
            if origin.written != value && !quotes(&origin.written, &value) =>
        {
            format!("{written} → {}", short(&value))
        }
        _ if written.is_empty() && origin.value.is_some() => "(empty)".to_owned(),
        _ => written,
    }
}

/// Whether a text is the value in quotes.
fn quotes(written: &str, value: &str) -> bool {
    let inner = written.strip_suffix(['"', '\'']).unwrap_or(written);
    inner.strip_prefix(['"', '\'']) == Some(value)
}

/// Texts without quotes, anything else as JSON.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text on one line that is not too long.
fn short(text: &str) -> String {
    let line = text.trim_end().replace('\n', "⏎");
    if line.chars().count() <= MAX_TEXT {
        return line;
    }
    let mut short: String = line.chars().take(MAX_TEXT - 1).collect();
    short.push('…');
    short
}

fn verdict(origin: &Origin, trail: &Trail, sources: &SourceMap) -> String {
    let name = |by: usize| match trail.origins.get(by) {
        Some(by) if by.kind == Kind::Shell => "the shell".to_owned(),
        Some(by) if by.kind == Kind::Default => "the default".to_owned(),
        Some(by) if by.kind == Kind::Alternate => "the alternate text".to_owned(),
        Some(by) => place(by, sources),
        None => "another layer".to_owned(),
    };
    let effect = match origin.effect {
        Effect::Wins => "wins".to_owned(),
        Effect::Adds => "adds to it".to_owned(),
        Effect::Overridden(by) => format!("overridden by {}", name(by)),
        Effect::Removed(by) => format!("removed by !reset at {}", name(by)),
        Effect::Replaced(by) => format!("replaced by !override at {}", name(by)),
        Effect::Resets => "removes what is above".to_owned(),
        Effect::Keeps => "empty, keeps what is above".to_owned(),
        Effect::Empty => "empty, so the default counts".to_owned(),
        Effect::Unused => "not needed".to_owned(),
    };
    match via(origin, sources) {
        Some(via) => format!("{effect} ({via})"),
        None => effect,
    }
}

/// How an origin comes into the project.
fn via(origin: &Origin, sources: &SourceMap) -> Option<String> {
    let how = match origin.kind {
        Kind::Include => "included",
        Kind::Extends => "extended",
        Kind::EnvFile => "for what is included",
        Kind::ServiceEnvFile => "env_file",
        Kind::LabelFile => "label_file",
        _ => return None,
    };
    Some(format!("{how} at {}", sources.locate(origin.via?)))
}

fn uses(answer: &Answer, sources: &SourceMap) -> String {
    if answer.uses.is_empty() {
        return "  no file uses it\n".to_owned();
    }
    let places: Vec<String> = answer
        .uses
        .iter()
        .map(|used| sources.locate(used.place))
        .collect();
    let column = |texts: &mut dyn Iterator<Item = &str>| texts.map(width).max().unwrap_or_default();
    let place_width = column(&mut places.iter().map(String::as_str));
    let path_width = column(&mut answer.uses.iter().map(|used| used.path.as_str()));
    let mut text = "  used at\n".to_owned();
    for (used, place) in answer.uses.iter().zip(&places) {
        let place_fill = place_width - width(place) + 2;
        let path_fill = path_width - width(&used.path) + 2;
        let line = format!(
            "    {place}{:place_fill$}{}{:path_fill$}{}\n",
            "",
            used.path,
            "",
            short(&used.written)
        );
        text += &line;
    }
    text
}

/// Answers as a JSON list, one object a question.
pub fn json(answers: &[Answer], sources: &SourceMap) -> String {
    let answers: Vec<Json> = answers
        .iter()
        .map(|answer| answer_json(answer, sources))
        .collect();
    format!("{:#}\n", Json::Array(answers))
}

fn answer_json(answer: &Answer, sources: &SourceMap) -> Json {
    let (kind, name) = match &answer.subject {
        Subject::Path(path) => ("path", path),
        Subject::Variable(name) => ("variable", name),
    };
    let trails: Vec<Json> = answer
        .trails
        .iter()
        .map(|trail| trail_json(trail, sources))
        .collect();
    let mut object = json!({
        "question": answer.question,
        kind: name,
        "set": answer.value.is_some(),
        "value": answer.value,
        "trails": trails,
        "notes": answer.notes,
    });
    if kind == "variable" {
        let uses = answer.uses.iter().map(|used| {
            let mut object = json!({"path": used.path, "written": used.written});
            add_place(&mut object, Some(used.place), sources);
            object
        });
        object["uses"] = uses.collect();
    }
    object
}

fn trail_json(trail: &Trail, sources: &SourceMap) -> Json {
    let layers: Vec<Json> = trail
        .origins
        .iter()
        .map(|origin| origin_json(origin, sources))
        .collect();
    let mut object = json!({
        "name": trail.subject,
        "set": trail.value.is_some(),
        "value": trail.value,
        "layers": layers,
    });
    if let Some(place) = trail.included {
        object["included_at"] = Json::from(sources.locate(place));
    }
    object
}

fn origin_json(origin: &Origin, sources: &SourceMap) -> Json {
    let mut object = json!({
        "kind": origin.kind.name(),
        "effect": origin.effect.name(),
        "written": origin.written,
        "value": origin.value,
    });
    if let Some(by) = origin.effect.by() {
        object["by"] = Json::from(by);
    }
    add_place(&mut object, origin.place, sources);
    if let Some(place) = origin.via {
        object["via"] = Json::from(sources.locate(place));
    }
    if !origin.variables.is_empty() {
        let variables = origin.variables.iter();
        object["variables"] = variables
            .map(|variable| trail_json(variable, sources))
            .collect();
    }
    object
}

fn add_place(object: &mut Json, place: Option<Span>, sources: &SourceMap) {
    if let Some(place) = place {
        object["file"] = Json::from(sources.get(place.source).name.as_str());
        object["line"] = Json::from(place.line);
        object["column"] = Json::from(place.column);
    }
}
