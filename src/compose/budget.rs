//! What the expansions of one load may add: a few bytes of aliases, `extends`, port ranges or
//! variables can ask for terabytes.

use super::diagnostic::{Diagnostic, code};
use super::node::{Node, Value};

/// Most memory that everything written once and used several times may take, in bytes.
const TOTAL: usize = 64 << 20;

/// What one node costs besides its text, in bytes.
const NODE_COST: usize = 120;

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
