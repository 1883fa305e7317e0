//! `shell-form` and `json-quotes`: how `CMD` and its like are written.

use crate::compose::Diagnostic;
use crate::dockerfile::shell;
use crate::dockerfile::{Instruction, Keyword};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn shell_form(input: &Input<'_>, report: &mut Report) {
    for keyword in [Keyword::Cmd, Keyword::Entrypoint] {
        stages::for_each(input, keyword, &mut |step| {
            let instruction = step.instruction;
            let text = instruction.arguments.text();
            let is_list = instruction.json().is_some() || text.starts_with('[');
            let commands = shell::commands(&instruction.arguments);
            // `exec` makes the program take the shell's place.
            let takes_over = commands
                .last()
                .is_some_and(|command| command.leading().iter().any(|word| word.text == "exec"));
            // Who sets the shell knows of it.
            let own_shell = step
                .stage
                .instructions
                .iter()
                .any(|one| one.keyword == Keyword::Shell);
            if is_list || text.is_empty() || takes_over || own_shell || !step.is_shipped {
                return;
            }
            report.add(
                Diagnostic::warning(format!(
                    "a shell runs this {keyword}: signals may not reach the program, and `stop` waits in vain"
                ))
                .at(step.at(instruction.range.clone()))
                .help(remedy(keyword, &commands)),
            );
        });
    }
}

/// The same as a JSON list, where it is one plain command.
fn remedy(keyword: Keyword, commands: &[shell::Command]) -> String {
    let [command] = commands else {
        return format!(
            "write a JSON list, such as `{keyword} [\"sh\", \"-c\", \"… && exec program\"]`"
        );
    };
    let words: Vec<&str> = command
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let is_plain = words
        .iter()
        .all(|word| !word.contains(['$', '>', '<', '*', '=', '~']));
    if is_plain {
        let list = serde_json::Value::from(words)
            .to_string()
            .replace("\",\"", "\", \"");
        format!("write {keyword} {list}")
    } else {
        format!("write a JSON list, or begin with `exec`: `{keyword} exec …`")
    }
}

pub(in crate::lint) fn json_quotes(input: &Input<'_>, report: &mut Report) {
    for file in input.dockerfiles {
        for instruction in &file.file.instructions {
            let takes_list = matches!(
                instruction.keyword,
                Keyword::Cmd
                    | Keyword::Entrypoint
                    | Keyword::Run
                    | Keyword::Volume
                    | Keyword::Copy
                    | Keyword::Add
            );
            if takes_list && looks_like_list(instruction) {
                report.add(
                    Diagnostic::warning("this is no JSON list, and is read as plain text")
                        .at(file.span(instruction.arguments.whole()))
                        .help("a JSON list has double quotes, and no comma at its end: `[\"a\", \"b\"]`"),
                );
            }
        }
    }
}

/// `['a', 'b']`, `["a", "b",]` or `[a, b]`, but not the `[ … ]` of a shell.
fn looks_like_list(instruction: &Instruction) -> bool {
    let text = instruction.arguments.text();
    let Some(inside) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return false;
    };
    let quoted = inside.trim_start().starts_with(['"', '\'']);
    let is_test = instruction.keyword == Keyword::Run && !inside.contains(',');
    instruction.json().is_none() && quoted && !is_test
}
