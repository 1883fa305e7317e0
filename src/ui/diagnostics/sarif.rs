//! Problems as a SARIF 2.1.0 document, which code hosts and editors show beside the lines.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::origin;
use crate::compose::{Code, Diagnostic, SourceMap, Span};

/// The document, being filled: one process writes one.
#[derive(Debug, Default)]
pub struct Report {
    rules: BTreeSet<Code>,
    results: Vec<Value>,
}

impl Report {
    /// Adds problems, whose places are in `sources`.
    pub fn add(&mut self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        for diagnostic in diagnostics {
            self.rules.insert(diagnostic.code);
            self.results.push(result(diagnostic, sources));
        }
    }

    /// The document as text that ends with a newline.
    pub fn document(&self) -> String {
        let rules: Vec<Value> = self.rules.iter().map(rule).collect();
        let document = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "rcompose",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        });
        format!("{document:#}\n")
    }
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": { "text": code.summary },
    })
}

fn result(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": diagnostic.code.id,
        "level": diagnostic.severity.as_str(),
        "message": { "text": text },
    });
    if let Some(span) = diagnostic.span {
        let mut location = location(span, sources);
        if let Some(path) = &diagnostic.path {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": path }]);
        }
        result["locations"] = json!([location]);
    }
    let related = related(diagnostic, sources);
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

/// Other places that matter, and those that led to the file.
fn related(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<Value> {
    let marked = diagnostic
        .related
        .iter()
        .map(|(span, text)| (*span, text.clone()));
    let steps = origin(diagnostic.span, sources).into_iter().map(|step| {
        (
            step.span,
            format!("{} here", step.verb().trim_end_matches(" at")),
        )
    });
    marked
        .chain(steps)
        .enumerate()
        .map(|(index, (span, text))| {
            let mut location = location(span, sources);
            location["id"] = (index + 1).into();
            location["message"] = json!({ "text": text });
            location
        })
        .collect()
}

fn location(span: Span, sources: &SourceMap) -> Value {
    let end = sources.end_of(span);
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&sources.get(span.source).name) },
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": end.line,
                "endColumn": end.column,
                "byteOffset": span.start,
                "byteLength": span.end.saturating_sub(span.start),
            },
        },
    })
}

/// A path as a URI reference: relative ones stay relative.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("a b/ü.yaml"), "a%20b/%C3%BC.yaml");
        assert_eq!(uri("/srv/compose.yaml"), "file:///srv/compose.yaml");
    }
}
