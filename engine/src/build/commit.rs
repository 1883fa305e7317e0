//! An image of what a container has written.

use std::sync::Arc;

use bollard_stubs::models::ImageConfig;

use super::configure;
use super::layer::commit_upper;
use crate::container::{Handle, Status, blocking, stop};
use crate::engine::Engine;
use crate::image::{Document, History, Reference};
use crate::{Error, Result, time};

/// What a commit says beside the container.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    /// The new image's name.
    pub(crate) name: Option<Reference>,
    /// Who made it.
    pub(crate) author: Option<String>,
    /// A remark for its history.
    pub(crate) comment: Option<String>,
    /// Instructions that change its configuration.
    pub(crate) changes: Vec<String>,
    /// Whether the container's processes stand still meanwhile.
    pub(crate) pause: bool,
}

/// Makes an image of a container; answers its id.
///
/// # Errors
/// 400 for changes that make no sense, 404 when the container's image is no more, 500 when it
/// cannot be stored.
pub(crate) async fn commit(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    commit: Commit,
) -> Result<String> {
    let document = document(engine, handle, &commit)?;
    let pauses = commit.pause && handle.record().state.status == Status::Running;
    if pauses {
        stop::pause(engine, handle).await?;
    }
    let made = make(engine, handle, document, commit).await;
    if pauses {
        stop::unpause(engine, handle).await?;
    }
    made
}

fn document(engine: &Engine, handle: &Handle, commit: &Commit) -> Result<Document> {
    let record = handle.record();
    let image = engine.images.resolve(&record.image_id)?;
    // Both have the same fields, as far as both have them.
    let config = serde_json::to_value(&record.config).and_then(serde_json::from_value);
    let mut config: ImageConfig = config.map_err(Error::internal)?;
    configure::changes(&mut config, &commit.changes)?;
    let mut document = (*image.document).clone();
    let now = time::now();
    document.created = Some(now.clone());
    document.author.clone_from(&commit.author);
    document.config = Some(config);
    let words = [vec![record.path.clone()], record.args.clone()].concat();
    document.history.push(History {
        created: Some(now),
        created_by: Some(words.join(" ")),
        comment: commit.comment.clone(),
        ..History::default()
    });
    Ok(document)
}

async fn make(
    engine: &Arc<Engine>,
    handle: &Handle,
    mut document: Document,
    commit: Commit,
) -> Result<String> {
    let (engine, id) = (Arc::clone(engine), handle.id.clone());
    let mut layers = engine.images.layer_descriptors(&handle.record().image_id);
    blocking(move || {
        let lease = engine.images.lease();
        let upper = engine.images.upper(&id);
        match commit_upper(&engine, &upper, (true, None), &lease)? {
            Some((layer, diff_id)) => {
                layers.push(layer);
                document.rootfs.diff_ids.push(diff_id);
            }
            None => {
                if let Some(last) = document.history.last_mut() {
                    last.empty_layer = true;
                }
            }
        }
        let name = commit.name.map(|name| name.tagged().to_string());
        let names: Vec<String> = name.into_iter().collect();
        engine.images.make(&document, layers, &names, &lease)
    })
    .await
}
