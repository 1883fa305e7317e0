//! What watching files has to tell.

use super::style;

/// A line with the mark that docker compose gives such lines.
pub fn line(text: &str, color: bool) -> String {
    format!(
        "{}{text}",
        style::paint(style::SUCCESS, "        ⦿ ", color)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_mark() {
        assert_eq!(line("Watch enabled", false), "        ⦿ Watch enabled");
    }
}
