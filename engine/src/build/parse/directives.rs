//! `# escape=`, `# syntax=` and `# check=`: what the first comments of a Dockerfile tell its
//! reader.

use super::wrong;
use crate::build::Failure;
use crate::build::progress::Lines;

/// What a Dockerfile tells its reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directives {
    /// What takes the meaning of the letter that follows, and continues a line at its end.
    pub(super) escape: char,
}

impl Directives {
    /// Reads the first lines, up to one that is no directive. Another syntax and checks are
    /// passed over: there is one reader here.
    ///
    /// # Errors
    /// 400 for a directive that is there twice and for another escape than a backslash or a
    /// backtick.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let mut directives = Self { escape: '\\' };
        let mut seen: Vec<String> = Vec::new();
        let found = text.lines().map_while(directive);
        for (number, (name, value)) in found.enumerate() {
            let line = number + 1;
            let lines = Lines {
                first: line,
                last: line,
            };
            if seen.contains(&name) {
                let message = format!("only one {name} parser directive can be used");
                return Err(wrong(lines, &message));
            }
            if name == "escape" {
                directives.escape = match value {
                    "\\" => '\\',
                    "`" => '`',
                    other => {
                        let message =
                            format!("invalid escape token {other:?}: it is either ` or \\");
                        return Err(wrong(lines, &message));
                    }
                };
            }
            seen.push(name);
        }
        Ok(directives)
    }
}

/// The directive of a line, its name in lower case.
fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let is_known = matches!(name.as_str(), "escape" | "syntax" | "check");
    (is_known && !value.is_empty()).then_some((name, value))
}
