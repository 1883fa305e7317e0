//! How the process in the container becomes the wanted program.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libcontainer::capabilities::drop_privileges;
use libcontainer::oci_spec::runtime::{LinuxCapabilities, Process, Spec};
use libcontainer::syscall::syscall::SyscallType;
use libcontainer::workload::{Executor, ExecutorError, ExecutorValidationError};
use nix::sys::signal::{SigHandler, SigSet, Signal};
use nix::unistd::execv;

use super::control_groups::ControlGroups;
use super::filter::Filter;
use super::stdio::set_size;

/// Looks the program up as Docker does, and says what is wrong in Docker's words.
#[derive(Debug, Clone)]
pub(super) struct Exec {
    /// Whether a first process of ours stays in front: forwards signals, reaps.
    pub(super) init: bool,
    /// Columns and rows of its terminal.
    pub(super) size: Option<(u16, u16)>,
    /// What is left to do before the program begins.
    pub(super) seal: Seal,
}

/// How a process of a container is confined. The library would compile the filter of system
/// calls anew for each container, and does not filter further processes at all; and when an
/// executor is called, the right to install a filter has gone with the capabilities. So the
/// library is told nothing of either, and both are done here.
#[derive(Debug, Clone)]
pub(super) struct Seal {
    /// The container's filter.
    pub(super) filter: Option<Filter>,
    /// The process's capabilities.
    pub(super) capabilities: Option<LinuxCapabilities>,
    /// Whether a filter may be installed without capabilities: the last is best then.
    pub(super) no_new_privileges: bool,
    /// Control groups that are to be mounted first, while there is a right to do so.
    pub(super) control_groups: Option<Arc<ControlGroups>>,
}

impl Seal {
    fn close(&self) -> Result<(), ExecutorError> {
        if let Some(groups) = &self.control_groups {
            groups
                .mount()
                .map_err(|error| other(format!("mount the control groups: {error}")))?;
        }
        if !self.no_new_privileges {
            self.filter()?;
        }
        if let Some(capabilities) = &self.capabilities {
            let syscall = SyscallType::default().create_syscall();
            drop_privileges(capabilities, syscall.as_ref()).map_err(other)?;
        }
        if self.no_new_privileges {
            self.filter()?;
        }
        Ok(())
    }

    fn filter(&self) -> Result<(), ExecutorError> {
        let Some(filter) = &self.filter else {
            return Ok(());
        };
        filter
            .install()
            .map_err(|error| other(format!("the filter of system calls: {error}")))
    }
}

/// Signals that this program or whoever started the engine ignores (broken pipes; interrupts, in the background of a shell)
/// end other programs.
fn default_actions() -> nix::Result<()> {
    let fixed = [Signal::SIGKILL, Signal::SIGSTOP];
    Signal::iterator()
        .filter(|signal| !fixed.contains(signal))
        .try_for_each(default_action)
}

fn default_action(signal: Signal) -> nix::Result<()> {
    #[expect(unsafe_code, reason = "handlers may be unsound; this is none")]
    // SAFETY: the default action runs no code of ours.
    unsafe {
        nix::sys::signal::signal(signal, SigHandler::SigDfl).map(drop)
    }
}

fn other(error: impl std::fmt::Display) -> ExecutorError {
    ExecutorError::Other(error.to_string())
}

impl Executor for Exec {
    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let process = spec.process().as_ref().ok_or(ExecutorError::InvalidArg)?;
        let program = find(process).map_err(ExecutorError::Other)?;
        // The shim blocks a signal to wait for it; the program must not inherit that.
        SigSet::empty().thread_set_mask().map_err(other)?;
        default_actions().map_err(other)?;
        if let Some((width, height)) = self.size {
            // Without a terminal there is nothing to set.
            let _ = set_size(std::io::stdin(), width, height);
        }
        self.seal.close()?;
        if self.init {
            super::init::split().map_err(other)?;
        }
        let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| ExecutorError::InvalidArg);
        let arguments = process.args().iter().flatten();
        let arguments = arguments
            .map(|argument| text(argument.as_bytes()))
            .collect::<Result<Vec<_>, _>>()?;
        let path = text(program.as_os_str().as_encoded_bytes())?;
        match execv(&path, &arguments) {
            Ok(never) => match never {},
            Err(error) => Err(ExecutorError::Other(format!(
                "exec: {:?}: {}",
                program.display().to_string(),
                error.desc().to_lowercase()
            ))),
        }
    }

    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let process = spec.process().as_ref();
        let process = process.ok_or(ExecutorValidationError::CantHandle(
            "a specification without process",
        ))?;
        find(process)
            .map(drop)
            .map_err(ExecutorValidationError::ArgValidationError)
    }
}

/// The file to execute: what has a slash is a path, anything else is looked up in the
/// process's `PATH`.
fn find(process: &Process) -> Result<PathBuf, String> {
    let name = process.args().iter().flatten().next();
    let name = name.ok_or("no command given")?;
    if name.contains('/') {
        let path = process.cwd().join(name);
        return match executable(&path) {
            Ok(true) => Ok(path),
            Ok(false) => Err(format!("exec: {name:?}: permission denied")),
            Err(error) => Err(format!("exec: {name:?}: stat {name}: {}", reason(&error))),
        };
    }
    let mut denied = false;
    for folder in search_path(process).split(':') {
        let path = Path::new(if folder.is_empty() { "." } else { folder }).join(name);
        match executable(&path) {
            Ok(true) => return Ok(path),
            Ok(false) => denied = true,
            Err(_) => {}
        }
    }
    Err(if denied {
        format!("exec: {name:?}: permission denied")
    } else {
        format!("exec: {name:?}: executable file not found in $PATH")
    })
}

fn search_path(process: &Process) -> &str {
    let mut environment = process.env().iter().flatten();
    let path = environment.find_map(|variable| variable.strip_prefix("PATH="));
    path.unwrap_or_default()
}

fn executable(path: &Path) -> std::io::Result<bool> {
    let metadata = fs::metadata(path)?;
    Ok(metadata.is_file() && metadata.mode() & 0o111 != 0)
}

fn reason(error: &std::io::Error) -> String {
    let number = error.raw_os_error().unwrap_or_default();
    nix::errno::Errno::from_raw(number).desc().to_lowercase()
}

#[cfg(test)]
mod tests {
    use libcontainer::oci_spec::runtime::ProcessBuilder;

    use super::*;

    fn process(program: &str) -> Process {
        let builder = ProcessBuilder::default()
            .args([program.to_owned()])
            .env(["PATH=/nowhere:/bin".to_owned()])
            .cwd("/");
        builder.build().unwrap()
    }

    #[test]
    fn programs_are_looked_up() {
        assert_eq!(find(&process("sh")).unwrap(), Path::new("/bin/sh"));
        assert_eq!(find(&process("/bin/sh")).unwrap(), Path::new("/bin/sh"));
        assert_eq!(find(&process("./bin/sh")).unwrap(), Path::new("/./bin/sh"));
    }

    #[test]
    fn what_is_missing_is_said_in_dockers_words() {
        let missing = find(&process("no-such")).unwrap_err();
        assert_eq!(
            missing,
            "exec: \"no-such\": executable file not found in $PATH"
        );
        let missing = find(&process("/no-such")).unwrap_err();
        assert_eq!(
            missing,
            "exec: \"/no-such\": stat /no-such: no such file or directory"
        );
        let denied = find(&process("/etc/passwd")).unwrap_err();
        assert_eq!(denied, "exec: \"/etc/passwd\": permission denied");
    }
}
