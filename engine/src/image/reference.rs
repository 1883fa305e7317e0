//! Names of images: `[host[:port]/]path[:tag][@digest]`, as Docker reads them.

use std::fmt;

use crate::{Error, Result};

/// The registry of names that say none.
pub(crate) const DEFAULT_REGISTRY: &str = "docker.io";

/// A name of an image in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host and port of the registry.
    pub(crate) registry: String,
    /// Path in the registry: `library/alpine`.
    pub(crate) repository: String,
    /// What follows the colon.
    pub(crate) tag: Option<String>,
    /// `sha256:…`.
    pub(crate) digest: Option<String>,
}

impl Reference {
    /// Reads a name as a person writes it.
    ///
    /// # Errors
    /// 400 for what is no name, with Docker's words.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::bad_request("invalid reference format");
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(invalid());
        }
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[after_slash..].rfind(':') {
            Some(at) => (
                &rest[..after_slash + at],
                Some(&rest[after_slash + at + 1..]),
            ),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid());
        }
        let (registry, repository) = split_registry(name);
        if repository.chars().any(|letter| letter.is_ascii_uppercase()) {
            let message = format!(
                "invalid reference format: repository name ({repository}) must be lowercase"
            );
            return Err(Error::bad_request(message));
        }
        let is_id = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id
            || !is_registry(&registry)
            || !repository.split('/').all(is_component)
            || name.len() > 255
        {
            return Err(invalid());
        }
        Ok(Self {
            registry,
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// With the tag `latest` where it has neither tag nor digest; a digest makes a tag moot.
    pub(crate) fn tagged(mut self) -> Self {
        if self.digest.is_some() {
            self.tag = None;
        } else if self.tag.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// The name without tag and digest, as people write it.
    pub(crate) fn familiar_name(&self) -> String {
        match (
            self.registry.as_str(),
            self.repository.strip_prefix("library/"),
        ) {
            (DEFAULT_REGISTRY, Some(name)) if !name.contains('/') => name.to_owned(),
            (DEFAULT_REGISTRY, _) => self.repository.clone(),
            (registry, _) => format!("{registry}/{}", self.repository),
        }
    }

    /// As people write it: without the registry and the path that are understood.
    pub(crate) fn familiar(&self) -> String {
        let mut text = self.familiar_name();
        self.suffix(&mut text);
        text
    }

    /// The same repository by digest.
    pub(crate) fn with_digest(&self, digest: &str) -> Self {
        Self {
            tag: None,
            digest: Some(digest.to_owned()),
            ..self.clone()
        }
    }

    fn suffix(&self, text: &mut String) {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(digest);
        }
    }
}

/// In full.
impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut suffix = String::new();
        self.suffix(&mut suffix);
        write!(formatter, "{}/{}{suffix}", self.registry, self.repository)
    }
}

/// The registry that a key of stored credentials means: `https://index.docker.io/v1/` or a host.
pub(crate) fn registry_of(key: &str) -> String {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest);
    match host.split('/').next().unwrap_or_default() {
        "index.docker.io" => DEFAULT_REGISTRY.to_owned(),
        host => host.to_owned(),
    }
}

fn split_registry(name: &str) -> (String, String) {
    if let Some((first, rest)) = name.split_once('/')
        && (first.contains(['.', ':'])
            || first == "localhost"
            || first.chars().any(char::is_uppercase))
    {
        let registry = if first == "index.docker.io" {
            DEFAULT_REGISTRY
        } else {
            first
        };
        let is_official = registry == DEFAULT_REGISTRY && !rest.contains('/');
        let rest = if is_official {
            format!("library/{rest}")
        } else {
            rest.to_owned()
        };
        return (registry.to_owned(), rest);
    }
    let repository = if name.contains('/') {
        name.to_owned()
    } else {
        format!("library/{name}")
    };
    (DEFAULT_REGISTRY.to_owned(), repository)
}

/// Whether the text is a digest that this engine can check: SHA-256.
pub(crate) fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_lower_hex))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = registry.split_once(':').unwrap_or((registry, "1"));
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lower-case letters and digits, between them `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(is_word) || !bytes.last().is_some_and(is_word) {
        return false;
    }
    bytes.split(is_word).all(|between| {
        matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|byte| *byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> String {
        Reference::parse(text).unwrap().tagged().to_string()
    }

    #[test]
    fn names_are_completed() {
        assert_eq!(full("alpine"), "docker.io/library/alpine:latest");
        assert_eq!(full("a/b:1"), "docker.io/a/b:1");
        assert_eq!(full("localhost/b"), "localhost/b:latest");
        assert_eq!(full("host:5000/a/b:1"), "host:5000/a/b:1");
        assert_eq!(full("index.docker.io/a"), "docker.io/library/a:latest");
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            full(&format!("a:1@{digest}")),
            format!("docker.io/library/a@{digest}")
        );
    }

    #[test]
    fn names_are_shortened() {
        let familiar = |text: &str| Reference::parse(text).unwrap().familiar();
        assert_eq!(familiar("docker.io/library/alpine:3"), "alpine:3");
        assert_eq!(familiar("docker.io/a/b"), "a/b");
        assert_eq!(familiar("host.x/library/b"), "host.x/library/b");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            "a:",
            "a@sha256:1",
            "-a",
            "a..b",
            "a/",
            "/a",
            "a b",
            "a:b c",
            "../a",
            &long,
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert_eq!(error.message, "invalid reference format", "{text:?}");
        }
        let error = Reference::parse("Alpine").unwrap_err();
        assert!(
            error
                .message
                .ends_with("(library/Alpine) must be lowercase")
        );
    }
}
