//! Being called by the docker CLI as its `compose` plugin.
//!
//! The CLI passes its own options on in front of the word `compose`; what they choose is put in
//! the environment that the rest of the program reads.

use std::ffi::OsString;
use std::path::Path;

/// What a program must answer to be taken for a plugin.
const METADATA: &str = "docker-cli-plugin-metadata";

/// Set by the docker CLI for its plugins.
const CALLED_BY_DOCKER: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// Options of the docker CLI with a value that also stand before a command of ours, as with the
/// first docker-compose.
const VALUES: [&str; 8] = [
    "-H",
    "--host",
    "-c",
    "--context",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];
/// The same without a value.
const SWITCHES: [&str; 5] = [
    "-D",
    "--debug",
    "--skip-hostname-check",
    "--tls",
    "--tlsverify",
];
/// Options of ours before the command that take a value.
const OUR_VALUES: [&str; 14] = [
    "--ansi",
    "--diagnostics",
    "--engine",
    "--env-file",
    "-f",
    "--file",
    "--insecure-registry",
    "--parallel",
    "--profile",
    "--progress",
    "--project-directory",
    "-p",
    "--project-name",
    "--workdir",
];

/// A command line as a plugin gets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The CLI asks what this is.
    Metadata,
    /// What is wrong with the CLI's options.
    Wrong(String),
    /// A command of ours.
    Run {
        /// The name of the program and its arguments, without what was for the CLI.
        args: Vec<OsString>,
        /// What the CLI's options choose, as environment variables.
        env: Vec<(&'static str, String)>,
        /// Whether this is the CLI's plugin.
        plugin: bool,
    },
}

/// Takes apart the arguments of the process.
pub(super) fn call(args: Vec<OsString>) -> Call {
    call_by(args, std::env::var_os(CALLED_BY_DOCKER).is_some())
}

fn call_by(args: Vec<OsString>, by_docker: bool) -> Call {
    if args.get(1).is_some_and(|arg| arg == METADATA) {
        return Call::Metadata;
    }
    let compose = args.iter().skip(1).position(|arg| arg == "compose");
    let (options, args, plugin) = match compose {
        Some(before) if before == 0 || by_docker => {
            let ours = args[..1].iter().chain(&args[before + 2..]);
            (args[1..=before].to_vec(), ours.cloned().collect(), true)
        }
        _ => {
            let (options, ours) = separate(args);
            (options, ours, false)
        }
    };
    match environment(&options) {
        Ok(env) => Call::Run { args, env, plugin },
        Err(problem) => Call::Wrong(problem),
    }
}

/// An option's name, and its value where it is of the same word.
fn parts(word: &OsString) -> (String, Option<String>) {
    let word = word.to_string_lossy();
    if let Some((name, value)) = word.split_once('=') {
        return (name.to_owned(), Some(value.to_owned()));
    }
    for short in ["-H", "-c"] {
        if let Some(value) = word.strip_prefix(short)
            && !value.is_empty()
        {
            return (short.to_owned(), Some(value.to_owned()));
        }
    }
    (word.into_owned(), None)
}

/// Options of the CLI before the command, and everything else.
fn separate(args: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let (mut options, mut ours) = (Vec::new(), Vec::new());
    let mut args = args.into_iter();
    ours.extend(args.next());
    while let Some(arg) = args.next() {
        let (name, value) = parts(&arg);
        if !name.starts_with('-') || name == "--" {
            ours.push(arg);
            break;
        }
        let of_cli = VALUES.contains(&name.as_str());
        let to = if of_cli || SWITCHES.contains(&name.as_str()) {
            &mut options
        } else {
            &mut ours
        };
        to.push(arg);
        if value.is_none() && (of_cli || OUR_VALUES.contains(&name.as_str())) {
            to.extend(args.next());
        }
    }
    ours.extend(args);
    (options, ours)
}

