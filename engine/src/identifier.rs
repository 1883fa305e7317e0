//! Identifiers of containers, networks and exec instances.

use std::fmt::Write as _;

use crate::{Error, Result};

/// A new identifier: 64 hexadecimal digits.
pub(crate) fn new() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The one identifier that `reference` is, or that it begins and no other.
///
/// # Errors
/// 400 when it begins several.
pub(crate) fn complete<'a>(
    reference: &str,
    known: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>> {
    let mut found = None;
    for id in known.filter(|id| id.starts_with(reference)) {
        if id == reference {
            return Ok(Some(id));
        }
        if found.replace(id).is_some() {
            let message = format!("multiple IDs found with provided prefix: {reference}");
            return Err(Error::bad_request(message));
        }
    }
    Ok(found.filter(|_| !reference.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_completed_when_they_are_unique() {
        let known = ["abc1", "abd2"];
        assert_eq!(complete("abd", known.into_iter()).unwrap(), Some("abd2"));
        assert_eq!(complete("x", known.into_iter()).unwrap(), None);
        assert_eq!(complete("", ["a"].into_iter()).unwrap(), None);
        assert_eq!(complete("ab", known.into_iter()).unwrap_err().status, 400);
    }

    #[test]
    fn identifiers_are_64_digits() {
        let id = new();
        assert_eq!(id.len(), 64);
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
