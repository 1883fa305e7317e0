//! A top-level volume → the request that creates it.

use bollard::models::VolumeCreateRequest;

use super::{hash, labels, names};
use crate::compose::model::Volume;

/// Body of `POST /volumes/create` for the volume `key` of the project.
pub fn create_body(project: &str, key: &str, volume: &Volume) -> VolumeCreateRequest {
    VolumeCreateRequest {
        name: Some(names::volume(project, key, volume)),
        driver: volume.driver.clone(),
        driver_opts: (!volume.driver_opts.is_empty())
            .then(|| volume.driver_opts.clone().into_iter().collect()),
        labels: Some(labels::resource(
            &volume.labels,
            project,
            labels::VOLUME,
            key,
            hash::volume(volume),
        )),
        cluster_volume_spec: None,
    }
}
