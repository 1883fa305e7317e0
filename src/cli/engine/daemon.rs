//! `engine serve`: being the engine.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;

use rcompose_engine::daemon::{self, LogWriter, Place, ServeOptions};
use tracing::level_filters::LevelFilter;

use super::ServeArgs;
use crate::cli::{Context, Error};
use crate::compose::model::Duration;

/// Chooses how much the engine writes about itself: error, warn, info, debug or trace.
const LEVEL: &str = "RCOMPOSE_ENGINE_LOG";

/// Makes the process a daemon.
pub(super) fn detach() -> Result<(), Error> {
    daemon::close_inherited().map_err(super::linux::explain)?;
    daemon::detach().map_err(super::linux::explain)
}

/// Serves until told to leave.
pub(super) async fn serve(
    context: &Context,
    place: Place,
    args: ServeArgs,
) -> Result<ExitCode, Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::user("the bundled engine needs root").help("run it with sudo"));
    }
    let place = match args.run {
        Some(run) => place.with_run(run),
        None => place,
    };
    let options = ServeOptions {
        idle: args.idle.as_deref().map(idle).transpose()?.flatten(),
        patient: args.background,
    };
    write_log(context, &place, args.background)?;
    let socket = place.socket.clone();
    let ready = move || {
        tracing::info!(
            "version {} listens on {}",
            env!("CARGO_PKG_VERSION"),
            socket.display()
        );
        if args.background {
            report_ready();
        }
    };
    daemon::serve(place, options, ready)
        .await
        .map_err(super::linux::explain)?;
    Ok(ExitCode::SUCCESS)
}

/// How long to stay without work; `None`: for ever.
pub(super) fn idle(text: &str) -> Result<Option<std::time::Duration>, Error> {
    let duration: Duration = text.parse().map_err(|error| {
        Error::user(format!(
            "invalid --idle or RCOMPOSE_ENGINE_IDLE \"{text}\": {error}"
        ))
    })?;
    let duration = duration.to_std();
    Ok((!duration.is_zero()).then_some(duration))
}

fn write_log(context: &Context, place: &Place, background: bool) -> Result<(), Error> {
    let level = match context.env.get(LEVEL) {
        Some(text) => text.parse().map_err(|_| {
            Error::user(format!("unsupported {LEVEL} value \"{text}\""))
                .help("use error, warn, info, debug or trace")
        })?,
        None => LevelFilter::INFO,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(!background && context.settings.color_stderr)
        .with_target(false);
    if background {
        let log = Mutex::new(LogWriter::new(place.log()));
        subscriber.with_writer(log).init();
    } else {
        subscriber.with_writer(std::io::stderr).init();
    }
    Ok(())
}

/// Tells whoever started this daemon, and lets go of the pipe to it.
fn report_ready() {
    let told = std::io::stdout().write_all(daemon::READY.as_bytes());
    // Nobody waits any more, or nothing is left to write to: neither keeps the engine from serving.
    let _ = told.and_then(|()| std::io::stdout().flush());
    if let Ok(null) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_means_for_ever() {
        let seconds = |text| idle(text).unwrap().map(|duration| duration.as_secs());
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("0"), None);
        assert!(idle("soon").is_err());
    }
}
