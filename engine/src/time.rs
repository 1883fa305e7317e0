//! Times as the API writes them.

use jiff::Timestamp;

/// What the API gives for a time that has not come: the container has never started, say.
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 with nine digits of the second, in UTC.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// Now, as [`rfc3339`] writes it.
pub(crate) fn now() -> String {
    rfc3339(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits() {
        let time = Timestamp::new(1, 5).unwrap();
        assert_eq!(rfc3339(time), "1970-01-01T00:00:01.000000005Z");
    }
}
