//! Bounds on what a file may cost: a few bytes of YAML can ask for terabytes.

use super::super::diagnostic::{Diagnostic, code};
use super::super::node::{Node, Value};

/// Longest text that is read, in bytes.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Deepest nesting of lists and mappings. Later stages recurse as deep.
pub(super) const MAX_DEPTH: usize = 200;

/// Most nodes in all documents of a file, aliases not expanded.
pub(super) const MAX_NODES: usize = 1_000_000;

/// After how many problems a file is read no further.
pub(super) const MAX_PROBLEMS: usize = 1_000;

/// Most memory that copies made for anchors and aliases may take, in bytes.
const MAX_COPIED: usize = 64 << 20;

/// What one node costs besides its text, in bytes.
const NODE_COST: usize = 160;

/// How much may still be copied for anchors and aliases.
pub(super) struct CopyBudget {
    left: usize,
}

impl CopyBudget {
    /// The whole budget of a file.
    pub(super) fn new() -> Self {
        Self { left: MAX_COPIED }
    }

    /// Takes `cost` bytes; `None` when they are not there.
    pub(super) fn take(&mut self, cost: usize) -> Option<()> {
        self.left = self.left.checked_sub(cost)?;
        Some(())
    }
}

/// What a copy of `node` takes, in bytes.
pub(super) fn cost(node: &Node) -> usize {
    NODE_COST
        + match &node.value {
            Value::Str(text) | Value::Timestamp(text) => text.len(),
            Value::Seq(items) => items.iter().map(cost).sum(),
            Value::Map(map) => map
                .iter()
                .map(|(key, entry)| key.len() + cost(&entry.node))
                .sum(),
            _ => 0,
        }
}

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
    Diagnostic::error("there are too many problems to go on").code(code::LIMIT)
}

/// The [`CopyBudget`] is used up.
pub(super) fn too_many_copies() -> Diagnostic {
    Diagnostic::error(format!(
        "aliases expand to more than {} MiB",
        MAX_COPIED >> 20
    ))
    .code(code::LIMIT)
    .label("this would be copied once more")
    .help("use fewer nested aliases")
}
