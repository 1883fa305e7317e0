//! Docker Compose itself, where the machine has it.

use std::path::PathBuf;

use super::process::{Outcome, start};
use super::project::Project;

/// The docker-compose binary of `RCOMPOSE_TEST_COMPOSE`; says so when there is none.
pub(crate) fn docker_compose() -> Option<PathBuf> {
    let binary = std::env::var_os("RCOMPOSE_TEST_COMPOSE").map(PathBuf::from);
    if binary.is_none() {
        #[expect(clippy::print_stderr, reason = "nobody shall believe this was tested")]
        {
            eprintln!(
                "SKIPPED: RCOMPOSE_TEST_COMPOSE names no docker-compose binary to compare with"
            );
        }
    }
    binary
}

impl Project {
    /// Runs docker compose on this project to its end.
    #[track_caller]
    pub(crate) fn docker_compose(&self, binary: &std::path::Path, arguments: &[&str]) -> Outcome {
        start(self.command(binary, arguments)).finish()
    }
}
