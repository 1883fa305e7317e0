//! The order of mapping keys in go-yaml's output: numbers inside keys compare by value.

use std::cmp::Ordering;

/// Compares two keys as go-yaml does.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let common = a
        .bytes()
        .zip(b.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    let start = (0..=common)
        .rev()
        .find(|index| a.is_char_boundary(*index) && b.is_char_boundary(*index))
        .unwrap_or(0);
    let (left, right) = (a[start..].chars().next(), b[start..].chars().next());
    let (Some(left), Some(right)) = (left, right) else {
        return a.len().cmp(&b.len());
    };
    match (left.is_alphabetic(), right.is_alphabetic()) {
        (true, true) => left.cmp(&right),
        (false, false) => compare_numbers(a, b, start, left, right),
        (left_is_letter, _) => {
            let after_digit = a[..start].ends_with(|char: char| char.is_ascii_digit());
            // A letter comes first after a digit and last elsewhere.
            if left_is_letter == after_digit {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}

fn compare_numbers(a: &str, b: &str, start: usize, left: char, right: char) -> Ordering {
    // Where a zero comes after other digits, it is part of their number.
    let inside_number = (left == '0' || right == '0')
        && a[..start]
            .bytes()
            .rev()
            .take_while(u8::is_ascii_digit)
            .any(|digit| digit != b'0');
    let lead = i64::from(inside_number);
    let (left_number, left_digits) = number(&a[start..], lead);
    let (right_number, right_digits) = number(&b[start..], lead);
    left_number
        .cmp(&right_number)
        .then(left_digits.cmp(&right_digits))
        .then(left.cmp(&right))
}

/// The number at the start of a text after a leading part, and how many digits it has.
fn number(text: &str, lead: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((lead, 0), |(number, count), digit| {
        let number = number
            .wrapping_mul(10)
            .wrapping_add(i64::from(digit - b'0'));
        (number, count + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_go_yaml_does() {
        let sorted = [
            "-x", "/a", "_a", "1", "1a", "9", "10", "A", "A_B", "A1", "A2", "A10", "A10b", "AB",
            "B", "a", "a b", "a-b", "a.b", "a0", "a00", "a1", "a1x", "a01", "a10x", "ab", "é",
        ];
        let mut keys = sorted;
        keys.reverse();
        keys.sort_by(|a, b| compare(a, b));
        assert_eq!(keys, sorted);
    }
}
