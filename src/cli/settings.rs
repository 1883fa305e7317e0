//! How to show things: what the options and the environment together say.

use std::collections::BTreeMap;

use super::args::GlobalArgs;
use super::error::Error;
use crate::ui::diagnostics::Format;
use crate::ui::progress::Mode;
use crate::ui::terminal;

/// Presentation and limits, decided once per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Colours and cursor movements on standard output.
    pub color_stdout: bool,
    /// Colours on standard error.
    pub color_stderr: bool,
    /// How progress is shown.
    pub progress: Mode,
    /// How problems of files are written.
    pub diagnostics: Format,
    /// `COMPOSE_STATUS_STDOUT`: progress goes to standard output.
    pub status_stdout: bool,
    /// How many engine requests may run at once; `None`: no limit.
    pub parallel: Option<usize>,
}

/// `--ansi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ansi {
    Never,
    Always,
    Auto,
}

impl Settings {
    /// Decides from the options before the command and the environment.
    pub fn new(global: &GlobalArgs, env: &BTreeMap<String, String>) -> Result<Self, Error> {
        let ansi = ansi(global, env)?;
        let colorless = env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        let color = |is_terminal: bool| match ansi {
            _ if colorless => false,
            Ansi::Never => false,
            Ansi::Always => true,
            Ansi::Auto => is_terminal && !dumb,
        };
        Ok(Self {
            color_stdout: color(terminal::stdout_is_terminal()),
            color_stderr: color(terminal::stderr_is_terminal()),
            progress: progress(global, env, ansi, dumb)?,
            diagnostics: diagnostics(global, env)?,
            status_stdout: env.get("COMPOSE_STATUS_STDOUT").is_some_and(|v| truth(v)),
            parallel: parallel(global, env)?,
        })
    }
}

fn ansi(global: &GlobalArgs, env: &BTreeMap<String, String>) -> Result<Ansi, Error> {
    if global.no_ansi {
        return match &global.ansi {
            Some(_) => Err(Error::user("--no-ansi cannot be used with --ansi")
                .help("use --ansi never alone, --no-ansi is deprecated")),
            None => Ok(Ansi::Never),
        };
    }
    let (origin, value) = match (&global.ansi, env.get("COMPOSE_ANSI")) {
        (Some(value), _) => ("--ansi", value.as_str()),
        (None, Some(value)) => ("COMPOSE_ANSI", value.as_str()),
        (None, None) => return Ok(Ansi::Auto),
    };
    match value {
        "never" => Ok(Ansi::Never),
        "always" => Ok(Ansi::Always),
        "auto" | "" => Ok(Ansi::Auto),
        _ => Err(
            Error::user(format!("unsupported {origin} value \"{value}\""))
                .help("use never, always or auto"),
        ),
    }
}

fn progress(
    global: &GlobalArgs,
    env: &BTreeMap<String, String>,
    ansi: Ansi,
    dumb: bool,
) -> Result<Mode, Error> {
    let given = global.progress.as_ref().or(env.get("COMPOSE_PROGRESS"));
    match given.map_or("", String::as_str) {
        "" | "auto" => Ok(match ansi {
            Ansi::Never => Mode::Plain,
            Ansi::Always => Mode::Tty,
            Ansi::Auto if dumb => Mode::Plain,
            Ansi::Auto => Mode::Auto,
        }),
        "tty" if ansi == Ansi::Never => Err(Error::user(
            "can't use --progress tty while ANSI support is disabled",
        )),
        "tty" => Ok(Mode::Tty),
        "plain" if ansi == Ansi::Always => Err(Error::user(
            "can't use --progress plain while ANSI support is forced",
        )),
        "plain" => Ok(Mode::Plain),
        "json" => Ok(Mode::Json),
        "quiet" | "none" => Ok(Mode::Quiet),
        other => Err(
            Error::user(format!("unsupported --progress value \"{other}\""))
                .help("use auto, tty, plain, json or quiet"),
        ),
    }
}

