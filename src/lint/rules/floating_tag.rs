//! `floating-tag`: images that are others tomorrow.

use std::collections::BTreeSet;

use crate::compose::{Diagnostic, Severity};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::rules::dockerfile::base_tag;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    base_tag::check(input, report);
    let built = built(input);
    for service in input.services() {
        let Some(image) = service.image.as_deref() else {
            continue;
        };
        let is_local = service.build.is_some()
            || service.provider.is_some()
            || built.contains(without_latest(image))
            || service.pull_policy.as_deref() == Some("never");
        let Some(tag) = floating(image).filter(|_| !is_local) else {
            continue;
        };
        let span = input.attribute(&service.name, &["image"]);
        // Who can choose the tag by a variable has been thought of.
        let level = if input.is_templated(span) {
            Severity::Note
        } else {
            Severity::Warning
        };
        let what = match tag {
            Tag::None => "has no tag",
            Tag::Latest => "has the tag `latest`",
        };
        report.add_as(
            level,
            Diagnostic::warning(format!(
                "image {image} of service \"{}\" {what}: each pull may bring another one",
                service.name
            ))
            .at(span)
            .help("name a version, or a digest (`rcompose config --lock-image-digests`)"),
        );
    }
}

/// Images that the project builds: what one service builds, others may use. Without `:latest`.
pub(super) fn built<'a>(input: &Input<'a>) -> BTreeSet<&'a str> {
    input
        .services()
        .filter_map(|service| {
            let build = service.build.as_ref()?;
            let tags = build.tags.iter().map(String::as_str);
            Some(service.image.as_deref().into_iter().chain(tags))
        })
        .flatten()
        .map(without_latest)
        .collect()
}

/// Why a reference is not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// It has no tag.
    None,
    /// Its tag is `latest`.
    Latest,
}

/// Why a reference is not pinned. Ids, digests and references that cannot be read are.
pub(super) fn floating(image: &str) -> Option<Tag> {
    let name = image.rsplit('/').next().unwrap_or(image);
    let is_id = image.len() == 64 && image.bytes().all(|byte| byte.is_ascii_hexdigit());
    if image.contains('@') || name.is_empty() || is_id {
        return None;
    }
    match name.split_once(':') {
        None => Some(Tag::None),
        Some((_, "latest")) => Some(Tag::Latest),
        Some(_) => None,
    }
}

pub(super) fn without_latest(image: &str) -> &str {
    image.strip_suffix(":latest").unwrap_or(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (image, tag) in [
            ("nginx", Some(Tag::None)),
            ("localhost:5000/a/b", Some(Tag::None)),
            ("localhost:5000/a/b:latest", Some(Tag::Latest)),
            ("nginx:1.27", None),
            ("nginx@sha256:aa", None),
            ("nginx:latest@sha256:aa", None),
            ("nginx:", None),
            ("", None),
        ] {
            assert_eq!(floating(image), tag, "{image}");
        }
    }
}
