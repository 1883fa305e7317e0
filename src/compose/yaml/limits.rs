//! Bounds on what a file may cost: a few bytes of YAML can ask for terabytes.

use super::super::budget;
use super::super::diagnostic::{Diagnostic, code};
use super::super::read;

/// Longest text that is read, in bytes.
pub(super) const MAX_BYTES: usize = read::MAX_BYTES;

/// Deepest nesting of lists and mappings. Later stages recurse as deep.
pub(super) const MAX_DEPTH: usize = 200;

/// Most nodes in all documents of a file, aliases not expanded.
pub(super) const MAX_NODES: usize = 1_000_000;

/// Most problems of a file; what is behind them is not read.
pub(super) const MAX_PROBLEMS: usize = 1000;

/// Most documents of a file.
pub(super) const MAX_DOCUMENTS: usize = 4096;

/// The file is longer than [`MAX_BYTES`].
pub(super) fn too_large(bytes: usize) -> Diagnostic {
    Diagnostic::error(format!(
        "file is too large: {} MiB, at most {} MiB can be read",
        bytes.div_ceil(1 << 20),
        MAX_BYTES >> 20
    ))
    .code(code::LIMIT)
    .help("split it and use `include`")
}

/// Nesting is deeper than [`MAX_DEPTH`].
pub(super) fn too_deep() -> Diagnostic {
    Diagnostic::error(format!("nesting is deeper than {MAX_DEPTH} levels"))
        .code(code::LIMIT)
        .help("look for brackets that are not closed above this place")
}

/// There are more nodes than [`MAX_NODES`].
pub(super) fn too_many() -> Diagnostic {
    Diagnostic::error(format!("file has more than {MAX_NODES} values"))
        .code(code::LIMIT)
        .help("split it and use `include`")
}

/// There are more problems than [`MAX_PROBLEMS`].
pub(super) fn too_many_problems() -> Diagnostic {
    Diagnostic::error(format!(
        "file has more than {MAX_PROBLEMS} problems: what is behind this place is not read"
    ))
    .code(code::LIMIT)
}

/// There are more documents than [`MAX_DOCUMENTS`].
pub(super) fn too_many_documents() -> Diagnostic {
    Diagnostic::error(format!("file has more than {MAX_DOCUMENTS} documents"))
        .code(code::LIMIT)
        .help("a line of `---` starts a new one; merge them")
}

/// The budget is used up.
pub(super) fn too_many_copies() -> Diagnostic {
    budget::exceeded("aliases")
        .label("this would be copied once more")
        .help("use fewer nested aliases")
}
