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
        if is_in_background() {
            return;
        }
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

/// A terminal whose keys are read as they are pressed and not shown. Ctrl-C and Ctrl-Z stay what
/// they are. Restored when dropped.
#[derive(Debug)]
pub struct KeyMode {
    #[cfg(unix)]
    original: nix::sys::termios::Termios,
}

#[cfg(unix)]
impl KeyMode {
    /// Puts the terminal on standard input into this mode.
    ///
    /// # Errors
    /// When standard input is no terminal, or cannot be set.
    pub fn enter() -> std::io::Result<Self> {
        let original = nix::sys::termios::tcgetattr(std::io::stdin())?;
        let mode = Self { original };
        mode.set()?;
        Ok(mode)
    }

    /// Sets the mode again, after a shell has set another while the program was suspended.
    pub fn resume(&self) {
        // Without it keys are seen after Enter only.
        let _ = self.set();
    }

    fn set(&self) -> std::io::Result<()> {
        use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, tcsetattr};
        let mut mode = self.original.clone();
        mode.local_flags
            .remove(LocalFlags::ICANON | LocalFlags::ECHO);
        mode.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        mode.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        // It would end the program without restoring the terminal.
        mode.control_chars[SpecialCharacterIndices::VQUIT as usize] = nix::libc::_POSIX_VDISABLE;
        Ok(tcsetattr(std::io::stdin(), SetArg::TCSANOW, &mode)?)
    }
}

#[cfg(unix)]
impl Drop for KeyMode {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        if is_in_background() {
            return;
        }
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.original);
    }
}

#[cfg(not(unix))]
impl KeyMode {
    /// Single keys need a unix system.
    ///
    /// # Errors
    /// Always.
    pub fn enter() -> std::io::Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Does nothing.
    pub fn resume(&self) {}
}

/// Whether standard input is a terminal that this program may read and set: in the background a
/// program that tries is suspended.
pub fn is_in_foreground() -> bool {
    #[cfg(unix)]
    {
        let owner = nix::unistd::tcgetpgrp(std::io::stdin());
        owner.is_ok_and(|owner| owner == nix::unistd::getpgrp())
    }
    #[cfg(not(unix))]
    false
}

/// Whether the terminal on standard input is another program's now, such as the shell's: whoever sets it then is suspended.
#[cfg(unix)]
fn is_in_background() -> bool {
    let owner = nix::unistd::tcgetpgrp(std::io::stdin());
    owner.is_ok_and(|owner| owner != nix::unistd::getpgrp())
}

/// Reads keys from standard input until it ends or `take` wants no more. It blocks, so call it on
/// a thread of its own.
#[cfg(unix)]
pub fn read_keys(take: impl Fn(u8) -> bool) {
    use nix::errno::Errno;
    use nix::sys::signal::{SigSet, Signal};
    // In the background reading is an error then, and does not suspend the program.
    let mut background = SigSet::empty();
    background.add(Signal::SIGTTIN);
    if background.thread_block().is_err() {
        return;
    }
    let mut keys = [0; 64];
    loop {
        match nix::unistd::read(std::io::stdin(), &mut keys) {
            Ok(count @ 1..) => {
                if !keys[..count].iter().all(|key| take(*key)) {
                    return;
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EIO) => std::thread::sleep(BACKGROUND_PAUSE),
            Ok(0) | Err(_) => return,
        }
    }
}

/// There are no keys to read.
#[cfg(not(unix))]
pub fn read_keys(_take: impl Fn(u8) -> bool) {}

/// How often a program in the background looks whether it may read again.
#[cfg(unix)]
const BACKGROUND_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

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
