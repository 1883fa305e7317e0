//! Images of containers, as `images` shows them.

use std::fmt::Write as _;

use bollard::models::ImageSummary;
use jiff::Timestamp;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::containers::age;
use super::format::{human_duration, human_size};
use super::table::Layout;
use super::template::go_json;
use crate::report::UsedImage;

/// Digits of an id in a table.
const ID_WIDTH: usize = 12;

/// The distinct ids, one a line, without `sha256:`.
pub fn ids(images: &[UsedImage]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for image in images {
        let id = bare(&image.id);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    super::out::lines(ids)
}

/// The table of `images`.
pub fn table(images: &[UsedImage], now: Timestamp) -> String {
    let mut text = String::from("CONTAINER\tREPOSITORY\tTAG\tPLATFORM\tIMAGE ID\tSIZE\tCREATED\n");
    for image in images {
        let (repository, tag) = names(&image.reference);
        let id: String = bare(&image.id).chars().take(ID_WIDTH).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{id}\t{}\t{}",
            image.container,
            or_none(&repository),
            or_none(&tag),
            image.platform,
            human_size(u64::try_from(image.size).unwrap_or_default(), 3),
            created(image, now),
        );
    }
    Layout::LIST.align(&text)
}

/// The JSON of `images`: one array.
pub fn json(images: &[UsedImage]) -> String {
    let entries: Vec<Value> = images
        .iter()
        .map(|image| {
            let (repository, tag) = names(&image.reference);
            json!({
                "ID": image.id,
                "ContainerName": image.container,
                "Repository": repository,
                "Tag": tag,
                "Platform": image.platform,
                "Size": image.size,
                "LastTagTime": moment(image)
                    .and_then(|time| time.format(&Rfc3339).ok())
                    .unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned()),
            })
        })
        .collect();
    // An empty line follows, as docker compose has it.
    go_json(&Value::Array(entries), false) + "\n\n"
}

/// The table of `bridge transformations list`.
pub fn transformations(images: &[ImageSummary]) -> String {
    let mut text = String::from("IMAGE ID\tREPO\tTAGS\tSIZE\n");
    for image in images {
        let (repository, tag) = image.repo_tags.first().map_or_else(
            || (String::new(), String::new()),
            |reference| names(reference),
        );
        let id: String = bare(&image.id).chars().take(ID_WIDTH).collect();
        let size = human_size(u64::try_from(image.size).unwrap_or_default(), 3);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{id}\t{}\t{}\t{size}",
            or_none(&repository),
            or_none(&tag)
        );
    }
    Layout::LIST.align(&text)
}

/// The first names of images, one a line; the id where there is none.
pub fn transformation_names(images: &[ImageSummary]) -> String {
    let names = images.iter();
    let name = |image: &'_ ImageSummary| image.repo_tags.first().unwrap_or(&image.id).clone();
    names.map(|image| name(image) + "\n").collect()
}

/// The JSON of `bridge transformations list`: one array of what the engine says.
pub fn transformations_json(images: &[ImageSummary]) -> String {
    let entries = images.iter().map(|image| {
        json!({
            "Containers": image.containers, "Created": image.created, "Id": image.id,
            "Labels": image.labels, "ParentId": image.parent_id, "RepoDigests": image.repo_digests,
            "RepoTags": image.repo_tags, "SharedSize": image.shared_size, "Size": image.size,
        })
    });
    go_json(&Value::Array(entries.collect()), false) + "\n\n"
}

/// When the image got its tag, or when it was made where the engine does not tell.
fn moment(image: &UsedImage) -> Option<OffsetDateTime> {
    image
        .tagged
        .filter(|time| time.year() > 1)
        .or(image.created)
}

fn created(image: &UsedImage, now: Timestamp) -> String {
    let Some(then) =
        moment(image).and_then(|time| Timestamp::from_second(time.unix_timestamp()).ok())
    else {
        return "N/A".to_owned();
    };
    format!("{} ago", human_duration(age(then, now)))
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

fn bare(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, digest)| digest)
}

/// Repository and tag of a reference, the repository as people write it.
fn names(reference: &str) -> (String, String) {
    let is_id = reference.len() == 64 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        return (String::new(), String::new());
    }
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name[path..].find(':') {
        Some(colon) => (&name[..path + colon], &name[path + colon + 1..]),
        None if digest.is_some() => (name, ""),
        None => (name, "latest"),
    };
    let familiar = name.strip_prefix("docker.io/").unwrap_or(name);
    let familiar = familiar.strip_prefix("library/").unwrap_or(familiar);
    // docker drops the tag of a reference that also has a digest.
    let tag = if digest.is_some() { "" } else { tag };
    (familiar.to_owned(), tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split() {
        for (reference, repository, tag) in [
            ("busybox", "busybox", "latest"),
            ("docker.io/library/busybox:1", "busybox", "1"),
            ("docker.io/a/b:c", "a/b", "c"),
            ("localhost:5000/a", "localhost:5000/a", "latest"),
            ("a@sha256:0", "a", ""),
            (&"0a".repeat(32), "", ""),
        ] {
            assert_eq!(names(reference), (repository.to_owned(), tag.to_owned()));
        }
    }

    #[test]
    fn ids_are_bare_and_distinct() {
        let image = UsedImage {
            container: "a".into(),
            reference: "b".into(),
            id: "sha256:12".into(),
            platform: "linux/amd64".into(),
            size: 1_234_567,
            created: None,
            tagged: None,
        };
        assert_eq!(ids(&[image.clone(), image.clone()]), "12\n");
        assert!(table(&[image], Timestamp::UNIX_EPOCH).contains("1.23MB"));
    }
}
