//! Images that a rebuild left without a name.

use std::collections::HashMap;

use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};

use crate::connect::Engine;
use crate::run::Error;

/// Removes images of a project that have no name any more, other than those of `keep`. One that a
/// container still uses is left. Uses `GET /images/json` and `DELETE /images/{name}`.
///
/// # Errors
/// When the engine does not list its images.
pub async fn prune(engine: &Engine, project: &str, keep: &[&str]) -> Result<(), Error> {
    let filters = HashMap::from([
        ("dangling".to_owned(), vec!["true".to_owned()]),
        (
            "label".to_owned(),
            vec![format!("com.docker.compose.project={project}")],
        ),
    ]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    for image in engine.docker.list_images(Some(options)).await? {
        if !keep.contains(&image.id.as_str()) {
            let nothing = None::<RemoveImageOptions>;
            // What is in use is removed another time.
            let _ = engine.docker.remove_image(&image.id, nothing, None).await;
        }
    }
    Ok(())
}
