//! `secret-in-image`: passwords and tokens in `ARG` and `ENV`, which stay in the image's history.

use crate::compose::{Diagnostic, Severity};
use crate::dockerfile::Keyword;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::secret;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for keyword in [Keyword::Arg, Keyword::Env] {
        stages::for_each(input, keyword, &mut |step| {
            for pair in step.instruction.pairs() {
                let value = pair.value.as_deref().unwrap_or_default();
                // One that stands there is found as such.
                let is_given = match keyword {
                    Keyword::Arg => value.is_empty() || value.contains('$'),
                    _ => value.contains('$') && secret::is_value(value),
                };
                if !secret::is_name(&pair.name) || !is_given {
                    continue;
                }
                let level = if step.is_shipped {
                    Severity::Warning
                } else {
                    Severity::Note
                };
                let keeps = match keyword {
                    Keyword::Arg => "the image's history shows",
                    _ => "the image keeps, and every container gets,",
                };
                let help = format!(
                    "mount it where it is needed: `RUN --mount=type=secret,id={},env={} …`, with `build.secrets`",
                    pair.name.to_lowercase(),
                    pair.name
                );
                report.add_as(
                    level,
                    Diagnostic::warning(format!("{keeps} the value of {}", pair.name))
                        .at(step.at(pair.range))
                        .help(help),
                );
            }
        });
    }
}
