//! What a command can fail with, and how that is shown: once, at the end of the program.

use std::io;
use std::process::ExitCode;

use crate::compose::diagnostic::similar::similar;
use crate::compose::{Diagnostic, LoadError, Project, SourceMap, code};
use crate::run;
use crate::ui;
use crate::ui::diagnostics::{self, Format, excerpt};
use crate::ui::template::TemplateError;

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something the person asked for cannot be done.
    #[error("{message}")]
    User {
        /// What is wrong: lower-case, without a full stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The project does not load.
    #[error(transparent)]
    Load(#[from] Box<LoadError>),
    /// Talking to the engine or carrying out a plan failed.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The program ends with this code; everything has been said already.
    #[error("exit code {0}")]
    Exit(u8),
}

/// How errors are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// One JSON object a line instead of text, as docker compose writes it where progress is JSON.
    pub json: bool,
    /// How problems are written; anything but [`Format::Human`] beats `json`.
    pub diagnostics: Format,
    /// With colours.
    pub color: bool,
}

/// Exit code of a program whose standard output was closed: that of a death by `SIGPIPE`.
const BROKEN_PIPE: u8 = 141;

impl Error {
    /// A message for the person.
    pub fn user(message: impl Into<String>) -> Self {
        Self::User {
            message: message.into(),
            help: None,
        }
    }

    /// A service that the project does not have, with the one that may have been meant.
    pub fn no_such_service(name: &str, project: &Project) -> Self {
        let message = format!("no such service: {name}");
        if project.disabled_services.contains_key(name) {
            return Self::user(message)
                .help("it is not enabled: name one of its profiles with --profile");
        }
        match similar(name, project.services.keys().map(String::as_str)) {
            Some(known) => Self::user(message).help(format!("did you mean \"{known}\"?")),
            None => Self::user(message),
        }
    }

    /// Adds what to do about it to a [`Error::User`].
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        if let Self::User { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// Ends the program with the exit code of a process: 0 to 255, anything else becomes 255.
    pub fn exit(code: i64) -> Self {
        Self::Exit(u8::try_from(code).unwrap_or(u8::MAX))
    }

    /// The exit code of the program.
    pub fn code(&self) -> u8 {
        match self {
            Self::Exit(code) => *code,
            Self::Run(error) => error.code,
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => BROKEN_PIPE,
            _ => 1,
        }
    }

    /// Writes the error to standard error and returns the exit code.
    pub fn show(&self, style: Style) -> ExitCode {
        // Nobody is left to tell when standard error is closed.
        let _ = ui::out::stderr(&self.text(style));
        ExitCode::from(self.code())
    }

    fn text(&self, style: Style) -> String {
        match self {
            // docker compose ends with an empty line where a process ended with that code.
            Self::Exit(0) => String::new(),
            Self::Exit(_) => "\n".to_owned(),
            Self::Run(error) if error.kind == run::error::Kind::Interrupted => "\n".to_owned(),
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            _ if style.diagnostics == Format::Json => {
                if let Self::Load(error) = self {
                    diagnostics::json(&error.diagnostics, &error.sources)
                } else {
                    let (problem, sources) = self.diagnostic();
                    diagnostics::json(&[problem], &sources)
                }
            }
            _ if style.diagnostics == Format::Sarif => {
                let mut report = diagnostics::Sarif::default();
                self.report(&mut report);
                report.document()
            }
            Self::Load(error) if style.json => json(error),
            _ if style.json => ui::json_error(&self.to_string()) + "\n",
            Self::Load(error) => {
                diagnostics::render(&error.diagnostics, &error.sources, style.color)
            }
            Self::Run(error) if error.excerpt.is_some() => {
                error.excerpt.as_ref().map_or_else(String::new, |excerpt| {
                    let help = error.remedy.as_deref();
                    excerpt::render(&error.message, excerpt, help, style.color)
                })
            }
            _ => paragraph(&self.to_string(), self.remedy()),
        }
    }

    /// What to do about it.
    fn remedy(&self) -> Option<&str> {
        match self {
            Self::User { help, .. } => help.as_deref(),
            Self::Run(error) => error.remedy.as_deref(),
            Self::Load(_) | Self::Io(_) | Self::Exit(_) => None,
        }
    }

    /// The error as a problem, with the file that it is in.
    fn diagnostic(&self) -> (Diagnostic, SourceMap) {
        if let Self::Run(error) = self
            && let Some(excerpt) = &error.excerpt
        {
            return excerpt::problem(&error.message, excerpt, error.remedy.as_deref());
        }
        let mut problem = Diagnostic::error(self.to_string()).code(code::COMMAND);
        problem.help = self.remedy().map(str::to_owned);
        (problem, SourceMap::default())
    }

    /// Adds what went wrong to a report; whether there is anything to say about it.
    pub(super) fn report(&self, report: &mut diagnostics::Sarif) -> bool {
        match self {
            Self::Load(error) => report.add(&error.diagnostics, &error.sources),
            Self::Exit(_) => return false,
            _ => {
                let (problem, sources) = self.diagnostic();
                report.add(&[problem], &sources);
            }
        }
        true
    }
}

/// Each problem as an object of its own, with its place.
fn json(error: &LoadError) -> String {
    let lines = error.diagnostics.iter().map(|diagnostic| {
        let message = diagnostics::headline(diagnostic, &error.sources);
        if diagnostic.is_error() {
            ui::json_error(&message) + "\n"
        } else {
            ui::warning::json(&message)
        }
    });
    lines.collect()
}

/// The message, and below it what to do.
fn paragraph(message: &str, help: Option<&str>) -> String {
    match help {
        Some(help) => format!("{message}\n  {help}\n"),
        None => format!("{message}\n"),
    }
}

impl From<bollard::errors::Error> for Error {
    fn from(error: bollard::errors::Error) -> Self {
        Self::Run(error.into())
    }
}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        Self::user(error.to_string())
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}
