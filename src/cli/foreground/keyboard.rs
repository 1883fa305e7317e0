//! Single keys that the person presses while output is shown.

use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::run::terminal::{KeyMode, is_in_foreground};

/// A keyboard whose keys are for this program; dropping it gives the terminal back as it was.
pub(super) struct Keyboard {
    keys: UnboundedReceiver<u8>,
    mode: KeyMode,
    resumed: Resumed,
}

/// What came from the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// A key.
    Key(u8),
    /// The program goes on after it was suspended.
    Resumed,
}

impl Keyboard {
    /// Takes the keyboard where standard input is a terminal that is this program's to read.
    pub(super) fn take() -> Option<Self> {
        if !is_in_foreground() {
            return None;
        }
        let mode = KeyMode::enter().ok()?;
        let (sender, keys) = mpsc::unbounded_channel();
        std::thread::spawn(move || crate::run::terminal::read_keys(|key| sender.send(key).is_ok()));
        Some(Self {
            keys,
            mode,
            resumed: Resumed::listen(),
        })
    }

    /// Waits for the next key. Nothing is lost when this is dropped early.
    pub(super) async fn next(&mut self) -> Press {
        tokio::select! {
            Some(key) = self.keys.recv() => Press::Key(key),
            () = self.resumed.next() => {
                if is_in_foreground() {
                    self.mode.resume();
                }
                Press::Resumed
            }
        }
    }
}

/// Tells when the program goes on after it was suspended.
struct Resumed {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Resumed {
    fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signals: {
                use nix::sys::signal::Signal;
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::from_raw(Signal::SIGCONT as i32)).ok()
            },
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
