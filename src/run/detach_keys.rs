//! The keys that leave a program in a container running.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::Error;

/// What Docker takes where nothing else is said.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";

/// A sequence of keys, as the bytes that a terminal sends for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Vec<u8>);

impl Keys {
    /// Reads keys separated by commas: letters and signs, or `ctrl-` with one of `a-z@[\]^_`.
    ///
    /// # Errors
    /// When one of them is no key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        text.split(',')
            .map(key)
            .collect::<Option<Vec<u8>>>()
            .map(Self)
            .ok_or_else(|| {
                Error::new(format!("invalid detach keys ({text})"))
                    .remedy("separate keys by commas, such as ctrl-p,ctrl-q or ctrl-x,d")
            })
    }
}

fn key(text: &str) -> Option<u8> {
    let (control, name) = match text.strip_prefix("ctrl-") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let &[byte] = name.as_bytes() else {
        return (text == "DEL").then_some(127);
    };
    match (control, byte) {
        (false, byte) => Some(byte),
        (true, b'a'..=b'z') => Some(byte - b'a' + 1),
        (true, b'@' | b'['..=b'_') => Some(byte - b'@'),
        (true, _) => None,
    }
}

/// Input without the keys. Once they have been pressed nothing more is read of it, and the token
/// is cancelled.
pub struct Watched<R> {
    input: R,
    keys: Vec<u8>,
    /// How many of the keys have been pressed and held back.
    pressed: usize,
    /// What is to be handed out.
    ready: Vec<u8>,
    detached: CancellationToken,
}

impl<R> Watched<R> {
    /// Watches an input for keys; cancels the token when they are pressed.
    pub fn new(input: R, keys: Keys, detached: CancellationToken) -> Self {
        Self {
            input,
            keys: keys.0,
            pressed: 0,
            ready: Vec::new(),
            detached,
        }
    }

    /// Takes what was typed. Returns whether the keys were among it.
    fn take(&mut self, typed: &[u8]) -> bool {
        for &byte in typed {
            if self.keys.get(self.pressed) == Some(&byte) {
                self.pressed += 1;
                if self.pressed == self.keys.len() {
                    return true;
                }
                continue;
            }
            let held = &self.keys[..self.pressed];
            self.ready.extend_from_slice(held);
            self.pressed = 0;
            if self.keys.first() == Some(&byte) {
                self.pressed = 1;
            } else {
                self.ready.push(byte);
            }
        }
        false
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.ready.is_empty() {
                let count = this.ready.len().min(buffer.remaining());
                buffer.put_slice(&this.ready[..count]);
                this.ready.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if this.detached.is_cancelled() {
                return Poll::Pending;
            }
            let mut space = [0; 1024];
            let mut typed = ReadBuf::new(&mut space);
            match Pin::new(&mut this.input).poll_read(context, &mut typed) {
                Poll::Ready(Ok(())) if !typed.filled().is_empty() => {
                    if this.take(typed.filled()) {
                        this.detached.cancel();
                    }
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(keys: &str) -> Watched<tokio::io::Empty> {
        let keys = Keys::parse(keys).unwrap_or_else(|error| panic!("{error}"));
        Watched::new(tokio::io::empty(), keys, CancellationToken::new())
    }

    #[test]
    fn keys_are_the_bytes_of_a_terminal() {
        let bytes = |text| Keys::parse(text).map(|keys| keys.0).map_err(|e| e.message);
        assert_eq!(bytes(DEFAULT), Ok(vec![16, 17]));
        assert_eq!(bytes("ctrl-[,a,DEL,ctrl-@"), Ok(vec![27, b'a', 127, 0]));
        for wrong in ["", "ctrl-", "ctrl-1", "ab", "ctrl-p,,q"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_held_back_until_it_is_clear() {
        let mut input = watched("ctrl-p,ctrl-q");
        assert!(!input.take(b"a\x10"));
        assert_eq!(input.ready, b"a");
        assert!(!input.take(b"b\x10\x10"));
        assert_eq!(input.ready, b"a\x10b\x10");
        assert!(input.take(b"\x11rest"));
        assert_eq!(input.ready, b"a\x10b\x10");
    }
}
