//! `pip-cache`, `apk-cache` and `gem-documents`: what package managers leave in an image.

use crate::compose::Diagnostic;
use crate::dockerfile::shell::Command;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn pip(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let is_known = step
            .stages
            .has_variable(step.stage.index, &["PIP_NO_CACHE_DIR"])
            || step.mounts(&["/root/.cache", "/.cache", "/cache/pip", "/pip-cache"])
            || step
                .instruction
                .flag_values("mount")
                .any(|mount| mount.contains("pip"))
            || removes(commands, "/.cache");
        if is_known || !step.is_shipped {
            return;
        }
        for command in commands.iter().filter(|command| is_pip_install(command)) {
            let sets = command
                .leading()
                .iter()
                .any(|word| word.text.starts_with("PIP_NO_CACHE_DIR="));
            if !sets && !command.has_option("--no-cache-dir", None) {
                report.add(
                    Diagnostic::warning("what pip downloads stays in the image")
                        .at(step.at(command.whole()))
                        .help(
                            "add `--no-cache-dir`, or `--mount=type=cache,target=/root/.cache/pip`",
                        ),
                );
            }
        }
    });
}

fn is_pip_install(command: &Command) -> bool {
    let mut operands = command.operands().map(|word| word.text.as_str());
    match command.program() {
        "pip" | "pip3" => operands.next() == Some("install"),
        "python" | "python3" => {
            operands.next() == Some("pip") && operands.next() == Some("install")
        }
        _ => false,
    }
}

pub(in crate::lint) fn apk(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let folders = ["/var/cache/apk", "/etc/apk/cache"];
        if !step.is_shipped || step.mounts(&folders) || removes(commands, "/var/cache/apk") {
            return;
        }
        for command in commands.iter().filter(|command| command.program() == "apk") {
            let adds = command
                .operands()
                .any(|word| matches!(word.text.as_str(), "add" | "update" | "upgrade"));
            let is_told =
                command.has_option("--no-cache", None) || command.has_option("--no-network", None);
            if adds && !is_told {
                report.add(
                    Diagnostic::warning("apk's index stays in the image, and grows old in it")
                        .at(step.at(command.whole()))
                        .help("write `apk add --no-cache …`, without `apk update`"),
                );
                return;
            }
        }
    });
}

pub(in crate::lint) fn gem(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        if !step.is_shipped || step.stages.file.text.contains("gemrc") {
            return;
        }
        for command in commands.iter().filter(|command| command.program() == "gem") {
            let installs = command
                .operands()
                .next()
                .is_some_and(|word| word.text == "install");
            let is_told = command.has_option("--no-document", Some('N'))
                || command.has_option("--no-doc", None)
                || command.has_option("--no-ri", None);
            if installs && !is_told {
                report.add(
                    Diagnostic::warning("the documents of the gems stay in the image")
                        .at(step.at(command.whole()))
                        .help("add `--no-document`"),
                );
            }
        }
    });
}

/// Whether a command of the same `RUN` removes a folder.
fn removes(commands: &[Command], folder: &str) -> bool {
    let mut removals = commands.iter().filter(|command| command.program() == "rm");
    removals.any(|command| command.operands().any(|word| word.text.contains(folder)))
}
