//! The stages of a Dockerfile as a project builds them: which reach an image, which are used at all.

use super::build_file::BuildFile;
use super::input::Input;
use crate::compose::model::Build;
use crate::compose::{Span, template};
use crate::dockerfile::shell::Command;
use crate::dockerfile::{Instruction, Keyword, Stage};

/// The stages of a Dockerfile, and what is built of them.
pub(super) struct Stages<'a> {
    /// The Dockerfile.
    pub(super) file: &'a BuildFile,
    /// All stages.
    pub(super) list: Vec<Stage<'a>>,
    /// The builds that use the Dockerfile.
    pub(super) builds: Vec<&'a Build>,
    /// Stages that are built for an image.
    targets: Vec<usize>,
}

/// One instruction of a stage.
pub(super) struct Step<'s, 'a> {
    /// The stages of its Dockerfile.
    pub(super) stages: &'s Stages<'a>,
    /// Its stage.
    pub(super) stage: &'s Stage<'a>,
    /// Itself.
    pub(super) instruction: &'a Instruction,
    /// Whether what it leaves is part of an image: the stage is built for one, or such a stage starts
    /// from it.
    pub(super) is_shipped: bool,
}

/// Calls `each` with the stages of every Dockerfile.
pub(super) fn for_files<'a>(input: &Input<'a>, each: &mut dyn FnMut(&Stages<'a>)) {
    for file in input.dockerfiles {
        each(&Stages::of(input, file));
    }
}

/// Calls `each` with every instruction of this kind that belongs to a stage.
pub(super) fn for_each<'a>(
    input: &Input<'a>,
    keyword: Keyword,
    each: &mut dyn FnMut(&Step<'_, 'a>),
) {
    for_files(input, &mut |stages| {
        for step in stages.steps(keyword) {
            each(&step);
        }
    });
}

/// Calls `each` with every `RUN` in shell form and its commands.
pub(super) fn for_runs<'a>(input: &Input<'a>, each: &mut dyn FnMut(&Step<'_, 'a>, &[Command])) {
    for_each(input, Keyword::Run, &mut |step| {
        let commands = step.instruction.commands(&step.stages.file.text);
        if !commands.is_empty() {
            each(step, &commands);
        }
    });
}

impl<'a> Stages<'a> {
    fn of(input: &Input<'a>, file: &'a BuildFile) -> Self {
        let list = file.file.stages();
        let services = file.uses.iter();
        let builds: Vec<&Build> = services
            .filter_map(|user| {
                let service = input.written.project.services.get(&user.service)?;
                service.build.as_ref()
            })
            .collect();
        let last = list.len().checked_sub(1);
        let mut targets: Vec<usize> = builds
            .iter()
            .filter_map(|build| match build.target.as_deref() {
                Some(target) => list.iter().rposition(|stage| stage.is_named(target)),
                None => last,
            })
            .collect();
        if targets.is_empty() {
            targets.extend(last);
        }
        Self {
            file,
            list,
            builds,
            targets,
        }
    }

    /// The stage that a stage starts from.
    pub(super) fn parent(&self, index: usize) -> Option<usize> {
        let base = self.list.get(index)?.base.text.as_str();
        self.find(base, index)
    }

