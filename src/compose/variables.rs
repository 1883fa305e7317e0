//! The variables that a project's files use, for `config --variables`.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::template;

/// A variable and what its uses say of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variable {
    /// Value taken where the variable is unset; empty where none is given.
    pub default: String,
    /// Text that replaces the variable where it is set; empty where none is given.
    pub alternate: String,
    /// Whether loading fails without it.
    pub required: bool,
}

/// The variables in every text of a tree that was loaded without interpolation, by name.
///
/// Where uses differ, the last in a list counts. Among the entries of a mapping docker compose
/// picks one at random; here it is the one that tells most: a use that is a whole value before
/// one inside a longer text, one with a default before one without, else the last.
pub fn variables(tree: &Node) -> BTreeMap<String, Variable> {
    let found = collect(tree).into_iter();
    found.map(|(name, used)| (name, used.variable)).collect()
}

struct Use {
    variable: Variable,
    /// Whether it is all of the text it is in.
    whole: bool,
}

impl Use {
    fn rank(&self) -> (bool, bool) {
        (self.whole, !self.variable.default.is_empty())
    }
}

fn collect(node: &Node) -> BTreeMap<String, Use> {
    match &node.value {
        Value::Str(text) if text.contains('$') => of_text(text),
        Value::Seq(items) => items.iter().flat_map(collect).collect(),
        Value::Map(map) => {
            let mut found: BTreeMap<String, Use> = BTreeMap::new();
            for (name, used) in map.values().flat_map(|entry| collect(&entry.node)) {
                if found
                    .get(&name)
                    .is_none_or(|known| known.rank() <= used.rank())
                {
                    found.insert(name, used);
                }
            }
            found
        }
        _ => BTreeMap::new(),
    }
}

fn of_text(text: &str) -> BTreeMap<String, Use> {
    let uses = template::variables(text).into_iter().map(|used| {
        let whole = used.range == (0..text.len());
        let variable = Variable {
            default: used.default.unwrap_or_default(),
            alternate: used.alternate.unwrap_or_default(),
            required: used.required,
        };
        (used.name, Use { variable, whole })
    });
    uses.collect()
}

#[cfg(test)]
mod tests {
    use super::variables;
    use crate::compose::testing::node;

    fn default_of(text: &str) -> String {
        variables(&node(text))["A"].default.clone()
    }

    #[test]
    fn the_last_use_in_a_list_counts() {
        assert_eq!(default_of("['${A:-1}', '${A:-2}', 'x $A']"), "");
        assert_eq!(default_of("['$A x ${A:-1}']"), "1");
    }

    #[test]
    fn in_a_mapping_the_use_counts_that_tells_most() {
        assert_eq!(default_of("{a: '${A:-1}', b: '${A-2}', c: $A}"), "2");
        assert_eq!(default_of("{a: '$A', b: 'x:${A-2}'}"), "");
    }
}
