//! What a container is kept from, and what it is limited to.

use super::*;

fn ignored_signals(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
}

/// As the background of a shell ignores interrupts: every process started from now on inherits it.
fn ignore_a_signal() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    #[expect(unsafe_code, reason = "handlers may be unsound; this is none")]
    // SAFETY: ignoring runs no code of ours.
    let ignored = unsafe { signal(Signal::SIGUSR2, SigHandler::SigIgn) };
    ignored.unwrap();
}

#[tokio::test]
async fn isolation_is_in_force() {
    let script = "grep -E '^(Seccomp|CapEff|NoNewPrivs|SigIgn|SigBlk):' /proc/self/status
        mknod /tmp/disk b 254 0 && { cat /tmp/disk >/dev/null 2>&1 && echo RE''AD; }
        unshare -U true 2>&1; echo 1 >/proc/sys/kernel/core_pattern
        cat /proc/kcore | head -c1; (echo thread) & wait; touch /sys/x; id -u; ps";
    let Some(mut container) = shell(script) else {
        return;
    };
    ignore_a_signal();
    container.run().await;
    let output = container.output();
    assert!(output.contains("Seccomp:\t2\n"), "{output}");
    assert!(output.contains("CapEff:\t00000000a80425fb\n"), "{output}");
    assert!(output.contains("NoNewPrivs:\t0\n"), "{output}");
    // Signals 32 and 33 are the C library's own; nobody can reset what the parent ignored of them.
    assert_eq!(ignored_signals(&output) & !0x1_8000_0000, 0, "{output}");
    assert!(output.contains("SigBlk:\t0000000000000000\n"), "{output}");
    assert!(!output.contains("READ"), "{output}");
    assert!(output.contains("unshare"), "{output}");
    assert!(output.contains("thread\n"), "{output}");
    assert!(
        output.to_lowercase().contains("read-only file system"),
        "{output}"
    );
}

#[tokio::test]
async fn other_processes_are_as_confined() {
    let Some(mut container) = new(&["sleep", "60"]) else {
        return;
    };
    container.config.user = Some("app".to_owned());
    container.start().await.unwrap();
    let script = "grep -E '^(Seccomp|CapEff|CapBnd):' /proc/self/status; id -u";
    let mut session = container.exec(&["sh", "-c", script], |_| {}).await.unwrap();
    let (output, ..) = rest(&mut session).await;
    assert!(output.contains("Seccomp:\t2\n"), "{output}");
    assert!(output.contains("CapEff:\t0000000000000000\n"), "{output}");
    assert!(output.contains("CapBnd:\t00000000a80425fb\n"), "{output}");
    assert!(output.ends_with("1000\n"), "{output}");
    container.signal(nix::libc::SIGKILL).await;
    container.ended().await;
}

#[tokio::test]
async fn options_are_honoured() {
    let script = "touch /x; touch /data/y; touch /run/z && echo written; cat /data/file; ulimit -n
        grep NoNewPrivs /proc/self/status; cat /proc/sys/kernel/hostname; grep -c /dev/shm /proc/mounts";
    let Some(mut container) = shell(script) else {
        return;
    };
    let data = container.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("file"), "content\n").unwrap();
    container.mounts = vec![SpecMount {
        source: Some(data.clone()),
        target: PathBuf::from("/data"),
        ..SpecMount::default()
    }];
    fs::create_dir_all(container.rootfs().join("data")).unwrap();
    fs::create_dir_all(container.rootfs().join("run")).unwrap();
    container.host = HostConfig {
        readonly_rootfs: Some(true),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        tmpfs: Some([("/run".to_owned(), "size=1m".to_owned())].into()),
        ulimits: Some(vec![bollard_stubs::models::ResourcesUlimits {
            name: Some("nofile".to_owned()),
            soft: Some(123),
            hard: Some(456),
        }]),
        memory: Some(64 << 20),
        nano_cpus: Some(500_000_000),
        pids_limit: Some(50),
        ..HostConfig::default()
    };
    container.run().await;
    let output = container.output();
    for wanted in [
        "/x: Read-only",
        "/data/y: Read-only",
        "written\n",
        "content\n",
        "123\n",
        "NoNewPrivs:\t1",
        "box\n",
    ] {
        assert!(output.contains(wanted), "{wanted}: {output}");
    }
    assert!(!data.join("y").exists());
}

#[tokio::test]
async fn memory_that_is_used_up() {
    let Some(mut container) = shell("x=$(cat /dev/zero | busybox tr '\\0' a); echo $x") else {
        return;
    };
    container.host.memory = Some(16 << 20);
    let record = container.run().await;
    assert!(record.oom, "{record:?}");
}
