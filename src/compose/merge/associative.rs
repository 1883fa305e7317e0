//! Three files give the same project whether the last two are merged first or the first two.
//!
//! Left out is what the Compose specification does not let be so: `logging` without a driver takes
//! the driver of the one before it, pools without a subnet are all the same pool, `null` for
//! `command` and the like clears what is there, and a kind that differs is a problem.

use proptest::prelude::*;

use super::{enforce_unique, merge};
use crate::compose::budget::Budget;
use crate::compose::canonical::{self, Context};
use crate::compose::generate::file;
use crate::compose::node::Node;
use crate::compose::testing::{messages, node, show};

/// What loading does with every further file. `None` after a problem.
fn step(mut tree: Node, over: Node) -> Option<Node> {
    let mut problems = Vec::new();
    merge(&mut tree, over, &mut problems);
    enforce_unique(&mut tree);
    let mut budget = Budget::new();
    let mut context = Context {
        lenient: false,
        problems: &mut problems,
        budget: &mut budget,
    };
    canonical::canonicalize(&mut tree, &mut context);
    enforce_unique(&mut tree);
    assert!(
        problems
            .iter()
            .all(|problem| problem.message.contains("is merged with")),
        "{:?}",
        messages(&problems)
    );
    problems.is_empty().then_some(tree)
}

proptest! {
    #[test]
    fn merging_is_associative(first in file(true), second in file(true), third in file(true)) {
        let read = |text: &str| step(node("{}"), node(text));
        let left = read(&first).and_then(|tree| step(tree, node(&second)));
        let left = left.and_then(|tree| step(tree, node(&third)));
        let right = read(&second).and_then(|tree| step(tree, node(&third)));
        let right = read(&first).zip(right).and_then(|(tree, over)| step(tree, over));
        if let (Some(left), Some(right)) = (left, right) {
            prop_assert_eq!(show(&left), show(&right));
        }
    }
}
