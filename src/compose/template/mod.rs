//! `${…}` in values: compose-spec, 12-interpolation.md.

mod substitute;
mod syntax;
mod variables;

pub use substitute::{TemplateError, TemplateErrorKind, substitute};
pub use variables::{VariableUse, variables};
