//! What a command can fail with, and how that is shown: once, at the end of the program.

use std::io;
use std::process::ExitCode;

use crate::compose::LoadError;
use crate::ui;

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
    /// The engine refused or did not answer.
    #[error("{}", engine_message(.0))]
    Engine(#[from] bollard::errors::Error),
    /// Running failed.
    #[error(transparent)]
    Run(#[from] crate::run::Error),
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
    /// One JSON object a line instead of text.
    pub json: bool,
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
    pub fn show(&self, style: &Style) -> ExitCode {
        let text = match self {
            Self::Exit(_) => String::new(),
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Self::Load(error) if !style.json => {
                ui::diagnostics::render(&error.diagnostics, &error.sources, style.color)
            }
            Self::User {
                message,
                help: Some(help),
            } if !style.json => format!("{message}\n  {help}\n"),
            Self::Run(crate::run::Error {
                message,
                remedy: Some(remedy),
                ..
            }) if !style.json => format!("{message}\n  {remedy}\n"),
            _ if style.json => ui::json_error(&self.to_string()) + "\n",
            _ => format!("{self}\n"),
        };
        // Nobody is left to tell when standard error is closed.
        let _ = ui::out::stderr(&text);
        ExitCode::from(self.code())
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

/// The engine's own words where it answered, otherwise what went wrong with the connection.
fn engine_message(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}
