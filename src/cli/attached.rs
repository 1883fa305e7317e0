//! What `exec` and `run` share: our side of a program's streams.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::Error;
use crate::run;
use crate::run::detach_keys::{self, Keys, Watched};
use crate::run::streams::Streams;
use crate::run::terminal::RawMode;

/// Whether a person sits in front of both standard input and standard output.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Our standard streams.
pub(super) fn streams(interactive: bool) -> Streams {
    Streams {
        input: interactive.then(|| Box::new(tokio::io::stdin()) as _),
        output: Box::new(tokio::io::stdout()),
        errors: Box::new(tokio::io::stderr()),
    }
}

/// Our standard streams for a program that the person can leave with keys: once they are pressed
/// the token is cancelled.
pub(super) fn streams_left_by(
    keys: &str,
    detached: &CancellationToken,
) -> Result<Streams, run::Error> {
    let keys = Keys::parse(keys)?;
    let typed = Watched::new(tokio::io::stdin(), keys, detached.clone());
    Ok(Streams {
        input: Some(Box::new(typed)),
        ..streams(false)
    })
}

/// Our standard streams; with a terminal and an input the usual keys cancel the token.
pub(super) fn streams_of(
    terminal: bool,
    interactive: bool,
    detached: &CancellationToken,
) -> Result<Streams, run::Error> {
    if terminal && interactive {
        streams_left_by(detach_keys::DEFAULT, detached)
    } else {
        Ok(streams(interactive))
    }
}

/// `-e NAME=VALUE`, or `-e NAME` for the value in our environment where there is one.
pub(super) fn environment(given: &[String], env: &BTreeMap<String, String>) -> Vec<String> {
    given
        .iter()
        .map(|text| match env.get(text) {
            Some(value) if !text.contains('=') => format!("{text}={value}"),
            _ => text.clone(),
        })
        .collect()
}

/// Puts our terminal into raw mode where the program has one; dropping the result restores it.
pub(super) fn raw(terminal: bool) -> Result<Option<RawMode>, Error> {
    Ok(if terminal {
        Some(RawMode::enter()?)
    } else {
        None
    })
}

/// Waits for `running` with the terminal in raw mode, where there is one, and restores it
/// whatever happens.
pub(super) async fn with_terminal(
    terminal: bool,
    running: impl Future<Output = Result<i64, run::Error>>,
) -> Result<i64, Error> {
    let raw = raw(terminal)?;
    let result = tokio::select! {
        result = running => result.map_err(Error::from),
        code = ended_by_signal(), if terminal => Err(Error::Exit(code)),
    };
    drop(raw);
    result
}

/// Waits for a signal that ends the program. Ctrl-C is no such signal in raw mode.
#[cfg(unix)]
async fn ended_by_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    let waiting = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut signals) => {
                    signals.recv().await;
                    u8::try_from(128 + kind.as_raw_value()).unwrap_or(1)
                }
                Err(_) => std::future::pending().await,
            }
        })
    });
    futures::future::select_all(waiting).await.0
}

#[cfg(not(unix))]
async fn ended_by_signal() -> u8 {
    std::future::pending().await
}

/// The program's exit code as ours.
pub(super) fn exit(code: i64) -> Result<ExitCode, Error> {
    match code {
        0 => Ok(ExitCode::SUCCESS),
        code => Err(Error::exit(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_names_take_their_value_from_our_environment() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        let given = ["A", "B=2", "C"].map(str::to_owned);
        assert_eq!(environment(&given, &env), ["A=1", "B=2", "C"]);
    }
}
