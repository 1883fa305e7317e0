//! The keyboard shortcuts of `up`: a line at the bottom, and what its keys do.

use super::keyboard::{Keyboard, Press};
use crate::report::event::{Event, Sender, Shortcut, Stream, send};

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Begin to watch files, or cease.
    Watch,
    /// Leave everything running.
    Detach,
}

/// The shortcuts, and the keyboard they are pressed on.
pub(super) struct Menu {
    keyboard: Keyboard,
    /// Whether there is something to watch, and whether it is watched.
    watching: Option<bool>,
    sender: Sender,
}

impl Menu {
    /// Shows the shortcuts, where there is a keyboard.
    pub(super) fn open(watching: Option<bool>, sender: &Sender) -> Option<Self> {
        let menu = Self {
            keyboard: Keyboard::take()?,
            watching,
            sender: sender.clone(),
        };
        menu.show();
        Some(menu)
    }

    /// Waits for a key that does something. Nothing is lost when this is dropped early.
    pub(super) async fn next(&mut self) -> Choice {
        loop {
            let press = self.keyboard.next().await;
            match press {
                Press::Resumed => self.show(),
                Press::Key(b'\r' | b'\n') => send(
                    &self.sender,
                    Event::Note {
                        text: String::new(),
                        stream: Stream::Stdout,
                    },
                ),
                Press::Key(key) => {
                    if let Some(choice) = choice(key, self.watching.is_some()) {
                        return choice;
                    }
                }
            }
        }
    }

    /// Shows whether files are watched.
    pub(super) fn watches(&mut self, now: bool) {
        if self.watching.is_some_and(|before| before != now) {
            self.watching = Some(now);
            self.show();
        }
    }

    fn show(&self) {
        send(&self.sender, Event::Menu(shortcuts(self.watching)));
    }
}

impl Drop for Menu {
    fn drop(&mut self) {
        send(&self.sender, Event::Menu(Vec::new()));
    }
}

/// Waits for a choice, where there is a menu.
pub(super) async fn next(menu: &mut Option<Menu>) -> Choice {
    match menu {
        Some(menu) => menu.next().await,
        None => std::future::pending().await,
    }
}

fn choice(key: u8, watchable: bool) -> Option<Choice> {
    match key {
        b'w' if watchable => Some(Choice::Watch),
        b'd' => Some(Choice::Detach),
        _ => None,
    }
}

fn shortcuts(watching: Option<bool>) -> Vec<Shortcut> {
    let watch = watching.map(|on| Shortcut {
        key: 'w',
        action: if on { "Disable Watch" } else { "Enable Watch" },
    });
    let detach = Shortcut {
        key: 'd',
        action: "Detach",
    };
    watch.into_iter().chain([detach]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_can_be_chosen() {
        assert_eq!(choice(b'w', true), Some(Choice::Watch));
        assert_eq!(choice(b'w', false), None);
        assert_eq!(choice(b'd', false), Some(Choice::Detach));
        assert_eq!(choice(b'x', true), None);
        let actions = |watching| -> Vec<_> {
            let shortcuts = shortcuts(watching).into_iter();
            shortcuts.map(|shortcut| shortcut.action).collect()
        };
        assert_eq!(actions(None), ["Detach"]);
        assert_eq!(actions(Some(false)), ["Enable Watch", "Detach"]);
        assert_eq!(actions(Some(true)), ["Disable Watch", "Detach"]);
    }
}
