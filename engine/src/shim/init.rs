//! The engine's own first process for containers with `init: true`.

use std::process;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid, setpgid, tcsetpgrp};

/// Divides the process: returns in the new one, which becomes the program. The old one stays in
/// front of it, forwards signals, reaps whatever ends, and ends as the program does.
///
/// # Errors
/// When there can be no more processes.
pub(super) fn split() -> nix::Result<()> {
    let before = SigSet::thread_get_mask()?;
    SigSet::all().thread_block()?;
    match fork()? {
        ForkResult::Child => {
            lead()?;
            before.thread_set_mask()
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the first process of a container: nothing above it would pass a code on"
        )]
        ForkResult::Parent { child } => {
            // How `ps` shows it.
            let _ = nix::sys::prctl::set_name(c"rcompose-init");
            process::exit(watch(child))
        }
    }
}

/// The program has a process group of its own, to which the terminal's keys go: what the old
/// process forwards would come twice otherwise.
fn lead() -> nix::Result<()> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    // Fails where there is no terminal.
    let _ = tcsetpgrp(std::io::stdin(), getpid());
    Ok(())
}

fn fork() -> nix::Result<ForkResult> {
    #[expect(unsafe_code, reason = "there is no safe wrapper of fork")]
    // SAFETY: the process has one thread, so its copy has every lock and allocation in a sound
    // state.
    unsafe {
        nix::unistd::fork()
    }
}

fn watch(child: Pid) -> i32 {
    loop {
        match SigSet::all().wait() {
            Ok(Signal::SIGCHLD) => {
                if let Some(code) = reap(child) {
                    return code;
                }
            }
            // The program may be gone already; then its end is in the queue.
            Ok(signal) => drop(kill(child, signal)),
            Err(_) => {}
        }
    }
}

/// Reaps all that have ended; the program's exit code once it is among them.
fn reap(program: Pid) -> Option<i32> {
    let mut ended = None;
    loop {
        let code = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, code),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) => continue,
            Err(_) => return ended.or(Some(1)),
        };
        if code.0 == program {
            ended = Some(code.1);
        }
    }
}
