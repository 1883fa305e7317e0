//! Writing an artifact.

use rcompose_engine::Repository;
use serde_json::{Value, json};

use super::manifest::{self, ARTIFACT, CONFIG, INDEX, MANIFEST, VERSION, failed, open};
use super::{OciVersion, Options};
use crate::compose::artifact::Part;
use crate::plan::labels::CONTRACT_VERSION;
use crate::run::Error;

/// HTTP status of a registry that does not take a manifest.
const NOT_TAKEN: u16 = 400;

/// Pushes the parts as an artifact with the name `target`, and what else `options` ask for.
///
/// # Errors
/// When the registry does not answer or refuses, or does not have one of the images.
pub async fn push(target: &str, parts: &[Part], options: &Options) -> Result<(), Error> {
    let repository = open(target, &options.insecure).await?;
    let said = |error| failed(target, &error);
    for content in std::iter::once(CONFIG).chain(parts.iter().map(|part| part.content.as_slice())) {
        repository.push_blob(content.to_vec()).await.map_err(said)?;
    }
    let written = match options.version {
        Some(version) => push_manifest(&repository, parts, version).await,
        None => match push_manifest(&repository, parts, OciVersion::V1_1).await {
            // It may not know artifact types.
            Err(error) if error.status == NOT_TAKEN => {
                push_manifest(&repository, parts, OciVersion::V1_0).await
            }
            other => other,
        },
    };
    let subject = written.map_err(said)?;
    if options.images.is_empty() {
        return Ok(());
    }
    push_images(&repository, &options.images, subject, options)
        .await
        .map_err(|error| error.while_doing(format!("the images of {target}")))
}

/// Pushes the manifest, and describes it.
async fn push_manifest(
    repository: &Repository,
    parts: &[Part],
    version: OciVersion,
) -> rcompose_engine::Result<Value> {
    let created = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let manifest = manifest::manifest(parts, version, &created.to_string());
    let text = manifest.to_string().into_bytes();
    let size = text.len();
    let digest = repository
        .push_manifest(repository.tag(), MANIFEST, text)
        .await?;
    let mut subject = json!({
        "mediaType": MANIFEST, "digest": digest, "size": size, "annotations": { VERSION: CONTRACT_VERSION },
    });
    if version == OciVersion::V1_1 {
        subject["artifactType"] = ARTIFACT.into();
    }
    Ok(subject)
}

/// Copies images into the repository, and pushes an index that names them as belonging to the artifact.
async fn push_images(
    repository: &Repository,
    images: &[String],
    subject: Value,
    options: &Options,
) -> Result<(), Error> {
    let mut manifests: Vec<Value> = Vec::with_capacity(images.len());
    for image in images {
        let from = open(image, &options.insecure).await?;
        let copied = repository.copy_image(&from).await;
        let (kind, text) = copied.map_err(|error| failed(image, &error))?;
        let digest = manifest::digest(&text);
        manifests.push(json!({ "mediaType": kind, "digest": digest, "size": text.len() }));
    }
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "subject": subject,
        "annotations": { VERSION: CONTRACT_VERSION },
    });
    let text = index.to_string().into_bytes();
    let digest = manifest::digest(&text);
    let pushed = repository.push_manifest(&digest, INDEX, text).await;
    pushed.map_err(|error| failed(&repository.name(), &error))?;
    Ok(())
}
