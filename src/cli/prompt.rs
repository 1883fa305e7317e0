//! Questions to the person.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::time::Duration;

use super::Error;
use crate::ui;

/// How long an answer may take that comes from a program: an input that nobody writes to must not
/// hold up a script for ever.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Asks a question that is answered by yes or no. Where nobody can answer, `default` holds.
pub(super) fn confirm(question: &str, default: bool) -> Result<bool, Error> {
    let choices = if default { "Y/n" } else { "y/N" };
    ui::out::stdout(&format!("{question}? [{choices}] "))?;
    let answer = if io::stdin().is_terminal() {
        read_answer()?
    } else {
        let answer = answer_in_time()?;
        ui::out::stdout("\n")?;
        answer
    };
    Ok(match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => true,
        "n" | "no" => false,
        _ => default,
    })
}

fn read_answer() -> io::Result<String> {
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer)
}

/// The next line of the input; an empty one where it does not come in time.
fn answer_in_time() -> io::Result<String> {
    let (sender, answers) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody may wait for it any more.
        let _ = sender.send(read_answer());
    });
    answers
        .recv_timeout(ANSWER_TIME)
        .unwrap_or_else(|_| Ok(String::new()))
}
