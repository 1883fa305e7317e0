//! Escapes inside double quotes: `\a \b \c \f \n \r \t \v \$ \" \\` and octal `\0nnn`.

/// Expands escapes. `\$` becomes `$$`, which the template behind it reads as a dollar; what is no
/// known escape stays as it is, backslash included.
pub(super) fn expand(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let (expansion, length) = sequence(&rest[at..]);
        match expansion {
            Expansion::Char(c) => result.push(c),
            Expansion::Dollar => result.push_str("$$"),
            Expansion::AsItIs => result.push_str(&rest[at..at + length]),
            Expansion::Unreadable => {
                result.push('\\');
                result.push_str(&rest[at + 2..at + length]);
            }
        }
        rest = &rest[at + length..];
    }
    result + rest
}

enum Expansion {
    Char(char),
    Dollar,
    AsItIs,
    /// `\0` that no character follows from: docker compose drops the zero.
    Unreadable,
}

/// Reads the escape at the start of `text`, a backslash; also gives its length in bytes.
fn sequence(text: &str) -> (Expansion, usize) {
    let expansion = match text.as_bytes().get(1) {
        Some(b'a') => Expansion::Char('\u{7}'),
        Some(b'b') => Expansion::Char('\u{8}'),
        Some(b'f') => Expansion::Char('\u{c}'),
        Some(b'n') => Expansion::Char('\n'),
        Some(b'r') => Expansion::Char('\r'),
        Some(b't') => Expansion::Char('\t'),
        Some(b'v') => Expansion::Char('\u{b}'),
        Some(b'"') => Expansion::Char('"'),
        Some(b'\\') => Expansion::Char('\\'),
        Some(b'$') => Expansion::Dollar,
        Some(b'c') => Expansion::AsItIs,
        Some(b'0') => return octal(text),
        _ => return (Expansion::AsItIs, 1),
    };
    (expansion, 2)
}

/// `\0` and exactly three octal digits, not above one byte.
fn octal(text: &str) -> (Expansion, usize) {
    let digits = text[2..]
        .bytes()
        .take(3)
        .take_while(u8::is_ascii_digit)
        .count();
    let code = (digits == 3).then(|| u8::from_str_radix(&text[2..5], 8).ok());
    let expansion = code.flatten().map_or(Expansion::Unreadable, |code| {
        Expansion::Char(char::from(code))
    });
    (expansion, 2 + digits)
}