fn diagnostics(global: &GlobalArgs, env: &BTreeMap<String, String>) -> Result<Format, Error> {
    let (origin, value) = match (&global.diagnostics, env.get("RCOMPOSE_DIAGNOSTICS")) {
        (Some(value), _) => ("--diagnostics", value.as_str()),
        (None, Some(value)) => ("RCOMPOSE_DIAGNOSTICS", value.as_str()),
        (None, None) => return Ok(Format::Human),
    };
    Format::parse(value).ok_or_else(|| {
        Error::user(format!("unsupported {origin} value \"{value}\""))
            .help("use human, json or sarif")
    })
}

fn parallel(global: &GlobalArgs, env: &BTreeMap<String, String>) -> Result<Option<usize>, Error> {
    let limit = match (global.parallel, env.get("COMPOSE_PARALLEL_LIMIT")) {
        (Some(limit), _) => limit,
        (None, Some(text)) => text.parse().map_err(|_| {
            Error::user(format!(
                "COMPOSE_PARALLEL_LIMIT must be an integer (found: \"{text}\")"
            ))
        })?,
        (None, None) => return Ok(None),
    };
    Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
}

/// What docker compose takes for true in its variables.
pub(super) fn truth(value: &str) -> bool {
    matches!(
        value.to_lowercase().as_str(),
        "1" | "t" | "true" | "y" | "yes" | "on"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn global(ansi: Option<&str>, progress: Option<&str>) -> GlobalArgs {
        GlobalArgs {
            ansi: ansi.map(Into::into),
            progress: progress.map(Into::into),
            ..GlobalArgs::default()
        }
    }

    fn mode(global: &GlobalArgs, pairs: &[(&str, &str)]) -> Result<Mode, String> {
        Settings::new(global, &env(pairs))
            .map(|settings| settings.progress)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_beat_the_environment() {
        let never = [("COMPOSE_ANSI", "never"), ("COMPOSE_PROGRESS", "json")];
        assert_eq!(mode(&global(None, None), &never), Ok(Mode::Json));
        assert_eq!(mode(&global(None, Some("auto")), &never), Ok(Mode::Plain));
        assert_eq!(
            mode(&global(Some("always"), Some("")), &never),
            Ok(Mode::Tty)
        );
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(
            mode(&global(Some("never"), Some("tty")), &[]),
            Err("can't use --progress tty while ANSI support is disabled".into())
        );
        assert_eq!(
            mode(&global(None, Some("fancy")), &[]),
            Err("unsupported --progress value \"fancy\"".into())
        );
        assert!(mode(&global(Some("sometimes"), None), &[]).is_err());
    }

    #[test]
    fn the_option_for_problems_beats_the_environment() {
        let env = env(&[("RCOMPOSE_DIAGNOSTICS", "sarif")]);
        let format = |value: Option<&str>| {
            let global = GlobalArgs {
                diagnostics: value.map(Into::into),
                ..GlobalArgs::default()
            };
            diagnostics(&global, &env).map_err(|error| error.to_string())
        };
        assert_eq!(format(None), Ok(Format::Sarif));
        assert_eq!(format(Some("json")), Ok(Format::Json));
        assert_eq!(
            format(Some("xml")),
            Err("unsupported --diagnostics value \"xml\"".into())
        );
    }

    #[test]
    fn no_color_beats_always() {
        let settings = Settings::new(&global(Some("always"), None), &env(&[("NO_COLOR", "1")]));
        assert!(settings.is_ok_and(|settings| !settings.color_stdout && !settings.color_stderr));
    }

    #[test]
    fn limits_below_one_mean_none() {
        for (text, limit) in [("-1", None), ("0", None), ("3", Some(3))] {
            let env = env(&[("COMPOSE_PARALLEL_LIMIT", text)]);
            assert_eq!(parallel(&GlobalArgs::default(), &env).ok(), Some(limit));
        }
        let env = env(&[("COMPOSE_PARALLEL_LIMIT", "many")]);
        assert!(parallel(&GlobalArgs::default(), &env).is_err());
    }
}
