//! Compose files → [`model::Project`]. Knows no engine, clock or terminal.
//!
//! One module per stage; every stage works on spanned [`node::Node`]s, so an error of any
//! stage can say where.

pub mod artifact;
mod budget;
mod canonical;
mod consistency;
pub mod decode;
pub mod diagnostic;
mod discover;
pub mod dotenv;
pub mod emit;
mod environment;
mod extends;
pub(crate) mod first_format;
#[cfg(test)]
mod generate;
mod include;
mod interpolate;
mod load;
#[cfg(test)]
mod load_tests;
mod loader;
mod located;
mod map;
mod merge;
pub mod model;
mod name;
pub mod node;
mod normalize;
pub mod options;
mod path;
mod paths;
mod profiles;
#[cfg(test)]
mod properties;
pub mod provenance;
mod read;
mod scalar;
#[cfg(test)]
mod schema;
pub mod source;
pub mod template;
#[cfg(test)]
mod testing;
mod uninterpolated;
mod validate;
mod variables;
mod written;
pub mod yaml;

pub(crate) use canonical::is_bind_source;
pub use diagnostic::{Code, Diagnostic, LoadError, Severity, code};
pub use load::{
    Loaded, LoadedTree, environment as variables_in_reach, load, load_recorded, load_tree,
};
pub use model::Project;
pub use name::normalize as normalize_name;
pub use options::LoadOptions;
pub(crate) use scalar::text as scalar_text;
pub use source::{SourceMap, Span};
pub use variables::{Variable, variables};
pub use written::{EnvText, Written, load_written};
