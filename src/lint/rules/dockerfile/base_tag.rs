//! `floating-tag` in Dockerfiles: bases that are others tomorrow.

use std::collections::BTreeSet;

use crate::compose::{Diagnostic, Severity, Span};
use crate::dockerfile::{Keyword, is_scratch};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::rules::floating_tag::{Tag, built, floating, without_latest};
use crate::lint::stages::{self, Stages};

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    let own = built(input);
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            if stages.parent(stage.index).is_none() {
                let span = stages.file.span(stage.base.range.clone());
                image(stages, &own, &stage.base.text, span, report);
            }
        }
        for step in stages
            .steps(Keyword::Copy)
            .chain(stages.steps(Keyword::Run))
        {
            for name in stages::origins(step.instruction) {
                let is_stage = name.parse::<usize>().is_ok()
                    || stages.list.iter().any(|stage| stage.is_named(&name));
                // A word alone is more likely a stage that is missing.
                if !is_stage && name.contains(['/', ':']) {
                    let flag = step.instruction.flags.iter().find(|flag| {
                        let value = flag.value.as_deref().unwrap_or_default();
                        value.contains(&name)
                    });
                    let place =
                        flag.map_or(step.instruction.name.clone(), |flag| flag.range.clone());
                    image(stages, &own, &name, stages.file.span(place), report);
                }
            }
        }
    });
}

fn image(
    stages: &Stages<'_>,
    own: &BTreeSet<&str>,
    written: &str,
    span: Span,
    report: &mut Report,
) {
    let Some(image) = stages.substituted(written) else {
        return;
    };
    let is_local =
        is_scratch(&image) || stages.is_context(&image) || own.contains(without_latest(&image));
    let Some(tag) = floating(&image).filter(|_| !is_local) else {
        return;
    };
    // Who can choose the tag by an argument has been thought of.
    let level = if written.contains('$') {
        Severity::Note
    } else {
        Severity::Warning
    };
    let what = match tag {
        Tag::None => "has no tag",
        Tag::Latest => "has the tag `latest`",
    };
    report.add_as(
        level,
        Diagnostic::warning(format!(
            "base {image} {what}: each build may start from another one"
        ))
        .at(span)
        .help("name a version, or a digest: `image@sha256:…`"),
    );
}
