//! `env-for-arg`: settings of the build that reach every container.

use crate::compose::Diagnostic;
use crate::dockerfile::{Instruction, Keyword, Pair};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

/// Variables that say something to programs of a build only.
const NAMES: [&str; 5] = [
    "DEBIAN_FRONTEND",
    "DEBCONF_NONINTERACTIVE_SEEN",
    "DEBCONF_NOWARNINGS",
    "APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE",
    "APT_LISTCHANGES_FRONTEND",
];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Env, &mut |step| {
        let pairs = step.instruction.pairs();
        let own = step.stage.instructions;
        for pair in pairs.into_iter().filter(|_| step.is_shipped) {
            if NAMES.contains(&pair.name.as_str()) && !is_reset(own, &pair) {
                let help = format!("write ARG {}", pair.name);
                report.add(
                    Diagnostic::warning(format!(
                        "{} is for the build, and every container gets it",
                        pair.name
                    ))
                    .at(step.at(pair.range))
                    .help(help),
                );
            }
        }
    });
}

/// Whether a variable is taken back in its stage, or this does it.
fn is_reset(stage: &[Instruction], pair: &Pair) -> bool {
    let is_empty = |value: &Option<String>| value.as_deref().is_some_and(str::is_empty);
    let variables = stage.iter().filter(|one| one.keyword == Keyword::Env);
    variables
        .flat_map(Instruction::pairs)
        .filter(|other| other.range.start >= pair.range.start)
        .any(|other| other.name == pair.name && is_empty(&other.value))
}
