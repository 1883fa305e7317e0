//! Writing to the standard streams. A closed stream is an error, never a panic.

use std::io::{self, Write as _};

/// Writes text to standard output.
///
/// # Errors
/// When standard output cannot be written to, for instance because its reader is gone.
pub fn stdout(text: &str) -> io::Result<()> {
    let mut stream = io::stdout().lock();
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Writes text to standard error.
///
/// # Errors
/// When standard error cannot be written to.
pub fn stderr(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}

/// Each line with its newline.
pub fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}
