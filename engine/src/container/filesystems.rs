//! What is mounted in a container.

use std::path::{Path, PathBuf};

use bollard_stubs::models::HostConfig;
use serde_json::{Value, json};

/// Something to mount, whose source is found already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SpecMount {
    /// Path on the host; none for a file system in memory.
    pub(crate) source: Option<PathBuf>,
    /// Absolute path in the container.
    pub(crate) target: PathBuf,
    /// Whether it can be written.
    pub(crate) writable: bool,
    /// `rprivate`, `rslave`, `shared` …; empty for the default, `rprivate`.
    pub(crate) propagation: String,
    /// Options of `mount` for a file system in memory: `size=1m`, `mode=1777`.
    pub(crate) options: Vec<String>,
}

/// Size of `/dev/shm` unless something else is said, in bytes.
const SHM: i64 = 64 << 20;

/// Files and folders of the kernel that a container sees empty.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Those that it cannot write.
const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Where memory shared between processes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedMemory<'a> {
    /// Of the container's own.
    Own,
    /// A folder of the host: that of the host itself, or one that containers share.
    Folder(&'a Path),
}

/// The OCI runtime specification's `mounts`: what every container has, then what the
/// configuration adds, which takes the place of the former where the target is the same.
pub(crate) fn mounts(
    host: &HostConfig,
    wanted: &[SpecMount],
    shared: SharedMemory<'_>,
) -> Vec<Value> {
    let mut wanted: Vec<Value> = wanted.iter().map(mount).collect();
    wanted.extend(host.tmpfs.iter().flatten().map(tmpfs));
    // Folders before what is mounted in them.
    wanted.sort_by_key(depth);
    let mut mounts = defaults(host, shared);
    mounts.retain(|mount| !wanted.iter().any(|other| target(other) == target(mount)));
    mounts.extend(wanted);
    mounts
}

/// Binds the host's control groups in place of mounting them anew.
pub(crate) fn bind_control_groups(mounts: &mut [Value]) {
    let mut groups = mounts.iter_mut().filter(|mount| mount["type"] == "cgroup");
    if let Some(mount) = groups.next() {
        mount["type"] = json!("bind");
        mount["source"] = json!("/sys/fs/cgroup");
        if let Some(options) = mount["options"].as_array_mut() {
            options.push(json!("rbind"));
        }
    }
}

fn target(mount: &Value) -> &str {
    let text = mount["destination"].as_str().unwrap_or_default();
    text.trim_end_matches('/')
}

fn depth(mount: &Value) -> usize {
    target(mount)
        .split('/')
        .filter(|part| !part.is_empty())
        .count()
}

fn defaults(host: &HostConfig, shared: SharedMemory<'_>) -> Vec<Value> {
    let access = if host.privileged == Some(true) {
        "rw"
    } else {
        "ro"
    };
    let kernel = |kind: &str, target: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": kind, "options": options});
    let closed = ["nosuid", "noexec", "nodev"];
    vec![
        kernel("proc", "/proc", &closed),
        kernel(
            "tmpfs",
            "/dev",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        kernel(
            "devpts",
            "/dev/pts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        kernel("sysfs", "/sys", &["nosuid", "noexec", "nodev", access]),
        kernel(
            "cgroup",
            "/sys/fs/cgroup",
            &["nosuid", "noexec", "nodev", access],
        ),
        kernel("mqueue", "/dev/mqueue", &closed),
        shm(host, shared),
    ]
}

fn shm(host: &HostConfig, shared: SharedMemory<'_>) -> Value {
    let target = Path::new("/dev/shm");
    if let SharedMemory::Folder(folder) = shared {
        return json!({
            "destination": target, "type": "bind", "source": folder,
            "options": ["rbind", "rprivate", "nosuid", "noexec", "nodev"],
        });
    }
    let size = host.shm_size.filter(|size| *size > 0).unwrap_or(SHM);
    json!({
        "destination": target, "type": "tmpfs", "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", format!("size={size}")],
    })
}

fn mount(mount: &SpecMount) -> Value {
    let access = if mount.writable { "rw" } else { "ro" };
    let Some(source) = &mount.source else {
        return in_memory(
            &mount.target,
            access,
            mount.options.iter().map(String::as_str),
        );
    };
    let propagation = match mount.propagation.as_str() {
        "" => "rprivate",
        propagation => propagation,
    };
    json!({
        "destination": mount.target, "type": "bind", "source": source,
        "options": ["rbind", propagation, access],
    })
}

fn tmpfs((target, options): (&String, &String)) -> Value {
    let options = options.split(',').filter(|option| !option.is_empty());
    in_memory(Path::new(target), "rw", options)
}

/// Nothing in memory can be executed or is a device, unless an option says so.
fn in_memory<'a>(target: &Path, access: &'a str, options: impl Iterator<Item = &'a str>) -> Value {
    let mut all = vec!["noexec", "nosuid", "nodev", access];
    all.extend(options);
    json!({"destination": target, "type": "tmpfs", "source": "tmpfs", "options": all})
}

