//! The answer to a question: what has been said about a value, by whom, and what came of it.

use serde_json::Value as Json;

use crate::compose::source::Span;

/// What was asked and what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The question as it was put.
    pub question: String,
    /// What it is about.
    pub subject: Subject,
    /// The value: that of a variable for the project's own files. `None` where it is not set.
    pub value: Option<Json>,
    /// One trail for each value below the path; for a variable, one for each part of the project
    /// that sees it differently.
    pub trails: Vec<Trail>,
    /// Where a variable is used.
    pub uses: Vec<Use>,
    /// What else to know, lower-case fragments.
    pub notes: Vec<String>,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A path of the model, in its plain spelling.
    Path(String),
    /// A variable.
    Variable(String),
}

/// Everything that was said about one value, weakest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    /// The path of the value, or the name of the variable.
    pub subject: String,
    /// The value as `config` prints it; `None` where it is not set.
    pub value: Option<Json>,
    /// The place that includes the part of the project that this holds for, if it is not the whole.
    pub included: Option<Span>,
    /// The layers.
    pub origins: Vec<Origin>,
}

/// What one layer says about a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// What kind of layer it is.
    pub kind: Kind,
    /// Where it says so.
    pub place: Option<Span>,
    /// The place that brings the layer in: an entry of `include`, `extends`, `env_file`.
    pub via: Option<Span>,
    /// What is written there, or why a default holds.
    pub written: String,
    /// What that means; `None` where it means nothing.
    pub value: Option<Json>,
    /// What came of it.
    pub effect: Effect,
    /// The variables in what is written.
    pub variables: Vec<Trail>,
}

/// Kinds of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The project's first compose file.
    File,
    /// A further compose file or document, merged over those before it.
    Override,
    /// A compose file named by `include`.
    Include,
    /// A service named by `extends`.
    Extends,
    /// `.env`, `--env-file` or the env file of an `include`.
    EnvFile,
    /// An `env_file` of a service.
    ServiceEnvFile,
    /// A `label_file` of a service.
    LabelFile,
    /// The environment of the process.
    Shell,
    /// The text after `:-` or `-`.
    Default,
    /// The text after `:+` or `+`.
    Alternate,
    /// An option of the command line.
    Option,
    /// What holds where nothing is written.
    Implied,
}

/// What came of what a layer says. Numbers are indices into the trail's origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is the value.
    Wins,
    /// It is part of the value.
    Adds,
    /// The layer of that number says something else.
    Overridden(usize),
    /// `!reset` in the layer of that number removed it.
    Removed(usize),
    /// `!override` in the layer of that number replaced it or what it is in.
    Replaced(usize),
    /// This is the `!reset`.
    Resets,
    /// It is empty, which leaves what other layers say.
    Keeps,
    /// It is empty, and `:-` takes empty for unset.
    Empty,
    /// Nothing needed it.
    Unused,
}

/// A place where a variable is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The place of the text it is in.
    pub place: Span,
    /// The path of the text in its document.
    pub path: String,
    /// The text.
    pub written: String,
}

impl Kind {
    /// The name of the kind in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Override => "override",
            Self::Include => "include",
            Self::Extends => "extends",
            Self::EnvFile => "env-file",
            Self::ServiceEnvFile => "service-env-file",
            Self::LabelFile => "label-file",
            Self::Shell => "shell",
            Self::Default => "default",
            Self::Alternate => "alternate",
            Self::Option => "option",
            Self::Implied => "implied",
        }
    }
}

impl Effect {
    /// The name of the effect in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Adds => "adds",
            Self::Overridden(_) => "overridden",
            Self::Removed(_) => "removed",
            Self::Replaced(_) => "replaced",
            Self::Resets => "resets",
            Self::Keeps => "keeps",
            Self::Empty => "empty",
            Self::Unused => "unused",
        }
    }

    /// The layer that did it to this one.
    pub fn by(self) -> Option<usize> {
        match self {
            Self::Overridden(by) | Self::Removed(by) | Self::Replaced(by) => Some(by),
            _ => None,
        }
    }
}
