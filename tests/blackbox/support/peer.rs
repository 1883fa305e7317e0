//! Docker Compose itself, where the machine has it.

use std::path::PathBuf;

use super::process::{Outcome, start};
use super::project::Project;

/// The docker-compose binary of `RCOMPOSE_TEST_COMPOSE`. Tests that ask for it are `#[ignore]`d, so that a
/// run without one does not count them as passed; `tests/run.sh` includes them where the variable is set.
#[track_caller]
pub(crate) fn docker_compose() -> PathBuf {
    let binary = std::env::var_os("RCOMPOSE_TEST_COMPOSE");
    PathBuf::from(binary.expect("RCOMPOSE_TEST_COMPOSE names the docker-compose to compare with"))
}

impl Project {
    /// Runs docker compose on this project to its end.
    #[track_caller]
    pub(crate) fn docker_compose(&self, binary: &std::path::Path, arguments: &[&str]) -> Outcome {
        start(self.command(binary, arguments)).finish()
    }
}
