//! The stages of a Dockerfile.

use std::collections::HashMap;

use super::expand::{Expander, Lookup, raw_words};
use super::{Build, Failure, Instruction};
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
    /// The stages that must be done before it.
    pub(super) needs: Vec<usize>,
    /// Whether the target is made of it.
    pub(super) is_needed: bool,
}

/// What a base image triggers; `None` where that is not known.
pub(super) type Triggers<'a> = dyn Fn(&str) -> Option<Vec<Instruction>> + 'a;

impl Plan {
    /// Divides instructions into stages and finds those that are needed.
    ///
    /// # Errors
    /// 400 for what is in no stage and for a target that is not there, 501 for other platforms.
    pub(super) fn new(
        instructions: Vec<Instruction>,
        build: &Build,
        triggers: &Triggers<'_>,
    ) -> Result<Self, Failure> {
        let mut plan = Self {
            globals: Vec::new(),
            args: platform_arguments(),
            stages: Vec::new(),
        };
        for instruction in instructions {
            let lines = instruction.lines;
            let taken = plan.take(instruction, build);
            taken.map_err(|error| Failure {
                lines: Some(lines),
                ..error.into()
            })?;
        }
        let target = plan.target(&build.target)?;
        plan.stages.truncate(target + 1);
        plan.mark(target, triggers);
        Ok(plan)
    }

    fn take(&mut self, instruction: Instruction, build: &Build) -> Result<()> {
        if instruction.name == "FROM" {
            let stage = Planned::new(instruction, &self.args)?;
            self.stages.push(stage);
        } else if let Some(stage) = self.stages.last_mut() {
            check_sources(&instruction)?;
            stage.steps.push(instruction);
        } else if instruction.name == "ARG" {
            self.global(instruction, build)?;
        } else {
            return Err(
                instruction.error("no build stage in current context: FROM must come first")
            );
        }
        Ok(())
    }

    fn global(&mut self, instruction: Instruction, build: &Build) -> Result<()> {
        let known = self.args.clone();
        for (name, default) in arguments(&instruction, &|name| known.get(name).cloned())? {
            let given = build.args.get(&name).cloned().flatten();
            if let Some(value) = given.or(default) {
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

    fn mark(&mut self, number: usize, triggers: &Triggers<'_>) {
        if std::mem::replace(&mut self.stages[number].is_needed, true) {
            return;
        }
        let stage = &self.stages[number];
        let base = self.base(number);
        let triggered = match base {
            Some(base) => Some(self.triggers_of(base)),
            None => triggers(&stage.base),
        };
        let triggered = triggered.unwrap_or_default();
        let steps = stage.steps.iter().chain(&triggered);
        let copied = steps
            .flat_map(sources)
            .filter_map(|name| self.position(name, number));
        let mut others: Vec<usize> = copied.chain(base).collect();
        others.sort_unstable();
        others.dedup();
        for other in &others {
            self.mark(*other, triggers);
        }
        self.stages[number].needs = others;
    }

    /// What a stage triggers in those that are based on it.
    fn triggers_of(&self, number: usize) -> Vec<Instruction> {
        let steps = self.stages[number].steps.iter();
        let triggers = steps.filter(|step| step.name == "ONBUILD");
        let parsed = triggers.filter_map(|step| super::parse(&step.rest_with_documents()).ok());
        parsed.flatten().collect()
    }
}

/// Refuses stages and images that a variable names: which are needed would not be known.
fn check_sources(step: &Instruction) -> Result<()> {
    match sources(step).find(|name| name.contains('$')) {
        Some(name) => Err(step.error(format!(
            "from={name}: variables are not replaced there: name a stage with FROM {name} AS instead"
        ))),
        None => Ok(()),
    }
}

impl Planned {
    /// How many of its instructions may change files, triggers apart.
    pub(super) fn places(&self) -> usize {
        let steps = self.steps.iter();
        1 + steps.filter(|step| step.changes_files()).count()
    }

    fn new(from: Instruction, args: &HashMap<String, String>) -> Result<Self> {
        let lookup = |name: &str| args.get(name).cloned();
        let expander = Expander::new(from.escape, &lookup);
        let wrong = |error: String| from.error(error);
        if let Some(wanted) = from.flag("platform") {
            check_platform(&expander.word(wanted).map_err(wrong)?)?;
        }
        let parts = expander.words(&from.rest).map_err(wrong)?;
        let (base, name) = match parts.as_slice() {
            [base] => (base.clone(), String::new()),
            [base, keyword, name] if keyword.eq_ignore_ascii_case("as") => {
                (base.clone(), stage_name(name).map_err(wrong)?)
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
            needs: Vec::new(),
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

/// A stage's name in lower case.
fn stage_name(text: &str) -> Result<String, String> {
    let name = text.to_lowercase();
    let is_start = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !is_start || !name.chars().all(is_inner) {
        return Err(format!(
            "invalid name for build stage: {text:?}, name can't start with a number or contain symbols"
        ));
    }
    Ok(name)
}

/// What every build knows.
fn platform_arguments() -> HashMap<String, String> {
    let platform = format!("linux/{}", architecture());
    let values = [
        ("PLATFORM", platform.as_str()),
        ("OS", "linux"),
        ("ARCH", architecture()),
        ("VARIANT", ""),
    ];
    let named =
        |which: &str| values.map(|(name, value)| (format!("{which}{name}"), value.to_owned()));
    [named("TARGET"), named("BUILD")]
        .into_iter()
        .flatten()
        .collect()
}

/// `NAME` or `NAME=default`, several of them.
///
/// # Errors
/// 400 for quotes and variables that are not closed.
pub(super) fn arguments(
    instruction: &Instruction,
    lookup: &Lookup<'_>,
) -> Result<Vec<(String, Option<String>)>> {
    let expander = Expander::new(instruction.escape, lookup);
    let argument = |text: String| match text.split_once('=') {
        Some(("", _)) => Err(instruction.error("names can not be blank")),
        Some((name, default)) => {
            let default = expander
                .word(default)
                .map_err(|error| instruction.error(error))?;
            Ok((name.to_owned(), Some(default)))
        }
        None => Ok((
            expander
                .word(&text)
                .map_err(|error| instruction.error(error))?,
            None,
        )),
    };
    raw_words(&instruction.rest, instruction.escape)
        .into_iter()
        .map(argument)
        .collect()
}
