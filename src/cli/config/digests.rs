//! `config --resolve-image-digests` and `--lock-image-digests`.

use std::collections::BTreeMap;

use crate::cli::{Context, Error};
use crate::compose::Project;
use crate::compose::model::{MountType, Service};
use crate::compose::node::{Map, Node, Value};
use crate::run::digest::Resolver;

/// Pins every image of the project to the digest its registry has for it now.
pub(in crate::cli) async fn pin(context: &Context, project: &mut Project) -> Result<(), Error> {
    let mut resolver = Resolver::new(context.connect().await?)?;
    let names: Vec<String> = project.services.keys().cloned().collect();
    for service in project.services.values_mut() {
        if let Some(image) = &mut service.image {
            *image = resolver.pin(image).await?;
        }
        for hook in &mut service.pre_start {
            if let Some(image) = &mut hook.image {
                *image = resolver.pin(image).await?;
            }
        }
        for mount in &mut service.volumes {
            let source = mount.source.as_mut();
            if let (MountType::Image, Some(source)) = (mount.kind, source)
                && !names.contains(source)
            {
                *source = resolver.pin(source).await?;
            }
        }
    }
    Ok(())
}

/// Leaves the images of services alone, and their mounts of images.
pub(in crate::cli) fn keep_images(project: &mut Project) {
    for service in project.services.values_mut() {
        let mut volumes = std::mem::take(&mut service.volumes);
        volumes.retain(|mount| mount.kind == MountType::Image);
        *service = Service {
            name: std::mem::take(&mut service.name),
            image: service.image.take(),
            volumes,
            ..Service::default()
        };
    }
    project.name.clear();
    project.networks = BTreeMap::new();
    project.volumes = BTreeMap::new();
    project.secrets = BTreeMap::new();
    project.configs = BTreeMap::new();
    project.models = BTreeMap::new();
    project.extensions = BTreeMap::new();
}

/// [`pin`] for a tree.
pub(super) async fn pin_tree(context: &Context, tree: &mut Node) -> Result<(), Error> {
    let mut resolver = Resolver::new(context.connect().await?)?;
    for service in services_mut(tree) {
        let image = service.as_map_mut().and_then(|map| map.get_mut("image"));
        if let Some(Value::Str(image)) = image.map(|entry| &mut entry.node.value) {
            *image = resolver.pin(image).await?;
        }
    }
    Ok(())
}

/// [`keep_images`] for a tree.
pub(super) fn keep_images_of_tree(tree: &mut Node) {
    if let Some(root) = tree.as_map_mut() {
        root.retain(|key, _| key == "services");
    }
    for service in services_mut(tree) {
        if let Some(map) = service.as_map_mut() {
            map.retain(|key, _| key == "image");
        }
    }
}

fn services_mut(tree: &mut Node) -> impl Iterator<Item = &mut Node> {
    tree.as_map_mut()
        .and_then(|root| root.get_mut("services"))
        .and_then(|entry| entry.node.as_map_mut())
        .into_iter()
        .flat_map(Map::values_mut)
        .map(|entry| &mut entry.node)
}
