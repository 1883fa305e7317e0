//! Problems found while loading: what, where, and what to do about it.

pub mod code;
pub(crate) mod similar;
pub(crate) mod tidy;

use super::source::{SourceMap, Span};
pub use code::Code;

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing, and often meant: what linting says quietly.
    Note,
    /// The project loads all the same.
    Warning,
    /// The project cannot be loaded.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One problem. `message` is a lower-case fragment without a full stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Error, warning or note.
    pub severity: Severity,
    /// The kind of problem; [`code::OTHER`] where nothing else was set.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The place, where there is one.
    pub span: Option<Span>,
    /// Text beside the underlined place.
    pub label: Option<String>,
    /// The path of the value in the merged project, `services.web.ports[0]`, where there is one.
    pub path: Option<String>,
    /// Other places that matter, each with a text. How the file came to be read (`include`,
    /// `extends`) is not among them: [`SourceMap`] knows it.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// A note without a place yet.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, message)
    }

    fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            code: code::OTHER,
            message: message.into(),
            span: None,
            label: None,
            path: None,
            related: Vec::new(),
            help: None,
        }
    }

    /// Sets the kind.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Sets the path of the value in the merged project.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets the text beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push((span, text.into()));
        self
    }

    /// Sets the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Loading failed: every problem that was found, with the sources to show them in.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", first_error(.diagnostics))]
pub struct LoadError {
    /// Errors and warnings, in the order in which they were found. At least one is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that the places refer to.
    pub sources: SourceMap,
}

fn first_error(diagnostics: &[Diagnostic]) -> &str {
    diagnostics
        .iter()
        .find(|diagnostic| diagnostic.is_error())
        .map_or("invalid compose project", |diagnostic| &diagnostic.message)
}
