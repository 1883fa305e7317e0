//! The name of a build's step → its instruction.

use std::ops::Range;

use super::Dockerfile;
use super::instruction::{Instruction, Keyword};
use super::stage::{Stage, is_scratch};

/// The place of the instruction that a builder's step runs, all lines of it, or nothing where the step
/// is none of the file's.
///
/// `step` is what the builder calls it: `[builder 2/4] RUN make`, `[2/4] RUN make` (one stage),
/// `[linux/amd64 stage-1 2/4] …`, or the first builder's `Step 2/7 : RUN make`.
///
/// ```
/// use rcompose::dockerfile::{locate_step, parse};
///
/// let text = "FROM alpine:3.22\nENV A=1\nRUN make\n";
/// let place = locate_step(&parse(text), "[2/2] RUN make");
/// assert_eq!(place.map(|place| &text[place]), Some("RUN make"));
/// ```
pub fn locate_step(file: &Dockerfile, step: &str) -> Option<Range<usize>> {
    if let Some(rest) = step.strip_prefix("Step ") {
        return numbered(file, rest);
    }
    let (label, command) = step.strip_prefix('[')?.split_once("] ")?;
    let words: Vec<&str> = label.split_whitespace().collect();
    let (count, names) = words.split_last()?;
    let (number, total) = count.split_once('/')?;
    let (number, total): (usize, usize) = (number.parse().ok()?, total.parse().ok()?);
    let stages = file.stages();
    let named = names
        .last()
        .and_then(|name| stages.iter().find(|stage| is_labelled(stage, name)));
    // A stage alone has no name in steps.
    let alone = (stages.len() == 1).then(|| &stages[0]);
    let stage = named.or(alone)?;
    let starts_from_stage = file.stage_before(&stage.base.text, stage.index).is_some();
    let has_from = !is_scratch(&stage.base.text) && !starts_from_stage;
    // What the base image asks for stands in none of this file's lines but its FROM.
    if has_from && number == 1 || command.starts_with("ONBUILD ") {
        return Some(stage.from.range.clone());
    }
    in_stage(stage, usize::from(has_from), number, total, command)
}

/// The place of step `number` of `total` of a stage, `own` of which are not among its instructions.
fn in_stage(
    stage: &Stage<'_>,
    own: usize,
    number: usize,
    total: usize,
    command: &str,
) -> Option<Range<usize>> {
    let steps: Vec<&Instruction> = stage
        .instructions
        .iter()
        .filter(|instruction| instruction.keyword.is_step())
        .collect();
    // Triggers of the base image come in front of the stage's own steps.
    let triggers = total.saturating_sub(steps.len() + own);
    let index = number.checked_sub(1 + own + triggers);
    // `WORKDIR /` makes no folder: it is counted, but has no number.
    let mut numbered = steps.iter().filter(|instruction| {
        instruction.keyword != Keyword::Workdir || instruction.arguments.text() != "/"
    });
    let by_number = index.and_then(|index| numbered.nth(index).copied());
    best(&steps, by_number, command)
}

fn is_labelled(stage: &Stage<'_>, label: &str) -> bool {
    match &stage.name {
        Some(name) => name.text.eq_ignore_ascii_case(label),
        None => label.strip_prefix("stage-") == Some(&stage.index.to_string()),
    }
}

/// Steps of the first builder count every instruction.
fn numbered(file: &Dockerfile, rest: &str) -> Option<Range<usize>> {
    let (count, command) = rest.split_once(" : ")?;
    let number: usize = count.split('/').next()?.trim().parse().ok()?;
    let all: Vec<&Instruction> = file.instructions.iter().collect();
    let by_number = all.get(number.checked_sub(1)?).copied();
    best(&all, by_number, command)
}

/// The instruction by its number if it does what the step says, else the first that says the same.
fn best(
    steps: &[&Instruction],
    by_number: Option<&Instruction>,
    command: &str,
) -> Option<Range<usize>> {
    let name = command.split_whitespace().next().unwrap_or_default();
    let keyword = Keyword::parse(name)?;
    let wanted = words(command);
    let same = |instruction: &&&Instruction| instruction.keyword == keyword;
    let found = by_number
        .filter(|instruction| instruction.keyword == keyword && agrees(instruction, &wanted))
        .or_else(|| {
            let mut candidates = steps.iter().filter(same);
            candidates
                .find(|instruction| agrees(instruction, &wanted))
                .copied()
        })
        .or_else(|| by_number.filter(|instruction| instruction.keyword == keyword));
    found.map(|instruction| instruction.range.clone())
}

/// Whether an instruction may be called so: its words are the step's, but for those with variables,
/// which a step shows substituted, and for here-documents.
fn agrees(instruction: &Instruction, step: &[String]) -> bool {
    let own = words(instruction.arguments.text());
    let shown = step
        .iter()
        .skip(1)
        .skip_while(|word| word.starts_with("--"));
    own.iter()
        .take_while(|word| !word.contains(['$', '<', '"', '\'', '\\']))
        .zip(shown)
        .all(|(own, shown)| own == shown)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
