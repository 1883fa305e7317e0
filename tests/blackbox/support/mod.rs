//! What every test stands on: one engine for the run, a project of its own for each test, and probes from outside.

pub(crate) mod engine;
pub(crate) mod events;
pub(crate) mod fixture;
pub(crate) mod http;
pub(crate) mod machine;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod project;
pub(crate) mod proxy;
pub(crate) mod registry;
pub(crate) mod terminal;
pub(crate) mod web;

use std::time::{Duration, Instant};

/// Asks until `probe` has an answer; fails after `seconds`, saying `what` did not happen.
pub(crate) fn eventually<T>(seconds: u64, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
