//! The help of the program as a whole: commands by what people do with them.

use std::fmt::Write as _;

/// Titles, and the commands below them, the most used first.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Run the application",
        &[
            "up", "down", "start", "stop", "restart", "watch", "scale", "create", "rm", "kill",
            "pause", "unpause", "wait",
        ],
    ),
    (
        "Look at it",
        &[
            "ps", "logs", "top", "stats", "events", "port", "images", "volumes", "ls",
        ],
    ),
    (
        "Work in containers",
        &["exec", "run", "attach", "cp", "export", "commit"],
    ),
    (
        "Make and share images",
        &["build", "pull", "push", "publish"],
    ),
    (
        "Write compose files",
        &["config", "plan", "lint", "migrate", "schema", "bridge"],
    ),
    (
        "This program",
        &["engine", "completion", "man", "version", "alpha"],
    ),
];

/// The command with its subcommands listed in groups.
pub(super) fn grouped(root: clap::Command) -> clap::Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Options:\n{{options}}\n\n\
         \"{{name}} help COMMAND\" tells more about a command.\n",
        commands(&root)
    );
    root.help_template(template)
}

fn commands(root: &clap::Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title}:");
        for name in *names {
            let command = root.find_subcommand(name);
            let about = command.and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:<10}  {about}");
        }
        text.push('\n');
    }
    text
}

/// `help COMMAND…` as `COMMAND… --help`; other command lines as they are.
pub(super) fn asked<T: AsRef<std::ffi::OsStr> + From<&'static str>>(mut args: Vec<T>) -> Vec<T> {
    if args.get(1).is_some_and(|word| word.as_ref() == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::super::parse;
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let root = Cli::command();
        let mut listed: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        listed.sort_unstable();
        let visible = root
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut visible: Vec<&str> = visible.map(clap::Command::get_name).collect();
        visible.sort_unstable();
        assert_eq!(listed, visible);
    }

    #[test]
    fn help_is_a_command() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(asked(words("x help")), words("x --help"));
        assert_eq!(
            asked(words("x help alpha viz")),
            words("x alpha viz --help")
        );
        assert_eq!(asked(words("x exec web help")), words("x exec web help"));
    }

    /// The command lines of examples, without what other programs are for.
    fn examples(help: &str) -> Vec<String> {
        let (_, examples) = help.split_once("Example").unwrap_or_default();
        let lines = examples.lines().skip(1);
        let commands = lines.flat_map(|line| {
            let command = line.trim_start().split("   ").next().unwrap_or_default();
            let programs = command.split(['|', '&', '>', '<', '(', ')']).map(str::trim);
            let ours = programs.filter(|program| program.starts_with("rcompose "));
            ours.map(str::to_owned).collect::<Vec<_>>()
        });
        commands.collect()
    }

    fn check(command: &clap::Command, wrong: &mut Vec<String>) {
        for command in command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let help = command.get_after_help().map(ToString::to_string);
            let found = examples(&help.unwrap_or_default());
            if found.is_empty() && !command.has_subcommands() {
                wrong.push(format!("no examples: {}", command.get_name()));
            }
            for example in found {
                let words = shell_words::split(&example).unwrap_or_default();
                let parsed = parse::parse(words.into_iter().map(OsString::from));
                if parsed.is_err() {
                    wrong.push(example);
                }
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_are_understood() {
        let mut wrong = Vec::new();
        check(&Cli::command(), &mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
    }
}
