//! Watching files while output is shown, switched on and off.

use std::future::Future;
use std::pin::Pin;

use tokio_util::sync::CancellationToken;

use crate::cli::Error;
use crate::cli::watching::Watching;

type Running<'s> = Pin<Box<dyn Future<Output = Result<(), Error>> + 's>>;

/// What can be watched, and whether it is.
pub(super) struct Watcher<'s> {
    watching: Watching<'s>,
    /// Whether it is to be watched.
    wanted: bool,
    /// Whether everything has been started, so that it can be.
    ready: bool,
    /// What goes on, and what ends it.
    running: Option<(CancellationToken, Running<'s>)>,
}

impl<'s> Watcher<'s> {
    /// Watches, where that is wanted, once everything has been started.
    pub(super) fn new(watching: Watching<'s>, wanted: bool) -> Self {
        Self {
            watching,
            wanted,
            ready: false,
            running: None,
        }
    }

    /// Whether it is to be watched.
    pub(super) fn is_on(&self) -> bool {
        self.wanted
    }

    /// Whether something goes on, be it only its end.
    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Everything has been started.
    pub(super) fn ready(&mut self) {
        self.ready = true;
        self.begin();
    }

    /// Switches watching on or off.
    pub(super) fn switch(&mut self, on: bool) {
        self.wanted = on;
        match &self.running {
            Some((token, _)) if !on => token.cancel(),
            _ => self.begin(),
        }
    }

    /// Waits for the end of watching. Nothing is lost when this is dropped early.
    pub(super) async fn ended(&mut self) -> Result<(), Error> {
        let Some((_, running)) = &mut self.running else {
            return std::future::pending().await;
        };
        let result = running.await;
        self.running = None;
        match &result {
            // It was switched on again while it ended.
            Ok(()) => self.begin(),
            Err(_) => self.wanted = false,
        }
        result
    }

    fn begin(&mut self) {
        if self.wanted && self.ready && self.running.is_none() {
            let token = CancellationToken::new();
            let watching = self.watching.until(token.clone());
            let running = Box::pin(async move { watching.run().await });
            self.running = Some((token, running));
        }
    }
}

/// Waits for the end of watching, where something is watched.
pub(super) async fn ended(watcher: &mut Option<Watcher<'_>>) -> Result<(), Error> {
    match watcher {
        Some(watcher) => watcher.ended().await,
        None => std::future::pending().await,
    }
}
