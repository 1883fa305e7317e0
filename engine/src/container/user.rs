//! Who a container's process runs as.

use std::io::Read as _;
use std::path::Path;

use pathrs::Root;
use pathrs::flags::OpenFlags;

use crate::{Error, Result};

/// Larger files of users or groups are not read.
const LARGEST: u64 = 16 << 20;

/// A user with groups, as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// Number of the user.
    pub(crate) uid: u32,
    /// Number of the primary group.
    pub(crate) gid: u32,
    /// Supplementary groups, the primary group among them.
    pub(crate) groups: Vec<u32>,
    /// Home folder, where the user is listed.
    pub(crate) home: Option<String>,
}

/// The user that `wanted` (`user`, `uid`, `user:group`, `uid:gid` …; empty for root) means in a
/// container whose root file system is `rootfs`, with the groups `add`, by name or number.
///
/// # Errors
/// 400 for names that `/etc/passwd` and `/etc/group` do not list.
pub(crate) fn resolve(rootfs: &Path, wanted: &str, add: &[String]) -> Result<User> {
    let passwd = inside(rootfs, "/etc/passwd");
    let group = inside(rootfs, "/etc/group");
    find(&passwd, &group, wanted, add)
}

/// A file of the container; empty where there is none. Links lead nowhere out of it.
fn inside(rootfs: &Path, path: &str) -> String {
    let flags = OpenFlags::O_RDONLY | OpenFlags::O_NONBLOCK;
    let file = Root::open(rootfs).and_then(|root| root.open_subpath(path, flags));
    let mut bytes = Vec::new();
    if let Ok(file) = file {
        let _ = file.take(LARGEST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn find(passwd: &str, group: &str, wanted: &str, add: &[String]) -> Result<User> {
    let (name, group_name) = wanted.split_once(':').unwrap_or((wanted, ""));
    let mut user = user(passwd, name)?;
    if group_name.is_empty() {
        let entry = lines(passwd).find(|entry| number(entry, 2) == Some(user.uid));
        let listed = entry
            .and_then(|entry| entry.first().copied())
            .unwrap_or("root");
        let login = if name.is_empty() || number(&[name], 0).is_some() {
            listed
        } else {
            name
        };
        user.groups = memberships(group, login);
    } else {
        user.gid = group_number(group, group_name)?;
    }
    for name in add {
        user.groups.push(group_number(group, name)?);
    }
    // A process that is not in its primary group's supplementary list could leave that group and
    // so get around files that forbid it.
    user.groups.insert(0, user.gid);
    let mut seen = Vec::new();
    user.groups.retain(|gid| {
        let new = !seen.contains(gid);
        seen.push(*gid);
        new
    });
    Ok(user)
}

/// The user's numbers and home, without supplementary groups.
fn user(passwd: &str, name: &str) -> Result<User> {
    let uid = if name.is_empty() {
        Some(0)
    } else {
        number(&[name], 0)
    };
    let entry = lines(passwd).find(|entry| match uid {
        Some(uid) => entry.first() == Some(&name) || number(entry, 2) == Some(uid),
        None => entry.first() == Some(&name),
    });
    match (entry, uid) {
        (Some(entry), _) => Ok(User {
            uid: number(&entry, 2).unwrap_or_default(),
            gid: number(&entry, 3).unwrap_or_default(),
            groups: Vec::new(),
            home: entry.get(5).map(ToString::to_string),
        }),
        (None, Some(uid)) => Ok(User {
            uid,
            ..User::default()
        }),
        (None, None) => Err(Error::bad_request(format!(
            "unable to find user {name}: no matching entries in passwd file"
        ))),
    }
}

fn group_number(group: &str, name: &str) -> Result<u32> {
    let entry = lines(group).find(|entry| entry.first() == Some(&name));
    let listed = entry.and_then(|entry| number(&entry, 2));
    listed.or_else(|| number(&[name], 0)).ok_or_else(|| {
        Error::bad_request(format!(
            "unable to find group {name}: no matching entries in group file"
        ))
    })
}

fn memberships(group: &str, user: &str) -> Vec<u32> {
    lines(group)
        .filter(|entry| {
            entry
                .get(3)
                .is_some_and(|members| members.split(',').any(|member| member == user))
        })
        .filter_map(|entry| number(&entry, 2))
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(':').collect())
}

fn number(entry: &[&str], field: usize) -> Option<u32> {
    let number: u32 = entry.get(field)?.parse().ok()?;
    i32::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
    const GROUP: &str = "root:x:0:\napp:x:1001:\nvideo:x:44:app,other\nwheel:x:10:app\n";

    fn found(wanted: &str, add: &[&str]) -> User {
        let add: Vec<_> = add.iter().map(ToString::to_string).collect();
        find(PASSWD, GROUP, wanted, &add).unwrap()
    }

    #[test]
    fn names_and_numbers() {
        let app = found("app", &[]);
        assert_eq!((app.uid, app.gid), (1000, 1001));
        assert_eq!(app.groups, [1001, 44, 10]);
        assert_eq!(app.home.as_deref(), Some("/home/app"));
        assert_eq!(found("1000", &[]), app);
        assert_eq!(found("", &[]).groups, [0]);
        let unknown = found("65534", &[]);
        assert_eq!((unknown.uid, unknown.gid, unknown.home), (65534, 0, None));
    }

    #[test]
    fn a_named_group_takes_the_place_of_all() {
        let user = found("app:video", &[]);
        assert_eq!((user.gid, user.groups), (44, vec![44]));
        assert_eq!(found("7:8", &[]).gid, 8);
        assert_eq!(found(":10", &[]).gid, 10);
    }

    #[test]
    fn added_groups() {
        assert_eq!(found("app:app", &["wheel", "5"]).groups, [1001, 10, 5]);
    }

    #[test]
    fn what_is_not_listed_is_an_error() {
        let error = find(PASSWD, GROUP, "nobody", &[]).unwrap_err();
        assert_eq!(
            error.message,
            "unable to find user nobody: no matching entries in passwd file"
        );
        let error = find(PASSWD, GROUP, "app:no", &[]).unwrap_err();
        assert_eq!(
            error.message,
            "unable to find group no: no matching entries in group file"
        );
        assert!(find(PASSWD, GROUP, "4294967295", &[]).is_err());
    }

    #[test]
    fn links_lead_nowhere_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/proc/self/status", folder.path().join("etc/passwd")).unwrap();
        assert_eq!(inside(folder.path(), "/etc/passwd"), "");
    }
}
