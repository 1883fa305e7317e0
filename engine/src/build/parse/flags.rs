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

/// The flags of an instruction, and whether they may be there more than once.
fn known(name: &str) -> &'static [(&'static str, bool)] {
    match name {
        "FROM" => &[("platform", false)],
        "RUN" => &[("mount", true), ("network", false), ("security", false)],
        "COPY" => &[
            ("from", false),
            ("chown", false),
            ("chmod", false),
            ("link", false),
            ("exclude", true),
            ("parents", false),
        ],
        "ADD" => &[
            ("chown", false),
            ("chmod", false),
            ("link", false),
            ("exclude", true),
            ("keep-git-dir", false),
            ("checksum", false),
            ("unpack", false),
        ],
        "HEALTHCHECK" => &[
            ("interval", false),
            ("timeout", false),
            ("start-period", false),
            ("start-interval", false),
            ("retries", false),
        ],
        _ => &[],
    }
}

/// Refuses flags that an instruction does not have, or has twice.
///
/// # Errors
/// In words, with the flag.
pub(super) fn check(name: &str, flags: &[Flag]) -> Result<(), String> {
    let known = known(name);
    for (at, (flag, _)) in flags.iter().enumerate() {
        let Some((_, is_list)) = known.iter().find(|(known, _)| known == flag) else {
            let names: Vec<String> = known.iter().map(|(name, _)| format!("--{name}")).collect();
            return Err(if names.is_empty() {
                format!("unknown flag: --{flag}: {name} has none")
            } else {
                format!("unknown flag: --{flag}: {name} has {}", names.join(", "))
            });
        };
        if !is_list && flags[..at].iter().any(|(other, _)| other == flag) {
            return Err(format!("duplicate flag specified: --{flag}"));
        }
    }
    Ok(())
}
