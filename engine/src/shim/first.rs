//! The container's first process, from the fork to the word that it may begin.
//!
//! The container library would put a process between the shim and the first one, only to enter the process namespace and
//! the control groups. Here the shim forks the first process itself, and puts it into its groups while the process mounts
//! what it needs; the library does what happens inside.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;

use libcgroups::common::CgroupConfig;
use libcontainer::config::YoukiConfig;
use libcontainer::container::{Container, ContainerStatus};
use libcontainer::namespaces::Namespaces;
use libcontainer::notify_socket::{NOTIFY_FILE, NotifyListener, NotifySocket};
use libcontainer::oci_spec::runtime::{LinuxNamespaceType, Process, Spec};
use libcontainer::process::args::{ContainerArgs, ContainerType};
use libcontainer::process::channel::{
    InitReceiver, MainReceiver, MainSender, init_channel, main_channel,
};
use libcontainer::process::init::container_init_process;
use libcontainer::syscall::syscall::SyscallType;
use libcontainer::validator::Validator;
use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

use super::Launch;
use super::create::Failure;
use super::executor::Exec;
use super::groups;
use super::membership::Membership;
use super::stdio::Ends;

/// A first process that waits for the word to begin.
pub(super) struct First<'a> {
    launch: &'a Launch,
    container: Container,
    pid: Pid,
}

/// What the process gets from the shim.
pub(super) struct Inside<'a> {
    /// How it becomes the container's program.
    pub(super) executor: Exec,
    /// Its ends of the pipes; none where it has a terminal.
    pub(super) ends: Option<&'a Ends>,
    /// Where it hands over the terminal that it makes.
    pub(super) console: Option<&'a OwnedFd>,
}

/// Makes the process. It is in its control groups when this returns, and waits.
///
/// # Errors
/// What is wrong with the specification or with what it asks for. Nothing of the process stays then, but its groups and
/// its folder may.
pub(super) fn make<'a>(
    launch: &'a Launch,
    spec: &Rc<Spec>,
    membership: &Membership<'_>,
    inside: Inside<'_>,
) -> Result<First<'a>, Failure> {
    Validator::validate_spec(spec).map_err(Failure::new)?;
    let folder = folder(launch);
    fs::create_dir_all(&folder).map_err(Failure::new)?;
    // Further processes are the library's: it looks here for what it has to know.
    let known = YoukiConfig::from_spec(spec, &launch.id).map_err(Failure::new)?;
    known.save(&folder).map_err(Failure::new)?;
    let args = arguments(launch, spec, inside)?;
    let pid = forked(&args, membership)?;
    let settled = Container::new(
        &launch.id,
        ContainerStatus::Running,
        Some(pid.as_raw()),
        &launch.bundle(),
        &folder,
    )
    .and_then(|container| container.save().map(|()| container));
    match settled {
        Ok(container) => Ok(First {
            launch,
            container,
            pid,
        }),
        Err(error) => {
            end(pid);
            Err(Failure::new(error))
        }
    }
}

impl First<'_> {
    /// Gives the word.
    ///
    /// # Errors
    /// When the process does not listen any more.
    pub(super) fn begin(self) -> Result<(Container, Pid), Failure> {
        let socket = folder(self.launch).join(NOTIFY_FILE);
        match NotifySocket::new(socket).notify_container_start() {
            Ok(()) => Ok((self.container, self.pid)),
            Err(error) => {
                self.undo();
                Err(Failure::new(error))
            }
        }
    }

    /// Ends the process, which has not begun.
    pub(super) fn undo(self) {
        end(self.pid);
        undo(self.launch);
    }
}

/// Removes the groups and the folder of a container that could not be made.
pub(super) fn undo(launch: &Launch) {
    // What went wrong before is what matters.
    let _ = groups::remove(&launch.groups);
    let _ = fs::remove_dir_all(folder(launch));
}

/// Where the library looks for what is known of the container.
fn folder(launch: &Launch) -> PathBuf {
    launch.state().join(&launch.id)
}

fn end(pid: Pid) {
    let _ = kill(pid, Signal::SIGKILL);
    let _ = waitpid(pid, None);
}

fn arguments(
    launch: &Launch,
    spec: &Rc<Spec>,
    inside: Inside<'_>,
) -> Result<ContainerArgs, Failure> {
    let root = spec.root().as_ref().map(|root| root.path().clone());
    let listener = NotifyListener::new(&folder(launch).join(NOTIFY_FILE));
    let [stdin, stdout, stderr] = match inside.ends {
        Some(ends) => [&ends.stdin, &ends.stdout, &ends.stderr].map(|end| Some(end.as_raw_fd())),
        None => [None; 3],
    };
    Ok(ContainerArgs {
        container_type: ContainerType::InitContainer,
        syscall: SyscallType::default(),
        spec: Rc::clone(spec),
        rootfs: root.unwrap_or_default(),
        console_socket: inside.console.map(|console| console.as_raw_fd()),
        notify_listener: listener.map_err(Failure::new)?,
        preserve_fds: 0,
        container: None,
        user_ns_config: None,
        // It is in its groups already.
        cgroup_config: CgroupConfig {
            cgroup_path: PathBuf::new(),
            systemd_cgroup: false,
            container_name: String::new(),
        },
        detached: true,
        executor: Box::new(inside.executor),
        no_pivot: false,
        stdin,
        stdout,
        stderr,
        as_sibling: false,
        pid_file: None,
    })
}

