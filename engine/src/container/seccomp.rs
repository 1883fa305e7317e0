//! The system calls that a container's processes may make.
//!
//! What is not listed fails with `EPERM`, as with Docker's default profile: calls that reach
//! past the container (modules, kexec, keyrings, mounts, the clock, tracing of the kernel) are
//! not listed, or only for containers with the capability that they need anyway.

use serde_json::{Value, json};

/// Calls that every container may make, by what they are about. Those that an architecture or
/// the linked library does not know are skipped.
const ALWAYS: &[&str] = &[
    // Files: opening, reading, writing.
    "open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev \
     pwrite64 pwritev pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 flock ioctl sendfile \
     sendfile64 splice tee vmsplice copy_file_range readahead fadvise64 fadvise64_64 fallocate \
     truncate truncate64 ftruncate ftruncate64 sync syncfs fsync fdatasync sync_file_range \
     sync_file_range2 arm_fadvise64_64 arm_sync_file_range memfd_create memfd_secret cachestat",
    // Files: names, attributes, folders.
    "access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat fchmodat2 chown chown32 \
     fchown fchown32 fchownat lchown lchown32 getcwd getdents getdents64 link linkat symlink \
     symlinkat readlink readlinkat rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir \
     mknod mknodat umask utime utimes utimensat utimensat_time64 futimesat stat stat64 fstat \
     fstat64 fstatat64 newfstatat lstat lstat64 statx statfs statfs64 fstatfs fstatfs64 \
     name_to_handle_at getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr \
     setxattrat listxattr llistxattr flistxattr listxattrat removexattr lremovexattr \
     fremovexattr removexattrat file_getattr file_setattr listmount statmount",
    // Waiting for files, and being told of changes.
    "select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create \
     epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 \
     eventfd eventfd2 signalfd signalfd4 inotify_init inotify_init1 inotify_add_watch \
     inotify_rm_watch fanotify_mark io_setup io_submit io_cancel io_destroy io_getevents \
     io_pgetevents io_pgetevents_time64",
    // Pipes and sockets.
    "pipe pipe2 socketpair socketcall bind listen accept accept4 connect shutdown getsockname \
     getpeername getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg \
     recvmmsg recvmmsg_time64",
    // Memory.
    "brk mmap mmap2 munmap mprotect mremap madvise mincore mlock mlock2 mlockall munlock \
     munlockall msync mseal membarrier remap_file_pages pkey_alloc pkey_free pkey_mprotect \
     map_shadow_stack process_mrelease",
    // Processes and threads.
    "fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid \
     set_tid_address getpgid getpgrp setpgid getsid setsid kill tkill tgkill pidfd_open \
     pidfd_send_signal prctl arch_prctl modify_ldt get_thread_area set_thread_area set_tls \
     get_robust_list set_robust_list restart_syscall rseq uretprobe cacheflush breakpoint \
     riscv_flush_icache riscv_hwprobe swapcontext",
    // Tracing of processes of one's own, safe since Linux 4.8.
    "ptrace process_vm_readv process_vm_writev",
    // Locks between threads, and messages between processes.
    "futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv ipc msgctl msgget msgrcv \
     msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget mq_open \
     mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend \
     mq_timedsend_time64",
    // Signals.
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend \
     rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn \
     pause",
    // Users, groups, capabilities, and giving rights up.
    "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 \
     getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid \
     setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid \
     setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset seccomp \
     landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_get_self_attr \
     lsm_list_modules lsm_set_self_attr",
    // Scheduling and limits.
    "sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam \
     sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max \
     sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 sched_yield \
     getcpu getpriority setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit \
     prlimit64 getrusage times",
    // Time: reading it, and waiting. Whether the clock can be set is a matter of capabilities.
    "time gettimeofday clock_getres clock_getres_time64 clock_gettime clock_gettime64 \
     clock_nanosleep clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 \
     alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime \
     timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime \
     timerfd_gettime64 timerfd_settime timerfd_settime64",
    // The machine.
    "uname sysinfo getrandom",
];

