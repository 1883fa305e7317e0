//! The person's terminal while a container's program uses it.

/// A terminal in raw mode: keys go to the program in the container as they are pressed. Restored
/// when dropped.
#[derive(Debug)]
pub struct RawMode {
    #[cfg(unix)]
    original: nix::sys::termios::Termios,
}

#[cfg(unix)]
impl RawMode {
    /// Puts the terminal on standard input into raw mode.
    ///
    /// # Errors
    /// When standard input is no terminal, or cannot be set.
    pub fn enter() -> std::io::Result<Self> {
        use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let original = tcgetattr(&stdin)?;
        let mut raw = original.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&stdin, SetArg::TCSANOW, &raw)?;
        Ok(Self { original })
    }
}

#[cfg(unix)]
impl Drop for RawMode {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.original);
    }
}

#[cfg(not(unix))]
impl RawMode {
    /// Raw mode needs a unix system.
    ///
    /// # Errors
    /// Always.
    pub fn enter() -> std::io::Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// Columns and rows of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// The size of the terminal on a standard stream, where one is a terminal.
    pub fn current() -> Option<Self> {
        let (width, height) = terminal_size::terminal_size()?;
        Some(Self {
            width: width.0,
            height: height.0,
        })
    }
}

/// Waits for the terminal to change its size.
#[derive(Debug)]
pub struct Resizes {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
}

impl Resizes {
    /// Starts listening.
    ///
    /// # Errors
    /// When the signal cannot be listened to.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signals: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change())?,
        })
    }

    /// Waits for the next change and returns the new size.
    pub async fn next(&mut self) -> Option<Size> {
        #[cfg(unix)]
        {
            self.signals.recv().await?;
            Size::current()
        }
        #[cfg(not(unix))]
        std::future::pending().await
    }
}
