//! Stages of a Dockerfile.

use super::Dockerfile;
use super::instruction::{Instruction, Keyword};
use super::words::Word;

/// A `FROM` with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage<'d> {
    /// Its number, from 0.
    pub index: usize,
    /// The `FROM`.
    pub from: &'d Instruction,
    /// The image or stage it starts from, as it is written. Places are those in the file.
    pub base: Word,
    /// Its name behind `AS`, as it is written.
    pub name: Option<Word>,
    /// What follows the `FROM`.
    pub instructions: &'d [Instruction],
}

impl Stage<'_> {
    /// Whether a text names this stage: by its name, in any case, or by its number.
    pub fn is_named(&self, name: &str) -> bool {
        let named = |own: &Word| own.text.eq_ignore_ascii_case(name);
        self.name.as_ref().is_some_and(named) || name.parse() == Ok(self.index)
    }
}

impl Dockerfile {
    /// The stages, in order.
    pub fn stages(&self) -> Vec<Stage<'_>> {
        let starts: Vec<usize> = self
            .instructions
            .iter()
            .enumerate()
            .filter(|(_, instruction)| instruction.keyword == Keyword::From)
            .map(|(at, _)| at)
            .collect();
        starts
            .iter()
            .enumerate()
            .map(|(index, start)| {
                let end = starts.get(index + 1).copied();
                let end = end.unwrap_or(self.instructions.len());
                let from = &self.instructions[*start];
                let mut words = from.words().into_iter();
                Stage {
                    index,
                    from,
                    base: words.next().unwrap_or_default(),
                    name: words.nth(1),
                    instructions: &self.instructions[start + 1..end],
                }
            })
            .collect()
    }

    /// The instructions in front of the first `FROM`: `ARG`s that hold for all of them.
    pub fn global(&self) -> &[Instruction] {
        let first = self
            .instructions
            .iter()
            .position(|instruction| instruction.keyword == Keyword::From);
        &self.instructions[..first.unwrap_or(self.instructions.len())]
    }

    /// The number of the stage with this name, in any case, among those in front of stage `before`; the
    /// last of them where a name is given twice.
    pub fn stage_before(&self, name: &str, before: usize) -> Option<usize> {
        let mut earlier = self.stages().into_iter().take(before).rev();
        let is_it = |stage: &Stage<'_>| {
            let own = stage.name.as_ref();
            own.is_some_and(|own| own.text.eq_ignore_ascii_case(name))
        };
        earlier.find(is_it).map(|stage| stage.index)
    }
}

/// Whether a stage starts from nothing.
pub fn is_scratch(base: &str) -> bool {
    base == "scratch"
}
