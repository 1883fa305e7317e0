//! The shell's patterns in `${NAME#pattern}` and its kin.

/// `*` stands for any letters, `?` for one, and a backslash makes them letters.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Letter(char),
}

impl Pattern {
    /// Reads a pattern.
    pub(super) fn new(text: &str) -> Self {
        let mut letters = text.chars();
        let mut tokens = Vec::new();
        while let Some(letter) = letters.next() {
            tokens.push(match letter {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' => Token::Letter(letters.next().unwrap_or('\\')),
                letter => Token::Letter(letter),
            });
        }
        // One star is as good as several.
        tokens.dedup_by(|one, other| *one == Token::Any && *other == Token::Any);
        Self(tokens)
    }

    /// A value without what the pattern means at its beginning.
    pub(super) fn without_prefix(&self, value: &str, is_longest: bool) -> String {
        let letters: Vec<char> = value.chars().collect();
        let end = self.end(&letters, is_longest).unwrap_or(0);
        letters[end..].iter().collect()
    }

    /// A value without what the pattern means at its end.
    pub(super) fn without_suffix(&self, value: &str, is_longest: bool) -> String {
        let reversed = Self(self.0.iter().rev().copied().collect());
        let letters: Vec<char> = value.chars().rev().collect();
        let end = reversed.end(&letters, is_longest).unwrap_or(0);
        letters[end..].iter().rev().collect()
    }

    /// A value with the first, or every, place that the pattern means replaced.
    pub(super) fn replace(&self, value: &str, replacement: &str, is_every: bool) -> String {
        let letters: Vec<char> = value.chars().collect();
        let mut out = String::new();
        let mut at = 0;
        while at < letters.len() {
            let length = self.end(&letters[at..], true);
            if let Some(length) = length.filter(|length| *length > 0) {
                out.push_str(replacement);
                at += length;
                if !is_every {
                    break;
                }
            } else {
                out.push(letters[at]);
                at += 1;
            }
        }
        out.extend(letters[at..].iter());
        out
    }

    /// How many letters at the beginning the pattern means: the fewest, or the most.
    fn end(&self, letters: &[char], is_longest: bool) -> Option<usize> {
        // After each token: where it may have ended. No pattern takes longer than its length times
        // that of the value.
        let mut ends = vec![false; letters.len() + 1];
        ends[0] = true;
        for token in &self.0 {
            let mut next = vec![false; ends.len()];
            let mut is_within = false;
            for at in 0..ends.len() {
                is_within |= ends[at];
                match token {
                    Token::Any => next[at] = is_within,
                    Token::One | Token::Letter(_) if at == 0 => {}
                    Token::One => next[at] = ends[at - 1],
                    Token::Letter(letter) => next[at] = ends[at - 1] && letters[at - 1] == *letter,
                }
            }
            ends = next;
        }
        if is_longest {
            ends.iter().rposition(|ends| *ends)
        } else {
            ends.iter().position(|ends| *ends)
        }
    }
}
