//! Finding the digest that a registry has for an image.

use std::collections::HashMap;

use bollard::Docker;

use super::Error;
use super::reference::Reference;
use super::registry_auth::RegistryAuth;

/// Asks registries, through the engine, for digests; each image once.
#[derive(Debug)]
pub struct Resolver {
    docker: Docker,
    credentials: RegistryAuth,
    known: HashMap<String, String>,
}

impl Resolver {
    /// A resolver with the credentials of the person.
    ///
    /// # Errors
    /// When the file with the credentials cannot be read.
    pub fn new(docker: Docker) -> Result<Self, Error> {
        Ok(Self {
            docker,
            credentials: RegistryAuth::load()?,
            known: HashMap::new(),
        })
    }

    /// The full name of an image with its digest: `registry/path:tag@sha256:…`.
    ///
    /// # Errors
    /// When the registry cannot be asked or does not have the image.
    pub async fn pin(&mut self, image: &str) -> Result<String, Error> {
        if let Some(pinned) = self.known.get(image) {
            return Ok(pinned.clone());
        }
        let name = full_name(image);
        let pinned = if name.contains('@') {
            name
        } else {
            format!("{name}@{}", self.digest(&name).await?)
        };
        self.known.insert(image.to_owned(), pinned.clone());
        Ok(pinned)
    }

    async fn digest(&self, name: &str) -> Result<String, Error> {
        let credentials = self.credentials.for_image(name).await?;
        let answer = self.docker.inspect_registry_image(name, credentials).await;
        let found = answer.map_err(|error| {
            Error::new(format!("cannot find the digest of {name}: {error}"))
                .remedy("check the name of the image and that its registry can be reached")
        })?;
        found
            .descriptor
            .digest
            .ok_or_else(|| Error::new(format!("the registry has no digest for {name}")))
    }
}

/// The reference with its registry and, where there is no digest, its tag.
fn full_name(image: &str) -> String {
    let reference = Reference::parse(image);
    let domain = reference.domain();
    let path = match reference.name.split_once('/') {
        Some((first, rest)) if first == domain || first == "index.docker.io" => rest,
        _ => reference.name,
    };
    let path = if domain == "docker.io" && !path.contains('/') {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    match (reference.digest, reference.tag) {
        (Some(digest), _) => format!("{domain}/{path}@{digest}"),
        (None, tag) => format!("{domain}/{path}:{}", tag.unwrap_or("latest")),
    }
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn names_become_full() {
        for (image, full) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("a/b:1", "docker.io/a/b:1"),
            ("reg.example:5000/a", "reg.example:5000/a:latest"),
            ("docker.io/library/a:2", "docker.io/library/a:2"),
            ("a:1@sha256:12", "docker.io/library/a@sha256:12"),
        ] {
            assert_eq!(full_name(image), full);
        }
    }
}
