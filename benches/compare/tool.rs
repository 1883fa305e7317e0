//! One of the two programs that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with docker compose's command line.
pub(crate) struct Tool {
    /// Short name; also the project's, so that the two never share a container.
    pub(crate) name: &'static str,
    /// The binary.
    pub(crate) program: PathBuf,
}

impl Tool {
    /// A command on a compose file: `host` is what goes into `DOCKER_HOST`.
    pub(crate) fn command(&self, file: &Path, host: Option<&str>, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--file")
            .arg(file)
            .args(["--project-name", &self.project(file)])
            .args(arguments)
            .env_remove("DOCKER_CONTEXT")
            .env("DOCKER_CONFIG", file.with_file_name("docker-config"));
        if let Some(host) = host {
            command.env("DOCKER_HOST", host);
        }
        command
    }

    /// The project's name for a compose file.
    pub(crate) fn project(&self, file: &Path) -> String {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        format!("bench-{}-{stem}", self.name)
    }
}