/// Calls that come with a capability.
const WITH_CAPABILITY: &[(&str, &str)] = &[
    ("CAP_BPF", "bpf"),
    ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    ("CAP_PERFMON", "perf_event_open"),
    (
        "CAP_SYS_ADMIN",
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount \
         mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname \
         sethostname setns syslog umount umount2 unshare",
    ),
    ("CAP_SYS_BOOT", "reboot"),
    ("CAP_SYS_CHROOT", "chroot"),
    ("CAP_SYS_MODULE", "delete_module init_module finit_module"),
    (
        "CAP_SYS_NICE",
        "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    ),
    ("CAP_SYS_PACCT", "acct"),
    ("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"),
    ("CAP_SYS_RAWIO", "iopl ioperm"),
    (
        "CAP_SYS_TIME",
        "settimeofday stime clock_settime clock_settime64",
    ),
    ("CAP_SYS_TTY_CONFIG", "vhangup"),
    ("CAP_SYSLOG", "syslog"),
];

/// Flags of `clone` that make namespaces: new mount, cgroup, uts, ipc, user, pid, net.
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// Domain of sockets between virtual machines and their hosts, which no namespace confines.
const AF_VSOCK: u64 = 40;

/// What `personality` may be asked for: Linux, Linux on 32 bits, both with the older number of
/// the kernel's version, and what there is now.
const PERSONALITIES: &[u64] = &[0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

const ENOSYS: u32 = 38;

/// The OCI runtime specification's `linux.seccomp` for a container with these capabilities.
pub(crate) fn profile(capabilities: &[String]) -> Value {
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    let mut rules = vec![allow(
        ALWAYS.iter().flat_map(|names| names.split_whitespace()),
    )];
    for (capability, names) in WITH_CAPABILITY {
        if has(capability) {
            rules.push(allow(names.split_whitespace()));
        }
    }
    rules.push(allow_if(
        "socket",
        json!({"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}),
    ));
    for personality in PERSONALITIES {
        let is = json!({"index": 0, "value": personality, "op": "SCMP_CMP_EQ"});
        rules.push(allow_if("personality", is));
    }
    if !has("CAP_SYS_ADMIN") {
        rules.extend(threads());
    }
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": architectures(),
        "syscalls": rules,
    })
}

/// New processes and threads, but no new namespaces. A filter cannot see the flags of `clone3`,
/// so the C libraries are told to take `clone`.
fn threads() -> [Value; 2] {
    let flags = i32::from(cfg!(target_arch = "s390x"));
    // The container library takes `valueTwo` for the mask and `value` for what is compared,
    // the other way round than the specification.
    let none = json!({
        "index": flags, "value": 0, "valueTwo": NEW_NAMESPACES, "op": "SCMP_CMP_MASKED_EQ",
    });
    [
        allow_if("clone", none),
        json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS}),
    ]
}

fn allow<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    json!({"names": names.collect::<Vec<_>>(), "action": "SCMP_ACT_ALLOW"})
}

fn allow_if(name: &str, argument: Value) -> Value {
    json!({"names": [name], "action": "SCMP_ACT_ALLOW", "args": [argument]})
}

/// This machine's, with those whose programs it runs too.
fn architectures() -> &'static [&'static str] {
    if cfg!(target_arch = "x86_64") {
        &["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    } else if cfg!(target_arch = "aarch64") {
        &["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    } else {
        &["SCMP_ARCH_NATIVE"]
    }
}

#[cfg(test)]
mod tests {
    use libcontainer::oci_spec::runtime::LinuxSeccomp;

    use super::*;

    fn names(capabilities: &[&str]) -> Vec<String> {
        let capabilities: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
        let profile: LinuxSeccomp = serde_json::from_value(profile(&capabilities)).unwrap();
        let rules = profile.syscalls().clone().unwrap();
        rules.iter().flat_map(|rule| rule.names().clone()).collect()
    }

    #[test]
    fn what_reaches_past_the_container_is_not_listed() {
        let names = names(&[]);
        for name in [
            "mount",
            "unshare",
            "setns",
            "kexec_load",
            "add_key",
            "reboot",
            "io_uring_setup",
        ] {
            assert!(!names.contains(&name.to_owned()), "{name}");
        }
        for name in ["read", "execve", "clone", "socket", "futex"] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn capabilities_bring_their_calls() {
        assert!(names(&["CAP_SYS_ADMIN"]).contains(&"mount".to_owned()));
        assert!(names(&["CAP_SYS_TIME"]).contains(&"clock_settime".to_owned()));
        assert!(!names(&["CAP_SYS_TIME"]).contains(&"mount".to_owned()));
    }

    #[test]
    fn nothing_is_listed_twice() {
        let mut names: Vec<_> = ALWAYS
            .iter()
            .flat_map(|names| names.split_whitespace())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
