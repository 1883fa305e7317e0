//! Which capabilities a container's processes have.

use crate::{Error, Result};

/// What a container has unless something else is said, as with Docker.
const DEFAULT: &[&str] = &[
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// Every capability there is (Linux 5.9 and later).
const ALL: &[&str] = &[
    "CAP_AUDIT_CONTROL",
    "CAP_AUDIT_READ",
    "CAP_AUDIT_WRITE",
    "CAP_BLOCK_SUSPEND",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_KILL",
    "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE",
    "CAP_MAC_ADMIN",
    "CAP_MAC_OVERRIDE",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_RAW",
    "CAP_PERFMON",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYSLOG",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_CHROOT",
    "CAP_SYS_MODULE",
    "CAP_SYS_NICE",
    "CAP_SYS_PACCT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_WAKE_ALARM",
];

/// The bounding set of a container: the default, without `drop`, with `add`. `ALL` stands for
/// every capability; what is privileged has them all. It may hold some that the kernel does not
/// know or this process does not have.
///
/// # Errors
/// 400 for a capability that does not exist.
pub(crate) fn bounding(privileged: bool, add: &[String], drop: &[String]) -> Result<Vec<String>> {
    if privileged {
        return Ok(names(ALL));
    }
    let add = normalized(add)?;
    let drop = normalized(drop)?;
    let all = "ALL".to_owned();
    let mut set: Vec<String> = match (add.contains(&all), drop.contains(&all)) {
        (true, _) => names(ALL),
        (false, true) => Vec::new(),
        (false, false) => names(DEFAULT),
    };
    set.retain(|name| !drop.contains(name));
    for name in add {
        if name != all && !set.contains(&name) {
            set.push(name);
        }
    }
    Ok(set)
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn normalized(list: &[String]) -> Result<Vec<String>> {
    list.iter().map(|name| normalize(name)).collect()
}

/// `net_admin` and `NET_ADMIN` mean `CAP_NET_ADMIN`.
fn normalize(name: &str) -> Result<String> {
    let upper = name.to_uppercase();
    if upper == "ALL" {
        return Ok(upper);
    }
    let full = if upper.starts_with("CAP_") {
        upper
    } else {
        format!("CAP_{upper}")
    };
    if ALL.contains(&full.as_str()) {
        return Ok(full);
    }
    Err(Error::bad_request(format!("invalid capability: {name:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        super::names(names)
    }

    #[test]
    fn adding_and_dropping() {
        let set = bounding(false, &owned(&["net_admin"]), &owned(&["CAP_CHOWN"])).unwrap();
        assert!(set.contains(&"CAP_NET_ADMIN".to_owned()));
        assert!(!set.contains(&"CAP_CHOWN".to_owned()));
        assert!(set.contains(&"CAP_KILL".to_owned()));
    }

    #[test]
    fn all_may_be_dropped_or_added() {
        let only = bounding(false, &owned(&["KILL"]), &owned(&["ALL"])).unwrap();
        assert_eq!(only, ["CAP_KILL"]);
        let but = bounding(false, &owned(&["ALL"]), &owned(&["KILL"])).unwrap();
        assert_eq!(but.len(), ALL.len() - 1);
        assert_eq!(bounding(true, &[], &[]).unwrap().len(), ALL.len());
    }

    #[test]
    fn unknown_names_are_refused() {
        assert_eq!(
            bounding(false, &owned(&["FLY"]), &[]).unwrap_err().status,
            400
        );
    }
}
