//! Steps of a plan → lines on the screen.

mod board;
mod build;
mod json;
mod plain;
mod tty;

pub use board::Board;
pub use build::{BuildLines, build_step};
pub use json::line as json_line;
pub use plain::line as plain_line;
pub use tty::{Frame, frame};

use crate::report::event::Step;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// [`Mode::Tty`] on a terminal, otherwise [`Mode::Plain`].
    Auto,
    /// One line for each resource, redrawn in place.
    Tty,
    /// One line for each change.
    Plain,
    /// One JSON object for each change.
    Json,
    /// Not at all.
    Quiet,
}

impl Mode {
    /// Decides [`Mode::Auto`].
    #[must_use]
    pub fn resolve(self, is_terminal: bool) -> Self {
        match self {
            Self::Auto if is_terminal => Self::Tty,
            Self::Auto => Self::Plain,
            decided => decided,
        }
    }
}

/// What goes before every line of a dry run.
const DRY_RUN: &str = " DRY-RUN MODE - ";

/// A step as docker compose tells it: a text and, separately, a status. A resource has only the
/// status, the pull of a service's image only the text; what has details has both.
fn words(step: &Step) -> (&str, &str) {
    match (&step.detail, &step.parent) {
        (Some(detail), _) => (&step.text, detail),
        (None, Some(_)) => (&step.text, ""),
        (None, None) if is_of_pull(&step.text) => (&step.text, ""),
        (None, None) => ("", &step.text),
    }
}

fn is_of_pull(text: &str) -> bool {
    matches!(text, "Pulling" | "Pulled" | "Skipped") || text.starts_with("Skipped - ")
}
