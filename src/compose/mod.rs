//! Compose files → [`model::Project`]. Knows no engine, clock or terminal.
//!
//! One module per stage; every stage works on spanned [`node::Node`]s, so an error of any
//! stage can say where.

pub mod diagnostic;
pub mod dotenv;
pub mod model;
pub mod node;
pub mod options;
pub mod source;
pub mod template;
pub mod yaml;

pub use diagnostic::{Diagnostic, LoadError, Severity};
pub use model::Project;
pub use options::LoadOptions;
pub use source::{SourceMap, Span};
