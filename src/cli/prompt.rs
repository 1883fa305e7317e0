//! Questions to the person.

use std::io::{self, IsTerminal};

use super::Error;
use crate::ui;

/// Asks a question that is answered by yes or no. Where nobody can answer, `default` holds.
pub(super) fn confirm(question: &str, default: bool) -> Result<bool, Error> {
    let choices = if default { "Y/n" } else { "y/N" };
    ui::out::stdout(&format!("{question}? [{choices}] "))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !io::stdin().is_terminal() {
        ui::out::stdout("\n")?;
    }
    Ok(match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => true,
        "n" | "no" => false,
        _ => default,
    })
}
