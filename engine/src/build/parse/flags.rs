//! `--name=value` in front of an instruction's arguments.

/// A flag's name and value; the value is empty where there is none.
pub(super) type Flag = (String, String);

/// The flags in front, without their quotes, and what follows them. `--` alone ends them.
pub(super) fn split(text: &str, escape: char) -> (Vec<Flag>, &str) {
    let mut flags = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with("--") {
        let (word, after) = word(rest, escape);
        rest = after.trim_start();
        if word == "--" {
            break;
        }
        let flag = word.strip_prefix("--").unwrap_or(&word);
        let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
        flags.push((key.to_owned(), value.to_owned()));
    }
    (flags, rest)
}

/// The first word, and what follows it.
fn word(text: &str, escape: char) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == escape => word.extend(letters.next().map(|(_, letter)| letter)),
            letter if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            letter if letter.is_whitespace() && quote.is_none() => return (word, &text[at..]),
            letter => word.push(letter),
        }
    }
    (word, "")
}
