//! `pipe-without-pipefail`: failures in front of a pipe that nobody sees.

use crate::compose::Diagnostic;
use crate::dockerfile::Keyword;
use crate::dockerfile::shell::{Before, Command};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Step};

/// Programs that fail for reasons outside of the Dockerfile, and what they write is then not whole.
const FALLIBLE: [&str; 14] = [
    "curl", "wget", "git", "gpg", "aws", "gcloud", "gsutil", "ssh", "scp", "tar", "unzip",
    "openssl", "svn", "fetch",
];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        if has_pipefail(step)
            || step
                .stages
                .file
                .slice(step.instruction.range.clone())
                .contains("pipefail")
        {
            return;
        }
        for pair in commands.windows(2) {
            let [first, second] = pair else {
                continue;
            };
            let is_open = second.before == Before::Pipe && FALLIBLE.contains(&first.program());
            // A condition, or what the next command checks by itself.
            let is_checked = matches!(
                second.program(),
                "grep" | "sha256sum" | "sha512sum" | "gpg" | "head"
            );
            if is_open && !is_checked {
                report.add(
                    Diagnostic::warning(format!(
                        "if `{}` fails, the build goes on with `{}` of what there is",
                        first.program(),
                        second.program()
                    ))
                    .at(step.at(first.whole().start..second.whole().end))
                    .help(remedy(second)),
                );
            }
        }
    });
}

fn remedy(second: &Command) -> String {
    format!(
        "write `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` above, or save to a file first and give that to `{}`",
        second.program()
    )
}

/// Whether the shell of the stage, or of one it starts from, is told to fail.
fn has_pipefail(step: &Step<'_, '_>) -> bool {
    let chain = step.stages.chain(step.stage.index);
    let stages = chain
        .iter()
        .filter_map(|index| step.stages.list.get(*index));
    stages
        .flat_map(|stage| stage.instructions)
        .filter(|one| one.range.start < step.instruction.range.start)
        .any(|one| {
            let text = one.arguments.text();
            // Other shells than those of Unix have no such thing.
            let is_other =
                text.contains("powershell") || text.contains("cmd") || text.contains("pwsh");
            one.keyword == Keyword::Shell && (text.contains("pipefail") || is_other)
        })
}
