//! The engine's messages about layers → progress.

use bollard::models::CreateImageInfo;
use indexmap::IndexMap;

use crate::report::event::Step;

/// Bytes of one layer that have to come in before the next step is sent for it, so that a fast
/// download does not flood those who listen.
const GRAIN: u64 = 256 * 1024;

/// The layers of the image being pulled.
#[derive(Debug)]
pub(super) struct Layers {
    parent: String,
    layers: IndexMap<String, Layer>,
}

#[derive(Debug, Default)]
struct Layer {
    text: String,
    current: u64,
    told: u64,
    total: u64,
}

impl Layers {
    pub(super) fn new(parent: &str) -> Self {
        Self {
            parent: parent.to_owned(),
            layers: IndexMap::new(),
        }
    }

    /// Takes one message; what to tell because of it: the layer's own progress and that of the
    /// whole image.
    pub(super) fn take(&mut self, message: CreateImageInfo) -> Vec<Step> {
        let (Some(id), Some(text)) = (message.id, message.status) else {
            return Vec::new();
        };
        // "Pulling from x" comes with the tag as its id.
        if text.starts_with("Pulling from") {
            return Vec::new();
        }
        let layer = self.layers.entry(id.clone()).or_default();
        let changed = layer.text != text;
        let detail = message.progress_detail.unwrap_or_default();
        if text == "Downloading" {
            layer.current = count(detail.current);
            layer.total = layer.total.max(count(detail.total));
        } else if is_downloaded(&text) {
            layer.current = layer.total;
        }
        let moved = layer.current.abs_diff(layer.told) >= GRAIN;
        if !changed && !moved {
            return Vec::new();
        }
        layer.told = layer.current;
        let done = is_done(&text);
        layer.text.clone_from(&text);
        let step = if done {
            Step::done(id, text)
        } else {
            Step::working(id, text)
        };
        let mut step = step.part_of(self.parent.clone());
        if layer.total > 0 {
            step = step.progress(layer.current, layer.total);
        }
        vec![step, self.whole()]
    }

    fn whole(&self) -> Step {
        let current = self.layers.values().map(|layer| layer.current).sum();
        let total = self.layers.values().map(|layer| layer.total).sum();
        Step::working(self.parent.clone(), "Pulling").progress(current, total)
    }
}

fn count(bytes: Option<i64>) -> u64 {
    bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(0)
}

fn is_downloaded(text: &str) -> bool {
    matches!(
        text,
        "Verifying Checksum" | "Download complete" | "Extracting" | "Pull complete"
    )
}

fn is_done(text: &str) -> bool {
    matches!(text, "Already exists" | "Pull complete")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::event::{Progress, Status};
    use bollard::models::ProgressDetail;

    fn message(id: &str, status: &str, current: i64, total: i64) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            error_detail: None,
        }
    }

    #[test]
    fn layers_add_up() {
        let mut layers = Layers::new("web");
        assert!(
            layers
                .take(message("latest", "Pulling from x", 0, 0))
                .is_empty()
        );
        layers.take(message("a", "Downloading", 1_000_000, 2_000_000));
        let steps = layers.take(message("b", "Downloading", 0, 3_000_000));
        let whole = steps.last().map(|step| step.progress);
        let expected = Progress {
            current: 1_000_000,
            total: 5_000_000,
        };
        assert_eq!(whole, Some(Some(expected)));
        let steps = layers.take(message("a", "Pull complete", 0, 0));
        assert_eq!(steps[0].status, Status::Done);
        assert_eq!(steps[0].parent.as_deref(), Some("web"));
        let expected = Progress {
            current: 2_000_000,
            total: 5_000_000,
        };
        assert_eq!(steps[1].progress, Some(expected));
    }

    #[test]
    fn small_moves_are_not_told() {
        let mut layers = Layers::new("web");
        layers.take(message("a", "Downloading", 0, 2_000_000));
        assert!(
            layers
                .take(message("a", "Downloading", 10, 2_000_000))
                .is_empty()
        );
        assert!(
            !layers
                .take(message("a", "Downloading", 900_000, 2_000_000))
                .is_empty()
        );
    }
}
