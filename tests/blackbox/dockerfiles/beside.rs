//! What builds have beside their context: a web server, an ssh agent, a later frontend of BuildKit.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Case;
use crate::support::engine::repository;
use crate::support::eventually;
use crate::support::project::Project;
use crate::support::web::{Web, tree};

/// Where the server of all cases is: Dockerfiles name it.
const PORT: u16 = 18_080;

/// The image of the frontend.
const FRONTEND: &str = "rcompose-fixtures/frontend:1";

/// Serves what the `web.sh` of each case makes, under the case's name.
pub(super) fn web(cases: &[Case]) -> Web {
    let folder = tempfile::Builder::new()
        .prefix("rcompose-web-")
        .tempdir()
        .expect("a folder for the server");
    let mut files = BTreeMap::new();
    for case in cases {
        let script = case.folder.join("web.sh");
        if !script.is_file() {
            continue;
        }
        let top = folder.path().join(&case.name);
        std::fs::create_dir(&top).expect("the folder is ours");
        let mut made = Command::new("sh");
        made.arg("-eu").arg(&script).current_dir(&top);
        made.env("HOME", folder.path());
        assert!(succeeds(&mut made), "{}", script.display());
        files.append(&mut tree(&top, &format!("/{}", case.name)));
    }
    Web::at(PORT, files)
}

/// An ssh agent with one key; it ends with this.
pub(super) struct Agent(Child);

impl Agent {
    /// Makes a key for the project and starts an agent that has it; the project's commands know the agent.
    pub(super) fn start(project: &mut Project) -> Self {
        let (key, socket) = (project.path().join("key"), project.path().join("agent"));
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "key of a test", "-f"]);
        assert!(succeeds(keygen.arg(&key)), "ssh-keygen");
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null());
        let agent = Self(agent.spawn().expect("ssh-agent runs"));
        eventually(60, "the agent listens", || socket.exists().then_some(()));
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket);
        assert!(succeeds(&mut add), "ssh-add");
        project.set("SSH_AUTH_SOCK", &socket.to_string_lossy());
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The image of BuildKit's frontend for Dockerfiles in `RCOMPOSE_TEST_FRONTEND`, if that names one: a static program. With it an
/// engine builds the cases that are too new for its own.
pub(super) fn frontend() -> Option<&'static str> {
    let program = std::env::var_os("RCOMPOSE_TEST_FRONTEND")?;
    let project = Project::new(
        "frontend",
        &format!("services: {{frontend: {{image: '{FRONTEND}', build: .}}}}"),
    );
    let file = "FROM scratch\nCOPY frontend /\nENTRYPOINT [\"/frontend\"]\n";
    project.file("Dockerfile", file);
    let copied = std::fs::copy(Path::new(&program), project.path().join("frontend"));
    copied.expect("RCOMPOSE_TEST_FRONTEND names a program");
    project.rcompose(&["build"]).success();
    Some(FRONTEND)
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null());
    // The checkout's own repository and settings are none of the cases'.
    let command = command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", repository());
    command.status().is_ok_and(|status| status.success())
}
