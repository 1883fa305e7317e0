//! The stages of a Dockerfile.

use std::collections::HashMap;

use super::expand::{Expander, Lookup, raw_words};
use super::{Build, Instruction};
use crate::api::architecture;
use crate::{Error, Result};

/// A Dockerfile as far as a target needs it.
#[derive(Debug)]
pub(super) struct Plan {
    /// The `ARG`s before the first stage.
    pub(super) globals: Vec<Instruction>,
    /// Their values.
    pub(super) args: HashMap<String, String>,
    /// The stages up to the target, which is the last.
    pub(super) stages: Vec<Planned>,
}

/// One stage.
#[derive(Debug)]
pub(super) struct Planned {
    /// Its name in lower case; empty without one.
    pub(super) name: String,
    /// Its base: a stage, an image or `scratch`.
    pub(super) base: String,
    /// Its `FROM`.
    pub(super) from: Instruction,
    /// Its other instructions.
    pub(super) steps: Vec<Instruction>,
    /// Whether the target is made of it.
    pub(super) is_needed: bool,
}

impl Plan {
    /// Divides instructions into stages and finds those that are needed.
    ///
    /// # Errors
    /// 400 for what is in no stage and for a target that is not there, 501 for other platforms.
    pub(super) fn new(instructions: Vec<Instruction>, build: &Build) -> Result<Self> {
        let mut plan = Self {
            globals: Vec::new(),
            args: HashMap::new(),
            stages: Vec::new(),
        };
        for instruction in instructions {
            if instruction.name == "FROM" {
                let stage = Planned::new(instruction, &plan.args)?;
                plan.stages.push(stage);
            } else if let Some(stage) = plan.stages.last_mut() {
                stage.steps.push(instruction);
            } else if instruction.name == "ARG" {
                plan.global(instruction, build)?;
            } else {
                return Err(instruction.error("no build stage in current context"));
            }
        }
        let target = plan.target(&build.target)?;
        plan.stages.truncate(target + 1);
        plan.mark(target);
        Ok(plan)
    }

    fn global(&mut self, instruction: Instruction, build: &Build) -> Result<()> {
        let known = self.args.clone();
        for (name, default) in arguments(&instruction, &|name| known.get(name).cloned())? {
            if let Some(value) = given(build, &name).or(default) {
                self.args.insert(name, value);
            }
        }
        self.globals.push(instruction);
        Ok(())
    }

    fn target(&self, target: &str) -> Result<usize> {
        let last = self.stages.len().checked_sub(1);
        let last = last.ok_or_else(|| Error::bad_request("no build stage in current context"))?;
        if target.is_empty() {
            return Ok(last);
        }
        self.position(target, self.stages.len()).ok_or_else(|| {
            Error::bad_request(format!("target stage \"{target}\" could not be found"))
        })
    }

    /// The stage that a name or number means, among those before `end`.
    pub(super) fn position(&self, name: &str, end: usize) -> Option<usize> {
        let before = &self.stages[..end];
        let is_named =
            |stage: &Planned| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(name);
        let by_number = || name.parse().ok().filter(|number| *number < end);
        before.iter().rposition(is_named).or_else(by_number)
    }

    /// The stage that is another's base; numbers do not count there.
    pub(super) fn base(&self, number: usize) -> Option<usize> {
        let base = &self.stages[number].base;
        let before = &self.stages[..number];
        let is_named =
            |stage: &Planned| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(base);
        before.iter().rposition(is_named)
    }

    /// How many instructions the build does, triggers apart.
    pub(super) fn count(&self) -> usize {
        self.first_step(self.stages.len()) - 1
    }

    /// Which of them, from 1, a stage begins with.
    pub(super) fn first_step(&self, number: usize) -> usize {
        let before = self.stages[..number].iter();
        let needed = before.filter(|stage| stage.is_needed);
        let steps: usize = needed.map(|stage| stage.steps.len() + 1).sum();
        self.globals.len() + steps + 1
    }

    /// The name of a stage for people: empty where no other is needed.
    pub(super) fn shown_name(&self, number: usize) -> String {
        let stage = &self.stages[number];
        let needed = self.stages.iter().filter(|stage| stage.is_needed);
        if !stage.name.is_empty() {
            stage.name.clone()
        } else if needed.count() > 1 {
            format!("stage-{number}")
        } else {
            String::new()
        }
    }

