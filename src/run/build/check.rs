//! What a build needs to be here.

use super::recipe::{Context, Dockerfile, NamedContext, Recipe, problem};
use crate::run::Error;

/// Finds out what is missing before the builder does, in better words.
pub(super) fn check_files(recipe: &Recipe) -> Result<(), Error> {
    let service = &recipe.service;
    for (name, context) in &recipe.contexts {
        if let NamedContext::Local(folder) = context
            && !folder.is_dir()
        {
            let place = folder.display();
            let text = format!(
                "additional context {name:?} of service {service:?} is not a folder: {place}"
            );
            return Err(problem(service, "additional_contexts", text)
                .remedy("correct `build.additional_contexts`"));
        }
    }
    let Context::Local(root) = &recipe.context else {
        return Ok(());
    };
    if !root.is_dir() {
        let place = root.display();
        return Err(problem(
            service,
            "context",
            format!("the build context of service {service:?} is not a folder: {place}"),
        )
        .remedy("correct `build.context`"));
    }
    let dockerfile = match &recipe.dockerfile {
        Dockerfile::Inside(path) => root.join(path),
        Dockerfile::Outside(path) => path.clone(),
        Dockerfile::Inline(_) => return Ok(()),
    };
    if !dockerfile.is_file() {
        let place = dockerfile.display();
        return Err(problem(
            service,
            "dockerfile",
            format!("the Dockerfile of service {service:?} does not exist: {place}"),
        )
        .remedy("create it, or name another one with `build.dockerfile`"));
    }
    Ok(())
}
