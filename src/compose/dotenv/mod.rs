//! `.env` and `env_file` files, read as docker compose reads them
//! (see `docs/decisions/dotenv.md`).

mod escape;
mod parser;
mod raw;

use indexmap::IndexMap;

use super::source::Span;

pub use parser::parse;
pub use raw::parse_raw;

/// Variables of a file keyed by name, in the order of the file; the last of several wins.
pub type Variables = IndexMap<String, Variable>;

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
