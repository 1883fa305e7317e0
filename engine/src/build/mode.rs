//! `--chmod`: modes as octal numbers, or as changes.

/// What becomes of modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// This one, whatever was.
    Bits(u32),
    /// Changes one after the other.
    Changes(Vec<Change>),
}

/// `u+x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The bits of those it is about: of owner, group and others.
    who: u32,
    /// `+`, `-` or `=`.
    operator: char,
    /// `rwxXst`, or whose bits are taken.
    what: String,
}

impl Mode {
    /// Reads `755` or `u=rwX,go-w`.
    ///
    /// # Errors
    /// In words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "invalid chmod parameter: '{text}': it should be octal and between 0 and 07777, \
                 or changes as of chmod"
            )
        };
        if let Ok(bits) = u32::from_str_radix(text, 8) {
            return (bits <= 0o7777)
                .then_some(Self::Bits(bits))
                .ok_or_else(wrong);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            changes.extend(clause_of(clause).ok_or_else(wrong)?);
        }
        Ok(Self::Changes(changes))
    }

    /// The mode that comes of another.
    pub(super) fn of(&self, mode: u32, is_folder: bool) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Changes(changes) => changes
                .iter()
                .fold(mode & 0o7777, |mode, change| change.of(mode, is_folder)),
        }
    }
}

/// The changes of `ug+rw-x`; `None` for what makes no sense.
fn clause_of(clause: &str) -> Option<Vec<Change>> {
    let is_operator = |letter: char| matches!(letter, '+' | '-' | '=');
    let start = clause.find(is_operator)?;
    let (who, mut rest) = clause.split_at(start);
    let mut bits = if who.is_empty() { 0o7777 } else { 0 };
    for letter in who.chars() {
        bits |= match letter {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    let mut changes = Vec::new();
    while let Some(operator) = rest.chars().next() {
        let after = &rest[1..];
        let end = after.find(is_operator).unwrap_or(after.len());
        let (what, next) = after.split_at(end);
        let is_known = what.chars().all(|letter| "rwxXst".contains(letter));
        if !is_known && !matches!(what, "u" | "g" | "o") {
            return None;
        }
        changes.push(Change {
            who: bits,
            operator,
            what: what.to_owned(),
        });
        rest = next;
    }
    Some(changes)
}

impl Change {
    fn of(&self, mode: u32, is_folder: bool) -> u32 {
        let bits = self.bits(mode, is_folder) & self.who;
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => (mode & !(self.who & 0o777)) | bits,
        }
    }

    fn bits(&self, mode: u32, is_folder: bool) -> u32 {
        let copied = |shift: u32| {
            let bits = (mode >> shift) & 7;
            bits << 6 | bits << 3 | bits
        };
        let bit = |letter: char| match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            'X' if is_folder || mode & 0o111 != 0 => 0o111,
            's' => 0o6000,
            't' => 0o1000,
            'u' => copied(6),
            'g' => copied(3),
            'o' => copied(0),
            _ => 0,
        };
        self.what.chars().map(bit).fold(0, |all, bits| all | bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_set_and_changed() {
        for (text, from, is_folder, expected) in [
            ("755", 0o600, false, 0o755),
            ("0644", 0o755, true, 0o644),
            ("u+x", 0o644, false, 0o744),
            ("go-rwx", 0o755, false, 0o700),
            ("a=r,u+w", 0o777, false, 0o644),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o644, true, 0o755),
            ("+x", 0o600, false, 0o711),
            ("g=u", 0o640, false, 0o660),
            ("u+s,o+t", 0o755, false, 0o5755),
            ("ug+rw-x", 0o111, false, 0o661),
        ] {
            let mode = Mode::parse(text).unwrap();
            assert_eq!(mode.of(from, is_folder), expected, "{text}");
        }
        for text in ["", "8", "17777", "u", "z+x", "u+q", "u+x,"] {
            assert!(Mode::parse(text).is_err(), "{text}");
        }
    }
}
