//! Keyboard shortcuts at the bottom of the screen.

use anstyle::Style;

use super::style;
use crate::report::event::Shortcut;

const KEY: Style = Style::new().bold().invert();
const ACTION: Style = Style::new().dimmed();
/// Columns between two shortcuts.
const GAP: usize = 3;

/// As many of the shortcuts as fit on one line.
pub fn line(shortcuts: &[Shortcut], width: usize, color: bool) -> String {
    let mut line = String::new();
    let mut used = 0;
    for shortcut in shortcuts {
        let gap = if line.is_empty() { 0 } else { GAP };
        used += gap + 2 + shortcut.action.len();
        // In the last column some terminals begin another line.
        if used >= width {
            break;
        }
        line.push_str(&" ".repeat(gap));
        line.push_str(&style::paint(KEY, &shortcut.key.to_string(), color));
        line.push(' ');
        line.push_str(&style::paint(ACTION, shortcut.action, color));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_that_do_not_fit_are_left_out() {
        let shortcuts = [('w', "Enable Watch"), ('d', "Detach")];
        let shortcuts = shortcuts.map(|(key, action)| Shortcut { key, action });
        assert_eq!(line(&shortcuts, 80, false), "w Enable Watch   d Detach");
        assert_eq!(line(&shortcuts, 25, false), "w Enable Watch");
        assert_eq!(line(&shortcuts, 5, false), "");
        assert_eq!(style::width(&line(&shortcuts, 80, true)), 25);
    }
}
