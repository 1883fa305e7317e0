//! Compose files → [`model::Project`]. Knows no engine, clock or terminal.
//!
//! One module per stage; every stage works on spanned [`node::Node`]s, so an error of any
//! stage can say where.

pub mod decode;
pub mod diagnostic;
pub mod dotenv;
pub mod emit;
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

/// A loaded project.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The project.
    pub project: Project,
    /// What is wrong but does not prevent loading.
    pub warnings: Vec<Diagnostic>,
    /// The files that places refer to.
    pub sources: SourceMap,
}

/// Loads a project.
///
/// # Errors
/// Always, in this build.
pub fn load(_options: &LoadOptions) -> Result<Loaded, LoadError> {
    Err(LoadError {
        diagnostics: vec![Diagnostic::error(
            "loading compose files is not available in this build",
        )],
        sources: SourceMap::default(),
    })
}
