//! Being called by the docker CLI as its `compose` plugin.
//!
//! The CLI passes its own options on in front of the word `compose`; what they choose is put in
//! the environment that the rest of the program reads.

use std::ffi::OsString;

/// What a program must answer to be taken for a plugin.
const METADATA: &str = "docker-cli-plugin-metadata";

/// Set by the docker CLI for its plugins.
const CALLED_BY_DOCKER: &str = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/// A command line as a plugin gets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The CLI asks what this is.
    Metadata,
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
    match compose {
        Some(before) if before == 0 || by_docker => Call::Run {
            env: environment(&args[1..=before]),
            args: args[..1]
                .iter()
                .chain(&args[before + 2..])
                .cloned()
                .collect(),
            plugin: true,
        },
        _ => Call::Run {
            args,
            env: Vec::new(),
            plugin: false,
        },
    }
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
fn environment(options: &[OsString]) -> Vec<(&'static str, String)> {
    let mut env = Vec::new();
    let mut options = options.iter().map(|option| option.to_string_lossy());
    while let Some(option) = options.next() {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (option.into_owned(), None),
        };
        let variable = match name.as_str() {
            "--config" => "DOCKER_CONFIG",
            "-c" | "--context" => "DOCKER_CONTEXT",
            "-H" | "--host" => "DOCKER_HOST",
            "--tls" | "--tlsverify" => {
                env.push(("DOCKER_TLS_VERIFY", "1".to_owned()));
                continue;
            }
            // These take a value that concerns the CLI alone.
            "-l" | "--log-level" if value.is_none() => {
                options.next();
                continue;
            }
            _ => continue,
        };
        let value = value.or_else(|| options.next().map(|value| value.into_owned()));
        env.extend(value.map(|value| (variable, value)));
    }
    env
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
}
