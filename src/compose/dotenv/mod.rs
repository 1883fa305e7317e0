//! `.env` and `env_file` files, read as docker compose reads them
//! (see `docs/decisions/dotenv.md`).

mod escape;
mod parser;
mod raw;

use indexmap::IndexMap;

use super::diagnostic::Diagnostic;
use super::source::Span;

pub use parser::{parse, read, read_after};
pub use raw::{parse_raw, read_raw};

/// Variables of a file keyed by name, in the order of the file; the last of several wins.
pub type Variables = IndexMap<String, Variable>;

/// What could be read of an env file.
#[derive(Debug, Default)]
pub struct Reading {
    /// The variables of the lines that can be read.
    pub variables: Variables,
    /// What is wrong, each line with its place.
    pub problems: Vec<Diagnostic>,
}

impl Reading {
    /// The variables if nothing is wrong, else the first problem.
    fn whole(self) -> Result<Variables, Box<Diagnostic>> {
        match self.problems.into_iter().next() {
            None => Ok(self.variables),
            Some(problem) => Err(Box::new(problem)),
        }
    }
}

/// One variable of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The value; `None` for a name without a value that nothing around the file knows either.
    pub value: Option<String>,
    /// Where the name stands.
    pub span: Span,
}

#[cfg(test)]
mod tests;
