//! Colours of the output.

use anstyle::{AnsiColor, Style};

/// Something finished well.
pub const SUCCESS: Style = AnsiColor::Green.on_default();
/// Something to know.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Something failed.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Something goes on.
pub const WORKING: Style = AnsiColor::Yellow.on_default();
/// Times and totals.
pub const TIME: Style = AnsiColor::Blue.on_default();
/// Output of a step of a build.
pub const OUTPUT: Style = Style::new().dimmed();
/// The mark of a dry run.
pub const DRY_RUN: Style = AnsiColor::Cyan.on_default();

/// The text in the style, or as it is without colours.
pub fn paint(style: Style, text: &str, color: bool) -> String {
    if color && !text.is_empty() {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// Columns that a text takes on a terminal; colour codes take none.
pub fn width(text: &str) -> usize {
    use unicode_width::UnicodeWidthStr as _;
    anstream::adapter::strip_str(text).to_string().width()
}
