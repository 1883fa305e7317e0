//! Which images a list gives.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Image, Images, Reference};
use crate::filters::Filters;
use crate::{Error, Result};

/// The filters of lists.
pub(crate) const FILTERS: &[&str] = &[
    "before",
    "dangling",
    "label",
    "label!",
    "reference",
    "since",
    "until",
];

impl Images {
    /// The images that pass, newest first.
    ///
    /// # Errors
    /// 404 when `before` or `since` name no image, 400 for values that make no sense.
    pub(crate) fn list(&self, filters: &Filters) -> Result<Vec<Image>> {
        let bound = |name: &str| -> Result<Option<Timestamp>> {
            let value = filters.values(name).first();
            Ok(value
                .map(|value| self.resolve(value))
                .transpose()?
                .map(|image| created(&image)))
        };
        let (before, since) = (bound("before")?, bound("since")?);
        let until = filters
            .values("until")
            .first()
            .map(|value| time(value))
            .transpose()?;
        let dangling = filters
            .values("dangling")
            .first()
            .map(|value| boolean(value))
            .transpose()?;
        let mut images = self.all();
        images.retain(|image| {
            let time = created(image);
            before.is_none_or(|before| time < before)
                && since.is_none_or(|since| time > since)
                && until.is_none_or(|until| time < until)
                && dangling.is_none_or(|dangling| dangling == image.tags.is_empty())
                && filters.labels(&labels(image))
        });
        let patterns = filters.values("reference");
        if !patterns.is_empty() {
            // Of the names, too, only those that match are shown.
            let matches = |name: &String| patterns.iter().any(|pattern| matches(name, pattern));
            for image in &mut images {
                image.tags.retain(matches);
                image.digests.retain(matches);
            }
            images.retain(|image| !image.tags.is_empty() || !image.digests.is_empty());
        }
        images.sort_by_key(|image| std::cmp::Reverse(created(image)));
        Ok(images)
    }
}

/// When an image was made; 1970 where it does not say.
pub(crate) fn created(image: &Image) -> Timestamp {
    let text = image.document.created.as_deref();
    text.and_then(|text| text.parse().ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// An image's labels.
pub(crate) fn labels(image: &Image) -> HashMap<String, String> {
    let config = image.document.config.as_ref();
    config
        .and_then(|config| config.labels.clone())
        .unwrap_or_default()
}

fn boolean(text: &str) -> Result<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Error::bad_request(format!(
            "invalid filter 'dangling={text}'"
        ))),
    }
}

/// A time, or how long ago: `24h`.
pub(crate) fn time(text: &str) -> Result<Timestamp> {
    if let Ok(ago) = text.parse::<SignedDuration>() {
        return Ok(Timestamp::now() - ago);
    }
    let nanoseconds = crate::api::nanoseconds(text)?;
    Timestamp::from_nanosecond(nanoseconds.into()).map_err(Error::bad_request)
}

fn matches(name: &str, pattern: &str) -> bool {
    Reference::parse(name).is_ok_and(|name| {
        [name.familiar(), name.familiar_name(), name.to_string()]
            .iter()
            .any(|text| glob(pattern.as_bytes(), text.as_bytes()))
    })
}

/// `*` and `?` within a path's component, `[a-z]`, `\` before a letter taken as it is.
pub(crate) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let end = text
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(text.len());
            (0..=end).any(|at| glob(rest, &text[at..]))
        }
        ([b'?', rest @ ..], [byte, text @ ..]) => *byte != b'/' && glob(rest, text),
        ([b'[', rest @ ..], [byte, text @ ..]) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            let (set, is_not) = match &rest[..end] {
                [b'^', set @ ..] => (set, true),
                set => (set, false),
            };
            let in_range = set
                .windows(3)
                .any(|range| range[1] == b'-' && (range[0]..=range[2]).contains(byte));
            (in_range || set.contains(byte)) != is_not && glob(&rest[end + 1..], text)
        }
        ([b'\\', wanted, rest @ ..] | [wanted, rest @ ..], [byte, text @ ..]) => {
            wanted == byte && glob(rest, text)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_within_a_component() {
        let fits = |pattern: &str, text: &str| glob(pattern.as_bytes(), text.as_bytes());
        assert!(fits("al*:3.?", "alpine:3.2"));
        assert!(!fits("*", "a/b"));
        assert!(fits("a/[b-d]", "a/c"));
        assert!(!fits("a/[^b-d]", "a/c"));
        assert!(fits("alpine", "alpine"));
        assert!(!fits("alpine", "alpine:3"));
    }
}
