//! Image references, as far as pulling needs to take them apart.

/// The registry that images without one come from.
const DEFAULT_DOMAIN: &str = "docker.io";

/// An image reference taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The part in front of tag and digest, as written.
    pub name: &'a str,
    /// Its tag; `latest` where neither tag nor digest is given.
    pub tag: Option<&'a str>,
    /// Its digest (`sha256:…`).
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes a reference apart. What is not a valid reference the engine will refuse.
    pub fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let path = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path..].rfind(':') {
            Some(colon) => (&rest[..path + colon], Some(&rest[path + colon + 1..])),
            None if digest.is_none() => (rest, Some("latest")),
            None => (rest, None),
        };
        Self { name, tag, digest }
    }

    /// The registry's host, with its port where it has one.
    pub fn domain(&self) -> &'a str {
        let Some((first, _)) = self.name.split_once('/') else {
            return DEFAULT_DOMAIN;
        };
        let is_host = first.contains(['.', ':'])
            || first == "localhost"
            || first.bytes().any(|byte| byte.is_ascii_uppercase());
        match first {
            "index.docker.io" => DEFAULT_DOMAIN,
            host if is_host => host,
            _ => DEFAULT_DOMAIN,
        }
    }

    /// What the engine is asked for: the digest where there is one, else the tag.
    pub fn tag_or_digest(&self) -> &'a str {
        self.digest.or(self.tag).unwrap_or("latest")
    }
}

/// The key of a registry in the file with the credentials.
pub(super) fn credentials_key(domain: &str) -> &str {
    match domain {
        DEFAULT_DOMAIN => "https://index.docker.io/v1/",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (&str, &str, &str) {
        let reference = Reference::parse(text);
        (
            reference.domain(),
            reference.name,
            reference.tag_or_digest(),
        )
    }

    #[test]
    fn references_come_apart() {
        assert_eq!(parts("nginx"), ("docker.io", "nginx", "latest"));
        assert_eq!(parts("a/b:1.2"), ("docker.io", "a/b", "1.2"));
        assert_eq!(
            parts("localhost:5000/a:1"),
            ("localhost:5000", "localhost:5000/a", "1")
        );
        assert_eq!(
            parts("localhost:5000/a"),
            ("localhost:5000", "localhost:5000/a", "latest")
        );
        assert_eq!(
            parts("reg.example/a/b@sha256:12"),
            ("reg.example", "reg.example/a/b", "sha256:12")
        );
        assert_eq!(parts("a:1@sha256:12"), ("docker.io", "a", "sha256:12"));
    }
}
