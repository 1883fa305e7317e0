//! Progress as one line for each change.

use super::{DRY_RUN, words};
use crate::report::event::Step;

/// ` Container web-1  Created`: two spaces where docker compose 2 has an empty text.
pub fn line(step: &Step, dry_run: bool) -> String {
    let prefix = if dry_run { DRY_RUN } else { "" };
    let (text, status) = words(step);
    format!("{prefix} {} {text} {status}\n", step.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_those_of_docker_compose() {
        let created = Step::done("Container p-web-1", "Created");
        assert_eq!(line(&created, false), " Container p-web-1  Created\n");
        assert_eq!(
            line(&created, true),
            " DRY-RUN MODE -  Container p-web-1  Created\n"
        );
        let refused = Step::warning("web", "Warning").detail("pull access denied");
        assert_eq!(line(&refused, false), " web Warning pull access denied\n");
        let pulling = Step::working("web", "Pulling");
        assert_eq!(line(&pulling, false), " web Pulling \n");
        let layer = Step::done("1a2b", "Pull complete").part_of("web");
        assert_eq!(line(&layer, false), " 1a2b Pull complete \n");
    }
}
