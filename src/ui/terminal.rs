//! What the terminal is: its size, and whether the streams are one.

use std::io::{IsTerminal as _, stderr, stdout};

use terminal_size::{Height, Width, terminal_size_of};

/// Columns of the terminal on standard error, if it is one and says so.
pub fn width() -> Option<u16> {
    terminal_size_of(stderr())
        .map(|(Width(columns), _)| columns)
        .filter(|columns| *columns > 0)
}

/// Rows of the terminal on standard error, if it is one and says so.
pub fn height() -> Option<u16> {
    terminal_size_of(stderr())
        .map(|(_, Height(rows))| rows)
        .filter(|rows| *rows > 0)
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    stderr().is_terminal()
}
