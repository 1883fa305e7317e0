//! One instruction of a Dockerfile.

use super::Document;
use crate::build::progress::Lines;
use crate::{Error, Result};

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Upper case: `COPY`.
    pub(crate) name: String,
    /// `--from=x` as (`from`, `x`); a flag without value has an empty one.
    pub(crate) flags: Vec<(String, String)>,
    /// Everything after the flags.
    pub(crate) rest: String,
    /// Everything after the name, as written on one line.
    pub(crate) arguments: String,
    /// Its here-documents, in the order of their marks.
    pub(crate) documents: Vec<Document>,
    /// What takes the meaning of the letter that follows.
    pub(crate) escape: char,
    /// Where it is, with its here-documents.
    pub(crate) lines: Lines,
}

impl Instruction {
    /// Whether it may have here-documents; `ONBUILD` as the instruction in it.
    pub(super) fn takes_documents(&self) -> bool {
        let takes = |name: &str| matches!(name, "RUN" | "COPY" | "ADD");
        let inner = self.rest.split_whitespace().next().unwrap_or_default();
        let of_trigger = self.name == "ONBUILD" && takes(&inner.to_ascii_uppercase());
        of_trigger || (takes(&self.name) && self.json().is_none())
    }

    /// Whether it may change files, and not the configuration alone.
    pub(crate) fn changes_files(&self) -> bool {
        matches!(
            self.name.as_str(),
            "FROM" | "RUN" | "COPY" | "ADD" | "WORKDIR"
        )
    }

    /// The JSON form `["a", "b"]`, where it is one.
    pub(crate) fn json(&self) -> Option<Vec<String>> {
        if !self.rest.starts_with('[') {
            return None;
        }
        serde_json::from_str(&self.rest).ok()
    }

    /// As written, on one line; of here-documents that are scripts the beginning.
    pub(crate) fn text(&self) -> String {
        let text = format!("{} {}", self.name, self.arguments);
        let text = text.trim_end();
        match self.documents.as_slice() {
            [script] if self.is_script() => {
                let script = script.text();
                let first = script.lines().next().unwrap_or_default();
                let more = if script.lines().count() > 1 {
                    "…"
                } else {
                    ""
                };
                format!("{text} ({first}{more})")
            }
            _ => text.to_owned(),
        }
    }

    /// Whether it is a `RUN` of nothing but a here-document.
    pub(crate) fn is_script(&self) -> bool {
        self.name == "RUN" && self.documents.len() == 1 && Document::of(&self.rest).is_some()
    }

    /// The instruction with its here-documents, as a Dockerfile has it.
    pub(crate) fn rest_with_documents(&self) -> String {
        let mut text = self.rest.clone();
        for document in &self.documents {
            text.push('\n');
            text.push_str(&document.content);
            text.push_str(&document.name);
        }
        text
    }

    /// 400 about this instruction.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::bad_request(format!(
            "dockerfile line {}: {}: {message}",
            self.lines.first, self.name
        ))
    }

    /// The value of a flag.
    pub(crate) fn flag(&self, name: &str) -> Option<&str> {
        let mut flags = self.flags.iter().filter(|(key, _)| key == name);
        flags.next_back().map(|(_, value)| value.as_str())
    }

    /// All values of a flag.
    pub(crate) fn flag_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let flags = self.flags.iter().filter(move |(key, _)| key == name);
        flags.map(|(_, value)| value.as_str())
    }

    /// Whether a flag is on: without value, or `true`.
    ///
    /// # Errors
    /// 400 for another value.
    pub(crate) fn is_on(&self, name: &str) -> Result<bool> {
        match self.flag(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("" | "true") => Ok(true),
            Some(other) => Err(self.error(format!(
                "expecting boolean value for flag --{name}, not: {other}"
            ))),
        }
    }
}
