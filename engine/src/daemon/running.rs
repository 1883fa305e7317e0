//! The daemon that runs, as it wrote itself down.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::Place;
use crate::{Error, Layout, Result, store};

/// A daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: i32,
    /// When the process began, in ticks since boot: tells it from a later one with its number.
    began: u64,
    /// Where it listens.
    pub socket: PathBuf,
    /// Its version.
    pub version: String,
}

impl Running {
    /// This process.
    pub(super) fn this(socket: &Path) -> Result<Self> {
        let pid = std::process::id().cast_signed();
        let began = began(pid).ok_or_else(|| Error::internal("read /proc/self/stat"))?;
        Ok(Self {
            pid,
            began,
            socket: socket.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Writes it down for others.
    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        store::write(&file(layout), self)
    }

    /// The daemon of this place, if one runs.
    ///
    /// # Errors
    /// 500 when the root cannot be read.
    pub fn find(place: &Place) -> Result<Option<Self>> {
        let known: Option<Self> = store::read(&file(&place.layout))?;
        Ok(known.filter(|known| began(known.pid) == Some(known.began)))
    }

    /// Tells it to leave and waits until it has.
    ///
    /// # Errors
    /// 403 when it is another user's, 500 when it is still there after `patience`.
    pub(super) fn end(&self, patience: Duration) -> Result<()> {
        let Some(process) = self.open()? else {
            return Ok(());
        };
        match pidfd_send_signal(&process, Signal::TERM) {
            Ok(()) => {}
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            Err(error) => return Err(self.failed("signal", error)),
        }
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        let mut waiting = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, timeout) {
            Ok(1..) => Ok(()),
            Ok(_) => Err(Error::internal(format!(
                "the engine (process {}) has not left within {} s",
                self.pid,
                patience.as_secs()
            ))),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// The process, held so that its number cannot pass to another one.
    fn open(&self) -> Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(None);
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => Ok((began(self.pid) == Some(self.began)).then_some(process)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(self.failed("find", error)),
        }
    }

    fn failed(&self, doing: &str, error: rustix::io::Errno) -> Error {
        let message = format!("{doing} the engine (process {}): {error}", self.pid);
        if error == rustix::io::Errno::PERM {
            return Error::forbidden(message);
        }
        Error::internal(message)
    }
}

/// Forgets the daemon that leaves.
pub(super) fn forget(layout: &Layout) {
    match fs::remove_file(file(layout)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!("remove {}: {error}", file(layout).display());
        }
        _ => {}
    }
}

fn file(layout: &Layout) -> PathBuf {
    layout.root().join("engine.json")
}

/// When a process began; `None` when there is none, or it has ended and nobody has asked how.
fn began(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(None, Some(folder.path().to_owned()));
        assert_eq!(Running::find(&place).unwrap(), None);
        let this = Running::this(&place.socket).unwrap();
        this.write(&place.layout).unwrap();
        assert_eq!(Running::find(&place).unwrap(), Some(this.clone()));
        let other = Running { began: 1, ..this };
        other.write(&place.layout).unwrap();
        assert_eq!(Running::find(&place).unwrap(), None);
        other.end(Duration::from_secs(1)).unwrap();
        forget(&place.layout);
        assert_eq!(Running::find(&place).unwrap(), None);
    }

    #[test]
    fn leaving_is_waited_for() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id().cast_signed();
        let running = Running {
            pid,
            began: began(pid).unwrap(),
            socket: PathBuf::new(),
            version: String::new(),
        };
        running.end(Duration::from_secs(10)).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
