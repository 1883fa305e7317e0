//! The bundled engine: where it is, and when it is started.

use std::collections::BTreeMap;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use super::Address;
use crate::run::Error;

/// How long it stays without work where `RCOMPOSE_ENGINE_IDLE` does not say.
pub const IDLE: &str = "5m";

/// What a command is about to do on the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Make something: images, containers.
    Make,
    /// Look at what there is, or change or remove it.
    Look,
}

/// What decides whether the bundled engine is started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// Whether the person asked for it by name.
    pub(super) chosen: bool,
    /// What for.
    pub(super) intent: Intent,
    /// Whether it has been used before.
    pub(super) has_state: bool,
    /// Whether this process may start it.
    pub(super) is_root: bool,
}

/// Whether the bundled engine is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is.
    Start,
    /// There is nothing in it to look at.
    Pointless,
    /// It needs root.
    Forbidden,
}

/// Decides for an engine that does not run.
pub(super) fn decide(circumstances: Circumstances) -> Decision {
    let Circumstances {
        chosen,
        intent,
        has_state,
        is_root,
    } = circumstances;
    if !chosen && intent == Intent::Look && !has_state {
        Decision::Pointless
    } else if is_root {
        Decision::Start
    } else {
        Decision::Forbidden
    }
}

/// What helps those who may not start it.
pub(super) const NEEDS_ROOT: &str = "run the same command as root (sudo), or have root run `rcompose engine start` and \
     make you a member of the group \"rcompose\"; Docker or Podman are used where they run";

/// The engine's socket; nothing where there is no bundled engine.
#[cfg_attr(
    target_os = "linux",
    expect(clippy::unnecessary_wraps, reason = "there is none elsewhere")
)]
pub(super) fn address(env: &BTreeMap<String, String>) -> Option<Address> {
    #[cfg(target_os = "linux")]
    return Some(Address::Unix(place(env).socket));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = env;
        None
    }
}

#[cfg(target_os = "linux")]
fn place(env: &BTreeMap<String, String>) -> rcompose_engine::daemon::Place {
    let path = |name: &str| {
        let value = env.get(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    rcompose_engine::daemon::Place::new(
        path("RCOMPOSE_ENGINE_SOCKET"),
        path("RCOMPOSE_ENGINE_ROOT"),
    )
}

/// Starts it if that is wanted; says why not otherwise.
///
/// # Errors
/// When it does not come up.
#[cfg(target_os = "linux")]
pub(super) async fn start(
    env: &BTreeMap<String, String>,
    chosen: bool,
    intent: Intent,
) -> Result<Decision, Error> {
    let place = place(env);
    let decision = decide(Circumstances {
        chosen,
        intent,
        has_state: place.has_state(),
        is_root: nix::unistd::geteuid().is_root(),
    });
    if decision == Decision::Start {
        let idle = env
            .get("RCOMPOSE_ENGINE_IDLE")
            .filter(|idle| !idle.is_empty());
        let idle = idle.map_or(IDLE, String::as_str);
        let started = rcompose_engine::daemon::start(&place, Some(idle)).await;
        started.map_err(|error| explain(&error))?;
    }
    Ok(decision)
}

/// There is none here.
#[cfg(not(target_os = "linux"))]
pub(super) async fn start(
    _env: &BTreeMap<String, String>,
    _chosen: bool,
    _intent: Intent,
) -> Result<Decision, Error> {
    std::future::ready(Ok(Decision::Pointless)).await
}

/// An error of the engine's daemon, with what to do about it.
#[cfg(target_os = "linux")]
pub fn explain(error: &rcompose_engine::Error) -> Error {
    let explained = Error::new(error.message.clone());
    match error.status {
        403 => explained.remedy(NEEDS_ROOT),
        409 => explained.remedy(
            "`rcompose engine status` shows the one that runs; RCOMPOSE_ENGINE_SOCKET and \
             RCOMPOSE_ENGINE_ROOT choose another one",
        ),
        _ => explained,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(chosen: bool, intent: Intent, has_state: bool, is_root: bool) -> Decision {
        decide(Circumstances {
            chosen,
            intent,
            has_state,
            is_root,
        })
    }

    #[test]
    fn it_is_started_for_those_who_need_it() {
        assert_eq!(decided(false, Intent::Make, false, true), Decision::Start);
        assert_eq!(decided(false, Intent::Look, true, true), Decision::Start);
        assert_eq!(
            decided(false, Intent::Look, false, true),
            Decision::Pointless
        );
        assert_eq!(decided(true, Intent::Look, false, true), Decision::Start);
        assert_eq!(
            decided(false, Intent::Make, true, false),
            Decision::Forbidden
        );
        assert_eq!(
            decided(false, Intent::Look, false, false),
            Decision::Pointless
        );
    }
}