/// The answer to [`Call::Metadata`].
pub(super) fn metadata() -> String {
    format!(
        "{{\n     \"SchemaVersion\": \"0.1.0\",\n     \"Vendor\": \"rcompose\",\n     \
         \"Version\": \"{}\",\n     \"ShortDescription\": \"Docker Compose (rcompose)\"\n}}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Options of the docker CLI that choose an engine, as environment variables.
fn environment(options: &[OsString]) -> Result<Vec<(&'static str, String)>, String> {
    let mut env = Vec::new();
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let (name, value) = parts(option);
        if matches!(name.as_str(), "--tls" | "--tlsverify") {
            if !matches!(value.as_deref(), Some("false" | "0")) {
                env.push(("DOCKER_TLS_VERIFY", "1".to_owned()));
            }
            continue;
        }
        let variable = match name.as_str() {
            "--config" => "DOCKER_CONFIG",
            "-c" | "--context" => "DOCKER_CONTEXT",
            "-H" | "--host" => "DOCKER_HOST",
            "--tlscacert" | "--tlscert" | "--tlskey" => "DOCKER_CERT_PATH",
            "--skip-hostname-check" => {
                return Err(
                    "--skip-hostname-check is not supported: the name in the certificate of the engine is always checked, \
                     name the engine in DOCKER_HOST or -H as its certificate does"
                        .to_owned(),
                );
            }
            // These take a value that concerns the CLI alone.
            "-l" | "--log-level" => "",
            _ => continue,
        };
        let value = value.or_else(|| Some(options.next()?.to_string_lossy().into_owned()));
        let Some(value) = value.filter(|_| !variable.is_empty()) else {
            continue;
        };
        let value = match name.strip_prefix("--tls") {
            Some(which) => certificates(which, &value)?,
            None => value,
        };
        env.push((variable, value));
    }
    Ok(env)
}

/// The folder of a file of TLS, which has to have its usual name.
fn certificates(which: &str, file: &str) -> Result<String, String> {
    let usual = if which == "cacert" { "ca" } else { which };
    let path = Path::new(file);
    let folder = path.parent().map(|folder| folder.display().to_string());
    folder
        .filter(|_| path.file_name().is_some_and(|name| name == format!("{usual}.pem").as_str()))
        .map(|folder| if folder.is_empty() { ".".to_owned() } else { folder })
        .ok_or_else(|| {
            format!(
                "--tls{which}: {file} has to be called {usual}.pem, with ca.pem, cert.pem and key.pem in one folder"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn run(line: &str, env: &[(&'static str, &str)], plugin: bool) -> Call {
        Call::Run {
            args: words(line),
            env: env
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            plugin,
        }
    }

    #[test]
    fn the_word_compose_is_dropped() {
        assert_eq!(
            call_by(words("docker-compose compose up -d"), false),
            run("docker-compose up -d", &[], true)
        );
        assert_eq!(
            call_by(words("rcompose exec compose ls"), false),
            run("rcompose exec compose ls", &[], false)
        );
        assert_eq!(
            call_by(words("x docker-cli-plugin-metadata"), false),
            Call::Metadata
        );
    }

    #[test]
    fn options_of_the_cli_become_variables() {
        assert_eq!(
            call_by(
                words("x --context far -H=tcp://h:1 -l debug --tls compose ps"),
                true
            ),
            run(
                "x ps",
                &[
                    ("DOCKER_CONTEXT", "far"),
                    ("DOCKER_HOST", "tcp://h:1"),
                    ("DOCKER_TLS_VERIFY", "1")
                ],
                true
            )
        );
    }

    #[test]
    fn options_of_the_cli_stand_before_commands_of_ours_too() {
        let host = [("DOCKER_HOST", "unix:///s")];
        assert_eq!(
            call_by(words("docker-compose -p a -H unix:///s ps -H"), false),
            run("docker-compose -p a ps -H", &host, false)
        );
        assert_eq!(
            call_by(words("docker-compose -Hunix:///s -D ps"), false),
            run("docker-compose ps", &host, false)
        );
        assert_eq!(
            call_by(words("docker-compose --project-name -H exec a -c b"), false),
            run("docker-compose --project-name -H exec a -c b", &[], false)
        );
        assert_eq!(
            call_by(
                words("docker-compose --tlsverify --tlscacert /c/ca.pem --tlskey=/c/key.pem ps"),
                false
            ),
            run(
                "docker-compose ps",
                &[
                    ("DOCKER_TLS_VERIFY", "1"),
                    ("DOCKER_CERT_PATH", "/c"),
                    ("DOCKER_CERT_PATH", "/c")
                ],
                false
            )
        );
        let wrong = call_by(words("docker-compose --skip-hostname-check ps"), false);
        assert!(
            matches!(&wrong, Call::Wrong(text) if text.contains("always checked")),
            "{wrong:?}"
        );
        let wrong = call_by(words("docker-compose --tlscert /c/mine.pem ps"), false);
        assert!(
            matches!(&wrong, Call::Wrong(text) if text.contains("cert.pem")),
            "{wrong:?}"
        );
    }

    #[test]
    fn our_own_options_with_a_value_are_known() {
        use clap::CommandFactory as _;
        let root = crate::cli::args::Cli::command();
        let mut expected: Vec<String> = Vec::new();
        for arg in root.get_arguments() {
            if arg.get_action().takes_values() {
                expected.extend(arg.get_long().map(|long| format!("--{long}")));
                expected.extend(arg.get_short().map(|short| format!("-{short}")));
            }
        }
        expected.sort();
        let mut known = OUR_VALUES.map(str::to_owned);
        known.sort();
        assert_eq!(known.as_slice(), expected);
    }
}
