//! Dockerfiles as they were written: instructions, stages and commands, each with its place.
//!
//! Pure, and forgiving: what cannot be read becomes a [`Problem`] with its place, and reading goes on
//! behind it (see `docs/decisions/dockerfile.md`). Places are byte ranges of the text.

mod check;
mod here_document;
mod instruction;
mod joined;
mod locate;
mod reader;
pub mod shell;
mod stage;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

pub use here_document::HereDocument;
pub use instruction::{Flag, Instruction, Keyword, Pair};
pub use joined::Joined;
pub use locate::locate_step;
pub use stage::{Stage, is_scratch};
pub use words::{Word, variables, words};

/// A Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// All instructions that could be read, in order.
    pub instructions: Vec<Instruction>,
    /// Places of the comments, from `#` to the end of the line.
    pub comments: Vec<Range<usize>>,
    /// What `# syntax=` says: the image of a frontend.
    pub syntax: Option<String>,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Something that no builder would accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its place.
    pub range: Range<usize>,
    /// What is wrong: lower-case, without a full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Reads a Dockerfile. Never fails: see [`Dockerfile::problems`].
///
/// ```
/// let file = rcompose::dockerfile::parse("FROM alpine:3.22\nRUN apk add \\\n  git\n");
/// assert_eq!(file.instructions[1].arguments.text(), "apk add   git");
/// assert!(file.problems.is_empty());
/// ```
pub fn parse(text: &str) -> Dockerfile {
    let mut file = reader::Reader::new(text).read();
    check::check(&mut file, text);
    file.problems.sort_by_key(|problem| problem.range.start);
    file
}