    fn mark(&mut self, number: usize) {
        if std::mem::replace(&mut self.stages[number].is_needed, true) {
            return;
        }
        let copied = self.stages[number]
            .steps
            .iter()
            .flat_map(sources)
            .filter_map(|name| self.position(name, number));
        let others: Vec<usize> = copied.chain(self.base(number)).collect();
        for other in others {
            self.mark(other);
        }
    }
}

impl Planned {
    /// How many of its instructions may change files, triggers apart.
    pub(super) fn places(&self) -> usize {
        let steps = self.steps.iter();
        1 + steps.filter(|step| step.changes_files()).count()
    }

    fn new(from: Instruction, args: &HashMap<String, String>) -> Result<Self> {
        from.check_flags(&["platform"])?;
        let lookup = |name: &str| args.get(name).cloned().or_else(|| platform(name));
        let expander = Expander::new(from.escape, &lookup);
        let wrong = |error: String| from.error(error);
        if let Some(wanted) = from.flag("platform") {
            check_platform(&expander.word(wanted).map_err(wrong)?)?;
        }
        let parts = expander.words(&from.rest).map_err(wrong)?;
        let (base, name) = match parts.as_slice() {
            [base] => (base.clone(), String::new()),
            [base, keyword, name] if keyword.eq_ignore_ascii_case("as") => {
                (base.clone(), name.to_lowercase())
            }
            _ => return Err(from.error("requires either one or three arguments")),
        };
        if base.is_empty() {
            let message = format!("base name ({}) should not be blank", from.rest);
            return Err(from.error(message));
        }
        Ok(Self {
            name,
            base,
            from,
            steps: Vec::new(),
            is_needed: false,
        })
    }
}

/// The stages or images that an instruction takes files of.
fn sources(step: &Instruction) -> impl Iterator<Item = &str> {
    let mounts = step.flags.iter().filter(|(key, _)| key == "mount");
    let options = mounts.flat_map(|(_, text)| text.split(','));
    options
        .filter_map(|option| option.strip_prefix("from="))
        .chain(step.flag("from"))
}

/// Refuses other platforms than this machine's.
///
/// # Errors
/// 501 with the platform.
pub(crate) fn check_platform(platform: &str) -> Result<()> {
    let own = format!("linux/{}", architecture());
    let fits = platform.is_empty()
        || platform == "linux"
        || platform == architecture()
        || platform == own
        || platform.starts_with(&format!("{own}/"));
    if fits {
        return Ok(());
    }
    Err(Error::not_supported(format!("the platform {platform}")))
}

/// The value that the client gives an argument, or that every build has.
pub(super) fn given(build: &Build, name: &str) -> Option<String> {
    let given = build.args.get(name).cloned().flatten();
    given.or_else(|| platform(name))
}

fn platform(name: &str) -> Option<String> {
    let which = name
        .strip_prefix("TARGET")
        .or_else(|| name.strip_prefix("BUILD"))?;
    match which {
        "PLATFORM" => Some(format!("linux/{}", architecture())),
        "OS" => Some("linux".to_owned()),
        "ARCH" => Some(architecture().to_owned()),
        "VARIANT" => Some(String::new()),
        _ => None,
    }
}

/// `NAME` or `NAME=default`, several of them.
///
/// # Errors
/// 400 for quotes and variables that are not closed.
pub(super) fn arguments(
    instruction: &Instruction,
    lookup: &Lookup<'_>,
) -> Result<Vec<(String, Option<String>)>> {
    instruction.check_flags(&[])?;
    let expander = Expander::new(instruction.escape, lookup);
    let argument = |text: String| match text.split_once('=') {
        Some((name, default)) => {
            let default = expander
                .word(default)
                .map_err(|error| instruction.error(error))?;
            Ok((name.to_owned(), Some(default)))
        }
        None => Ok((text, None)),
    };
    raw_words(&instruction.rest, instruction.escape)
        .into_iter()
        .map(argument)
        .collect()
}
