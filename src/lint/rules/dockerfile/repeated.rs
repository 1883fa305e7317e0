//! `repeated-instruction`: several `CMD`, `ENTRYPOINT` or `HEALTHCHECK` in a stage.

use crate::compose::Diagnostic;
use crate::dockerfile::Keyword;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            for keyword in [Keyword::Cmd, Keyword::Entrypoint, Keyword::Healthcheck] {
                let all: Vec<_> = stage
                    .instructions
                    .iter()
                    .filter(|one| one.keyword == keyword)
                    .collect();
                let Some((last, earlier)) = all.split_last() else {
                    continue;
                };
                for one in earlier {
                    report.add(
                        Diagnostic::warning(format!(
                            "this {keyword} has no effect: a later one replaces it"
                        ))
                        .at(stages.file.span(one.range.clone()))
                        .related(stages.file.span(last.range.clone()), "the one that holds")
                        .help("remove it"),
                    );
                }
            }
        }
    });
}
