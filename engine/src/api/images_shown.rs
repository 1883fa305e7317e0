//! Images as clients see them.

use serde_json::{Value, json};

use crate::image::{Image, created};

/// One image of a list.
pub(super) fn listed(image: &Image) -> Value {
    let labels = image.document.config().labels;
    json!({
        "Containers": -1,
        "Created": created(image).as_second(),
        "Id": image.id,
        "Labels": labels,
        "ParentId": "",
        "RepoDigests": image.digests,
        "RepoTags": image.tags,
        "SharedSize": -1,
        "Size": image.size,
    })
}

/// One image in full.
pub(super) fn inspected(image: &Image) -> Value {
    let document = &image.document;
    let comment = document
        .history
        .last()
        .and_then(|last| last.comment.as_deref());
    let mut shown = json!({
        "Id": image.id,
        "RepoTags": image.tags,
        "RepoDigests": image.digests,
        "Parent": "",
        "Comment": comment.unwrap_or_default(),
        "Created": document.created,
        "DockerVersion": "",
        "Author": document.author.as_deref().unwrap_or_default(),
        "Config": config(image),
        "Architecture": document.architecture,
        "Os": document.os,
        "Size": image.size,
        "GraphDriver": { "Data": {}, "Name": "overlay2" },
        "RootFS": { "Type": "layers", "Layers": document.rootfs.diff_ids },
        "Metadata": { "LastTagTime": tagged(image) },
    });
    if let Some(variant) = &document.variant {
        shown["Variant"] = json!(variant);
    }
    shown
}

/// When the image got a name. That is not written down; clients tell an age by it, so it is no later than the image.
fn tagged(image: &Image) -> &str {
    let created = image.document.created.as_deref();
    let created = created.filter(|_| !image.tags.is_empty());
    created.unwrap_or(crate::time::NEVER)
}

/// The configuration, with every field that clients expect.
fn config(image: &Image) -> Value {
    let mut shown = json!({
        "Cmd": null, "Entrypoint": null, "Env": null, "OnBuild": null, "User": "", "Volumes": null,
        "WorkingDir": "",
    });
    let config = serde_json::to_value(image.document.config()).unwrap_or_default();
    for (name, mut value) in config.as_object().cloned().into_iter().flatten() {
        if let Value::Object(named) = &mut value {
            named.sort_keys();
        }
        shown[name] = value;
    }
    shown
}

/// How an image came to be, newest first; `sizes` of its layers, lowest first.
pub(super) fn history(image: &Image, sizes: &[u64]) -> Vec<Value> {
    let mut sizes = sizes.iter();
    let mut shown: Vec<Value> = Vec::new();
    for step in &image.document.history {
        let size = if step.empty_layer {
            0
        } else {
            sizes.next().copied().unwrap_or(0)
        };
        let time = step
            .created
            .as_deref()
            .and_then(|time| time.parse::<jiff::Timestamp>().ok());
        shown.push(json!({
            "Comment": step.comment.as_deref().unwrap_or_default(),
            "Created": time.unwrap_or_default().as_second(),
            "CreatedBy": step.created_by.as_deref().unwrap_or_default(),
            "Id": "<missing>",
            "Size": size,
            "Tags": null,
        }));
    }
    if let Some(last) = shown.last_mut() {
        last["Id"] = json!(image.id);
        last["Tags"] = json!(image.tags);
    }
    shown.reverse();
    shown
}
