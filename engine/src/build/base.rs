//! What a stage begins with: nothing, another stage, or an image.

use std::sync::Arc;

use super::Failure;
use super::builder::Builder;
use super::progress::{Progress, Step};
use super::stage::Stage;
use super::stages::Planned;
use crate::Result;
use crate::image::{self, Credentials, Image, Reference};

impl Builder<'_> {
    /// What a stage begins with.
    ///
    /// # Errors
    /// Those of pulling an image.
    pub(super) async fn from(
        &self,
        number: usize,
        planned: &Planned,
        step: &Step,
    ) -> Result<Stage, Failure> {
        if planned.base == "scratch" {
            return Ok(Stage::empty());
        }
        if let Some(base) = self.plan.base(number).and_then(|base| self.done(base)) {
            return Ok(Stage::on(base));
        }
        let image = self.image(&planned.base, step).await?;
        let layers = self.engine.images.layer_descriptors(&image.id);
        // Nobody may remove them while something is made on top.
        let blobs = layers.iter().map(|layer| &layer.digest);
        for digest in blobs.chain(&image.document.rootfs.diff_ids) {
            self.lease.take(digest);
        }
        Ok(Stage::of(image, layers))
    }

    /// An image of this engine, or of a registry.
    ///
    /// # Errors
    /// 400 for what is no image's name, and those of pulling.
    pub(super) async fn image(&self, name: &str, step: &Step) -> Result<Image> {
        let found = self.engine.images.resolve(name);
        match found {
            Ok(image) if !self.build.pull => return Ok(image),
            Err(error) if error.status != 404 => return Err(error),
            _ => {}
        }
        let reference = Reference::parse(name)?.tagged();
        let pulled = self.pull(&reference, step);
        tokio::select! {
            pulled = pulled => pulled?,
            () = self.canceled.cancelled() => return Err(super::canceled()),
        }
        self.engine.images.resolve(name)
    }

    async fn pull(&self, reference: &Reference, step: &Step) -> Result<()> {
        let auth = self.build.auth.get(&reference.registry);
        let credentials = Credentials::parse(auth.map(String::as_bytes).unwrap_or_default())?;
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let tell = Arc::new(move |value| drop(sender.send(value)));
        let pulling = image::pull(self.engine, reference, credentials, tell);
        let showing = async {
            while let Some(value) = told.recv().await {
                let value: serde_json::Value = value;
                if let Some(status) = value["status"].as_str().filter(|_| value["id"].is_null()) {
                    self.tell(Progress::Message(step, status));
                }
            }
        };
        tokio::join!(pulling, showing).0
    }
}
