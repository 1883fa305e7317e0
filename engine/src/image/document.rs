//! An image's configuration: the JSON whose digest is its id.

use bollard_stubs::models::ImageConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The configuration of an image.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Document {
    /// `amd64`, `arm64` …
    #[serde(default)]
    pub(crate) architecture: String,
    /// `linux`.
    #[serde(default)]
    pub(crate) os: String,
    /// Variant of the architecture: `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// What containers of it begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<ImageConfig>,
    /// Its layers.
    pub(crate) rootfs: RootFs,
    /// How it came to be, oldest first.
    #[serde(default)]
    pub(crate) history: Vec<History>,
}

/// The layers of an image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Digests of the layers' tar streams without compression, lowest first.
    #[serde(default)]
    pub(crate) diff_ids: Vec<String>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids: Vec::new(),
        }
    }
}

/// One step of an image's making.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    /// The instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) empty_layer: bool,
}

impl Document {
    /// What containers of the image begin with.
    pub(crate) fn config(&self) -> ImageConfig {
        let mut config = self.config.clone().unwrap_or_default();
        // They are read from sets, in no order.
        config
            .exposed_ports
            .iter_mut()
            .for_each(|ports| ports.sort());
        config.volumes.iter_mut().for_each(|volumes| volumes.sort());
        config
    }

    /// Its JSON, the same for equal documents: what keeps no order is sorted.
    ///
    /// # Errors
    /// None that a document can cause.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut value = serde_json::to_value(self).map_err(Error::internal)?;
        value.sort_all_objects();
        serde_json::to_vec(&value).map_err(Error::internal)
    }

    /// A new image of this machine, made now.
    pub(crate) fn new() -> Self {
        Self {
            architecture: crate::api::architecture().to_owned(),
            os: "linux".to_owned(),
            created: Some(crate::time::now()),
            ..Self::default()
        }
    }
}
