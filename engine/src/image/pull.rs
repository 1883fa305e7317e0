//! Images from registries.

use serde_json::Value;

use super::{Images, Reference};
use crate::{Error, Result};

impl Images {
    /// Pulls an image and tells the progress as Docker does.
    ///
    /// # Errors
    /// 501 for now.
    pub(crate) async fn pull(
        &self,
        reference: &Reference,
        _auth: Option<&[u8]>,
        _tell: &(dyn Fn(Value) + Send + Sync),
    ) -> Result<()> {
        Err(Error::not_supported(format!(
            "pulling {}",
            reference.familiar()
        )))
    }
}
