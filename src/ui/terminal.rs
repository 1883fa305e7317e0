//! What the terminal is: its size, and whether the streams are one.

use std::io::{IsTerminal as _, stderr, stdout};

use terminal_size::{Height, Width, terminal_size_of};

/// Columns of the terminal on standard error, if it is one and says so.
pub fn width() -> Option<u16> {
    terminal_size_of(stderr())
        .map(|(Width(columns), _)| columns)
        .filter(|columns| *columns > 0)
}

/// Columns and rows of the terminal on standard output or standard error, if it is one and says
/// so.
pub fn size(on_stdout: bool) -> Option<(u16, u16)> {
    let size = if on_stdout {
        terminal_size_of(stdout())
    } else {
        terminal_size_of(stderr())
    };
    size.map(|(Width(columns), Height(rows))| (columns, rows))
        .filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    stderr().is_terminal()
}
