//! `duplicate-stage`, `stage-name-case`, `unused-stage` and `unknown-stage`.

use crate::compose::{Diagnostic, Severity};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Stages};

pub(in crate::lint) fn duplicate(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            let Some(name) = &stage.name else {
                continue;
            };
            let Some(first) = stages.find(&name.text, stage.index) else {
                continue;
            };
            let first = stages.list[first]
                .name
                .as_ref()
                .map_or(0..0, |name| name.range.clone());
            report.add(
                Diagnostic::warning(format!("there are two stages {}", name.text))
                    .at(stages.file.span(name.range.clone()))
                    .related(stages.file.span(first), "the first one")
                    .help("give it another name"),
            );
        }
    });
}

pub(in crate::lint) fn case(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for name in stages.list.iter().filter_map(|stage| stage.name.as_ref()) {
            let lower = name.text.to_lowercase();
            if lower != name.text {
                report.add(
                    Diagnostic::warning(format!(
                        "stage {} has capitals, which do not count",
                        name.text
                    ))
                    .at(stages.file.span(name.range.clone()))
                    .help(format!("write {lower}")),
                );
            }
        }
    });
}

pub(in crate::lint) fn unused(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        let mut used = vec![false; stages.list.len()];
        let mut open = stages.targets().to_vec();
        while let Some(index) = open.pop() {
            let stage = stages.list.get(index).filter(|_| !used[index]);
            if let Some(stage) = stage {
                used[index] = true;
                open.extend(stages.sources(stage));
            }
        }
        for stage in &stages.list {
            // Later stages than those that are built are for other targets, as is the last one.
            if used[stage.index] || stage.index + 1 == stages.list.len() {
                continue;
            }
            // One with a name may be built by it.
            let (level, what, place) = match &stage.name {
                Some(name) => (Severity::Note, format!("stage {}", name.text), &name.range),
                None => (
                    Severity::Warning,
                    "this stage".to_owned(),
                    &stage.from.range,
                ),
            };
            report.add_as(
                level,
                Diagnostic::warning(format!("{what} is not used by what is built"))
                    .at(stages.file.span(place.clone()))
                    .help("remove it, unless it is built by `target`"),
            );
        }
    });
}

pub(in crate::lint) fn unknown(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            for instruction in stage.instructions {
                for name in stages::origins(instruction) {
                    let Some((level, message, help)) = wrong(stages, stage.index, &name) else {
                        continue;
                    };
                    let flag = instruction.flags.iter().find(|flag| {
                        let value = flag.value.as_deref().unwrap_or_default();
                        value.contains(&name)
                    });
                    let place = flag.map_or(&instruction.name, |flag| &flag.range);
                    report.add_as(
                        level,
                        Diagnostic::warning(message)
                            .at(stages.file.span(place.clone()))
                            .help(help),
                    );
                }
            }
        }
    });
}

/// What is wrong with a name that stage `index` takes something from.
fn wrong(stages: &Stages<'_>, index: usize, name: &str) -> Option<(Severity, String, String)> {
    if name.contains('$') || stages.is_context(name) || stages.find(name, index).is_some() {
        return None;
    }
    if let Ok(number) = name.parse::<usize>() {
        let message = format!("stage {number} is not in front of this one");
        let help = "name a stage above by its number, from 0, or better by a name".to_owned();
        return (number >= index).then_some((Severity::Error, message, help));
    }
    let is_it = |own: usize| stages.list[own].is_named(name);
    if is_it(index) {
        let help = "name another stage, or an image".to_owned();
        return Some((
            Severity::Error,
            format!("stage {name} takes from itself"),
            help,
        ));
    }
    if (index + 1..stages.list.len()).any(is_it) {
        let help = "put that stage above this one".to_owned();
        return Some((
            Severity::Error,
            format!("stage {name} comes only later"),
            help,
        ));
    }
    let closest = closest(stages, index, name)?;
    let message = format!("there is no stage {name}: it is taken for an image");
    Some((
        Severity::Warning,
        message,
        format!("did you mean {closest}?"),
    ))
}

fn closest<'s>(stages: &'s Stages<'_>, before: usize, name: &str) -> Option<&'s str> {
    let names = stages.list[..before]
        .iter()
        .filter_map(|stage| stage.name.as_ref());
    names
        .map(|own| (strsim::jaro_winkler(&own.text, name), own.text.as_str()))
        .filter(|(likeness, _)| *likeness > 0.88)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, own)| own)
}