    /// The stage with this name in front of stage `before`.
    pub(super) fn find(&self, name: &str, before: usize) -> Option<usize> {
        let named = |stage: &Stage<'_>| {
            let own = stage.name.as_ref();
            own.is_some_and(|own| own.text.eq_ignore_ascii_case(name))
        };
        self.list[..before].iter().rposition(named)
    }

    /// A stage with those it starts from, itself first.
    pub(super) fn chain(&self, index: usize) -> Vec<usize> {
        // Each is in front of the one before, so this ends.
        std::iter::successors(Some(index), |at| self.parent(*at)).collect()
    }

    /// The stages that are built for an image.
    pub(super) fn targets(&self) -> &[usize] {
        &self.targets
    }

    /// Whether what a stage leaves is part of an image.
    pub(super) fn is_shipped(&self, index: usize) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| self.chain(*target).contains(&index))
    }

    /// Instructions of a kind, in all stages.
    pub(super) fn steps(&self, keyword: Keyword) -> impl Iterator<Item = Step<'_, 'a>> {
        self.list.iter().flat_map(move |stage| {
            let is_shipped = self.is_shipped(stage.index);
            let of_kind = stage.instructions.iter();
            of_kind
                .filter(move |instruction| instruction.keyword == keyword)
                .map(move |instruction| Step {
                    stages: self,
                    stage,
                    instruction,
                    is_shipped,
                })
        })
    }

    /// What a stage starts from, with the variables of `FROM` substituted as far as they have values;
    /// nothing where one has none.
    pub(super) fn base(&self, stage: &Stage<'_>) -> Option<String> {
        self.substituted(&stage.base.text)
    }

    /// A text of a `FROM` with its variables substituted; nothing where one has no value.
    pub(super) fn substituted(&self, text: &str) -> Option<String> {
        let mut unset = false;
        let result = template::substitute(text, &|name: &str| self.argument(name), &mut |_| {
            unset = true;
        });
        result.ok().filter(|_| !unset)
    }

    /// The value of an argument in front of the first `FROM`: that of the first build, or its default.
    fn argument(&self, name: &str) -> Option<String> {
        let mut pairs = self.file.file.global().iter().flat_map(Instruction::pairs);
        let declared = pairs.rfind(|pair| pair.name == name)?;
        let given = self.builds.first().and_then(|build| build.args.get(name));
        given.cloned().flatten().or(declared.value)
    }

    /// Whether a name stands for another build context, not for an image.
    pub(super) fn is_context(&self, name: &str) -> bool {
        let mut builds = self.builds.iter();
        builds.any(|build| build.additional_contexts.contains_key(name))
    }

    /// Stages that a stage takes something from: what it starts from, copies from and mounts.
    pub(super) fn sources(&self, stage: &Stage<'a>) -> Vec<usize> {
        let names = stage.instructions.iter().flat_map(origins);
        let stages = names.filter_map(|name| match name.parse::<usize>() {
            Ok(index) => (index < stage.index).then_some(index),
            Err(_) => self.find(&name, stage.index),
        });
        stages.chain(self.parent(stage.index)).collect()
    }

    /// Whether a folder is a cache in every instruction that could fill it, or a variable says so.
    pub(super) fn has_variable(&self, index: usize, names: &[&str]) -> bool {
        let chain = self.chain(index);
        let stages = chain.iter().filter_map(|index| self.list.get(*index));
        let mut pairs = stages
            .flat_map(|stage| stage.instructions)
            .filter(|one| matches!(one.keyword, Keyword::Env | Keyword::Arg))
            .flat_map(Instruction::pairs);
        pairs.any(|pair| names.contains(&pair.name.as_str()))
    }
}

/// The names behind `--from` of an instruction, and `from` of its mounts.
pub(super) fn origins(instruction: &Instruction) -> Vec<String> {
    let mut names = Vec::new();
    if matches!(instruction.keyword, Keyword::Copy) {
        names.extend(instruction.flag("from").map(str::to_owned));
    }
    for mount in instruction.flag_values("mount") {
        let parts = mount
            .split(',')
            .filter_map(|part| part.strip_prefix("from="));
        names.extend(parts.map(str::to_owned));
    }
    names
}

impl Step<'_, '_> {
    /// The place of a part of the Dockerfile.
    pub(super) fn at(&self, range: std::ops::Range<usize>) -> Span {
        self.stages.file.span(range)
    }

    /// Whether a cache or other mount covers a folder, so that nothing of it is in the image.
    pub(super) fn mounts(&self, folders: &[&str]) -> bool {
        let mut mounts = self.instruction.flag_values("mount");
        mounts.any(|mount| {
            let parts = mount.split(',').filter_map(|part| part.split_once('='));
            let mut targets =
                parts.filter(|(key, _)| matches!(*key, "target" | "dst" | "destination"));
            targets.any(|(_, target)| {
                let target = target.trim_end_matches('/');
                folders
                    .iter()
                    .any(|folder| folder.starts_with(target) || target.starts_with(folder))
            })
        })
    }
}
