//! The local driver's options `type`, `o` and `device`: what `mount` takes.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs as _;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount as mount_device, umount2};

use crate::image::is_mounted;
use crate::{Error, Result};

/// Whether something is mounted when the volume is used.
pub(super) fn is_device(options: &BTreeMap<String, String>) -> bool {
    ["type", "device", "o"]
        .iter()
        .any(|key| options.get(*key).is_some_and(|value| !value.is_empty()))
}

/// Refuses options that the driver does not know, by name.
///
/// # Errors
/// 400.
pub(super) fn check(options: &BTreeMap<String, String>) -> Result<()> {
    for key in options.keys() {
        match key.as_str() {
            "type" | "o" | "device" => {}
            "size" => return Err(Error::not_supported("the volume option \"size\"")),
            _ => return Err(Error::bad_request(format!("invalid option: \"{key}\""))),
        }
    }
    let given = |key: &str| options.get(key).is_some_and(|value| !value.is_empty());
    if is_device(options) && !given("device") {
        return Err(Error::bad_request("missing device in volume options"));
    }
    if given("device")
        && !given("type")
        && !split(options.get("o").map_or("", String::as_str))
            .0
            .contains(MsFlags::MS_BIND)
    {
        return Err(Error::bad_request("missing type in volume options"));
    }
    Ok(())
}

/// Mounts the device; nothing when it is mounted.
///
/// # Errors
/// 500 with Docker's words.
pub(super) fn mount(options: &BTreeMap<String, String>, target: &Path) -> Result<()> {
    let get = |key: &str| options.get(key).map_or("", String::as_str);
    let (flags, mut data) = split(get("o"));
    let (kind, device) = (get("type"), get("device"));
    if is_mounted(target) || is_bound(target) {
        return Ok(());
    }
    if kind.starts_with("nfs") {
        resolve_address(&mut data);
    }
    let data = data.join(",");
    let failed = |error: nix::Error| {
        Error::internal(format!(
            "failed to mount local volume: mount {device}:{}, data: {data}: {}",
            target.display(),
            error.desc().to_lowercase()
        ))
    };
    let [device_or_none, kind, data_or_none] =
        [device, kind, data.as_str()].map(|text| Some(text).filter(|text| !text.is_empty()));
    mount_device(device_or_none, target, kind, flags, data_or_none).map_err(failed)?;
    let changed =
        flags & (MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC);
    if flags.contains(MsFlags::MS_BIND) && !changed.is_empty() {
        let flags = changed | MsFlags::MS_BIND | MsFlags::MS_REMOUNT;
        mount_device(None::<&str>, target, None::<&str>, flags, None::<&str>).map_err(failed)?;
    }
    Ok(())
}

/// Takes the mount away; nothing when there is none.
///
/// # Errors
/// 500 when it cannot be.
pub(super) fn unmount(target: &Path) -> Result<()> {
    match umount2(target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
        Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT | nix::Error::EPERM) => Ok(()),
        Err(error) => Err(Error::io("unmount", target, error)),
    }
}

/// Whether the kernel lists a mount here; a bind mount may be on the same device.
fn is_bound(target: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let target = target.to_string_lossy();
    mounts
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(&*target))
}

/// Flags, and what the file system itself reads.
fn split(options: &str) -> (MsFlags, Vec<String>) {
    let mut flags = MsFlags::empty();
    let mut data = Vec::new();
    for option in options
        .split(',')
        .map(str::trim)
        .filter(|option| !option.is_empty())
    {
        match option {
            "defaults" | "rw" | "suid" | "dev" | "exec" | "async" | "atime" | "diratime"
            | "nouser" => {}
            "ro" => flags |= MsFlags::MS_RDONLY,
            "nosuid" => flags |= MsFlags::MS_NOSUID,
            "nodev" => flags |= MsFlags::MS_NODEV,
            "noexec" => flags |= MsFlags::MS_NOEXEC,
            "sync" => flags |= MsFlags::MS_SYNCHRONOUS,
            "dirsync" => flags |= MsFlags::MS_DIRSYNC,
            "noatime" => flags |= MsFlags::MS_NOATIME,
            "nodiratime" => flags |= MsFlags::MS_NODIRATIME,
            "relatime" => flags |= MsFlags::MS_RELATIME,
            "strictatime" => flags |= MsFlags::MS_STRICTATIME,
            "bind" => flags |= MsFlags::MS_BIND,
            "rbind" => flags |= MsFlags::MS_BIND | MsFlags::MS_REC,
            other => data.push(other.to_owned()),
        }
    }
    (flags, data)
}

/// The kernel wants NFS servers by address.
fn resolve_address(data: &mut [String]) {
    for option in data {
        let Some(host) = option.strip_prefix("addr=") else {
            continue;
        };
        let addresses = (host, 0).to_socket_addrs().ok();
        if let Some(address) = addresses.and_then(|mut addresses| addresses.next()) {
            *option = format!("addr={}", address.ip());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn options_are_checked() {
        assert!(check(&options(&[])).is_ok());
        assert!(
            check(&options(&[
                ("type", "none"),
                ("o", "bind"),
                ("device", "/srv")
            ]))
            .is_ok()
        );
        assert!(check(&options(&[("o", "bind"), ("device", "/srv")])).is_ok());
        assert_eq!(
            check(&options(&[("colour", "red")])).unwrap_err().message,
            "invalid option: \"colour\""
        );
        assert!(
            check(&options(&[("type", "tmpfs")]))
                .unwrap_err()
                .message
                .starts_with("missing device")
        );
        assert_eq!(check(&options(&[("size", "1g")])).unwrap_err().status, 501);
    }

    #[test]
    fn flags_are_told_from_data() {
        let (flags, data) = split("ro,rbind, size=1m,uid=1");
        assert_eq!(
            flags,
            MsFlags::MS_RDONLY | MsFlags::MS_BIND | MsFlags::MS_REC
        );
        assert_eq!(data, ["size=1m", "uid=1"]);
    }
}
