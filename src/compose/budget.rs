//! What the expansions of one load may add: a few bytes of aliases, `extends`, port ranges or
//! variables can ask for terabytes.

use super::diagnostic::{Diagnostic, code};
use super::node::{Entry, Node, Value};

/// Most memory that everything written once and used several times may take, in bytes.
const TOTAL: usize = 64 << 20;

/// How much may still be added.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    /// The whole budget of a load.
    pub(crate) fn new() -> Self {
        Self { left: TOTAL }
    }

    /// Takes `cost` bytes; `None` when they are not there, and from then on.
    pub(crate) fn take(&mut self, cost: usize) -> Option<()> {
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.map(|_| ())
    }
}

/// What a copy of `node` takes, in bytes.
pub(crate) fn cost(node: &Node) -> usize {
    size_of::<Node>() + beyond(&node.value)
}

/// What a value takes besides the node it is in.
fn beyond(value: &Value) -> usize {
    match value {
        Value::Str(text) | Value::Timestamp(text) => allocated(text.len()),
        Value::Seq(items) => items.iter().map(cost).sum(),
        Value::Map(map) => map
            .iter()
            .map(|(key, entry)| {
                size_of::<(String, Entry)>() + allocated(key.len()) + beyond(&entry.node.value)
            })
            .sum(),
        _ => 0,
    }
}

/// What an allocator makes of a text: whole blocks, each with a header.
fn allocated(length: usize) -> usize {
    (length + size_of::<usize>()).next_multiple_of(16).max(32)
}

/// The [`Budget`] is used up; `what` names, in the plural, what asked for more.
pub(crate) fn exceeded(what: &str) -> Diagnostic {
    Diagnostic::error(format!("{what} expand to more than {} MiB", TOTAL >> 20)).code(code::LIMIT)
}

/// Whether a problem says that a limit was reached: once is enough.
pub(crate) fn is_limit(problem: &Diagnostic) -> bool {
    problem.code == code::LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_stays_so() {
        let mut budget = Budget::new();
        assert_eq!(budget.take(TOTAL), Some(()));
        assert_eq!(budget.take(1), None);
        let mut budget = Budget::new();
        assert_eq!(budget.take(TOTAL + 1), None);
        assert_eq!(budget.take(1), None);
        assert_eq!(budget.take(0), Some(()));
    }
}