/// `linux.maskedPaths` and `linux.readonlyPaths`.
pub(crate) fn hidden(host: &HostConfig, unconfined: bool) -> (Vec<String>, Vec<String>) {
    if unconfined || host.privileged == Some(true) {
        return (Vec::new(), Vec::new());
    }
    let chosen = |paths: &Option<Vec<String>>, defaults: &[&str]| match paths {
        Some(paths) => paths.clone(),
        None => defaults.iter().map(ToString::to_string).collect(),
    };
    (
        chosen(&host.masked_paths, MASKED),
        chosen(&host.readonly_paths, READ_ONLY),
    )
}

/// How what is mounted on the host later comes to the container: the root's propagation has to
/// allow what a mount asks for.
pub(crate) fn propagation(wanted: &[SpecMount]) -> Option<&'static str> {
    let asks = |word: &str| wanted.iter().any(|mount| mount.propagation.ends_with(word));
    match (asks("shared"), asks("slave")) {
        (true, _) => Some("shared"),
        (false, true) => Some("slave"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(source: &str, target: &str) -> SpecMount {
        SpecMount {
            source: Some(PathBuf::from(source)),
            target: PathBuf::from(target),
            ..SpecMount::default()
        }
    }

    fn targets(mounts: &[Value]) -> Vec<&str> {
        mounts.iter().map(target).collect()
    }

    #[test]
    fn every_container_has_these() {
        let mounts = mounts(&HostConfig::default(), &[], SharedMemory::Own);
        let expected = [
            "/proc",
            "/dev",
            "/dev/pts",
            "/sys",
            "/sys/fs/cgroup",
            "/dev/mqueue",
            "/dev/shm",
        ];
        assert_eq!(targets(&mounts), expected);
        assert!(
            mounts[3]["options"]
                .as_array()
                .unwrap()
                .contains(&json!("ro"))
        );
        assert!(
            mounts[6]["options"]
                .as_array()
                .unwrap()
                .contains(&json!("size=67108864"))
        );
    }

    #[test]
    fn what_is_wanted_comes_in_order_and_takes_the_place_of_defaults() {
        let wanted = [
            bind("/a", "/data/deep/er"),
            bind("/b", "/data"),
            bind("/c", "/dev/shm/"),
        ];
        let host = HostConfig {
            tmpfs: Some(std::collections::HashMap::from([(
                "/run".to_owned(),
                "rw,exec,size=1m".to_owned(),
            )])),
            ..HostConfig::default()
        };
        let mounts = mounts(&host, &wanted, SharedMemory::Own);
        let targets = targets(&mounts);
        assert_eq!(
            targets
                .iter()
                .filter(|target| **target == "/dev/shm")
                .count(),
            1
        );
        let place = |wanted: &str| targets.iter().position(|target| *target == wanted).unwrap();
        assert!(place("/data") < place("/data/deep/er"));
        let options = json!(["noexec", "nosuid", "nodev", "rw", "rw", "exec", "size=1m"]);
        assert_eq!(mounts[place("/run")]["options"], options);
        assert_eq!(
            mounts[place("/data")]["options"],
            json!(["rbind", "rprivate", "ro"])
        );
    }

    #[test]
    fn memory_can_be_shared() {
        let shared = SharedMemory::Folder(Path::new("/dev/shm"));
        let mounts = mounts(&HostConfig::default(), &[], shared);
        assert_eq!(mounts[6]["source"], json!("/dev/shm"));
    }

    #[test]
    fn kernel_paths_are_hidden_unless_told_otherwise() {
        let (masked, read_only) = hidden(&HostConfig::default(), false);
        assert!(masked.contains(&"/proc/kcore".to_owned()));
        assert!(read_only.contains(&"/proc/sys".to_owned()));
        assert_eq!(
            hidden(&HostConfig::default(), true),
            (Vec::new(), Vec::new())
        );
        let host = HostConfig {
            masked_paths: Some(Vec::new()),
            ..HostConfig::default()
        };
        assert!(hidden(&host, false).0.is_empty());
    }

    #[test]
    fn the_root_propagates_as_its_mounts_do() {
        let mut slave = bind("/a", "/a");
        slave.propagation = "rslave".to_owned();
        assert_eq!(propagation(&[slave]), Some("slave"));
        assert_eq!(propagation(&[bind("/a", "/a")]), None);
    }
}