/// Forks the process and brings it to where it waits.
fn forked(args: &ContainerArgs, membership: &Membership<'_>) -> Result<Pid, Failure> {
    let (mut sender, mut receiver) = main_channel().map_err(Failure::new)?;
    let (unused, mut never) = init_channel().map_err(Failure::new)?;
    let gate = membership
        .is_first()
        .then(std::io::pipe)
        .transpose()
        .map_err(Failure::new)?;
    let (closed, gate) = gate.unzip();
    let pid = match fork_into_namespace(args)? {
        #[expect(
            clippy::disallowed_methods,
            reason = "the first process of a container: nothing above it is its own"
        )]
        ForkResult::Child => {
            drop(gate);
            let _ = (receiver.close(), unused.close());
            std::process::exit(child(args, closed, &mut sender, &mut never))
        }
        ForkResult::Parent { child } => child,
    };
    drop(closed);
    // Its ends are closed here, so that its death is seen.
    let _ = (sender.close(), never.close(), unused.close());
    let ready = accompanied(pid, membership, gate, &mut receiver);
    let _ = receiver.close();
    if ready.is_err() {
        end(pid);
    }
    ready.map(|()| pid)
}

/// Puts the process into its groups, and waits until it is ready.
fn accompanied(
    pid: Pid,
    membership: &Membership<'_>,
    gate: Option<std::io::PipeWriter>,
    receiver: &mut MainReceiver,
) -> Result<(), Failure> {
    let entered = membership.enter(pid);
    if let Some(mut gate) = gate {
        entered?;
        gate.write_all(b"\n").map_err(Failure::new)?;
        drop(gate);
        return receiver.wait_for_init_ready().map_err(Failure::new);
    }
    // One that has ended cannot be put into groups: what ended it is what matters.
    receiver.wait_for_init_ready().map_err(Failure::new)?;
    entered
}

/// Forks; the new process is the first of a process namespace, or in the one that is asked for.
fn fork_into_namespace(args: &ContainerArgs) -> Result<ForkResult, Failure> {
    let linux = args.spec.linux().as_ref();
    let wanted = linux.and_then(|linux| linux.namespaces().as_ref());
    let namespaces = Namespaces::try_from(wanted).map_err(Failure::new)?;
    let wanted = namespaces
        .get(LinuxNamespaceType::Pid)
        .map_err(Failure::new)?;
    let own = File::open("/proc/self/ns/pid").map_err(Failure::new)?;
    if let Some(wanted) = wanted {
        namespaces.unshare_or_setns(wanted).map_err(Failure::new)?;
    }
    #[expect(unsafe_code, reason = "fork has no safe wrapper")]
    // SAFETY: a shim has one thread, so no other can have left a lock behind.
    let forked = unsafe { fork() };
    if wanted.is_some()
        && !matches!(forked, Ok(ForkResult::Child))
        && let Err(error) = setns(own.as_fd(), CloneFlags::CLONE_NEWPID)
    {
        if let Ok(ForkResult::Parent { child }) = forked {
            end(child);
        }
        return Err(Failure::new(error));
    }
    forked.map_err(Failure::new)
}

/// The new process: does not come back, unless something is wrong.
fn child(
    args: &ContainerArgs,
    closed: Option<std::io::PipeReader>,
    sender: &mut MainSender,
    never: &mut InitReceiver,
) -> i32 {
    // The shim has given up where nothing comes.
    if let Some(mut closed) = closed
        && !matches!(closed.read(&mut [0]), Ok(1))
    {
        return 1;
    }
    let done = args.spec.process().as_ref().map_or(Ok(()), prepare);
    let done = done.and_then(|()| {
        container_init_process(args, sender, never).map_err(|error| error.to_string())
    });
    match done {
        Ok(()) => 0,
        Err(error) => {
            let _ = sender.exec_failed(error);
            1
        }
    }
}

/// What the process takes into the container.
fn prepare(process: &Process) -> Result<(), String> {
    if let Some(score) = process.oom_score_adj() {
        let file = "/proc/self/oom_score_adj";
        fs::write(file, score.to_string()).map_err(|error| format!("write {file}: {error}"))?;
    }
    // Whoever is in a namespace that it joins is not to look into it.
    prctl::set_dumpable(false).map_err(|error| format!("set dumpable: {error}"))?;
    let syscall = SyscallType::default().create_syscall();
    for limit in process.rlimits().iter().flatten() {
        let set = syscall.set_rlimit(limit);
        set.map_err(|error| format!("set the limit {:?}: {error}", limit.typ()))?;
    }
    Ok(())
}
