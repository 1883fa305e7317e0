//! `--chown` and `USER`: who owns files, by name or number.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::OFlags;

use crate::archive::Root;

/// `user[:group]` by number, or by the names that the image knows. Without a group: that of a
/// user by name, and the same number for one by number.
///
/// # Errors
/// For a name that the image does not know, in words.
pub(super) fn owner(root: &Root, text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text
        .split_once(':')
        .map_or((text, None), |(user, group)| (user, Some(group)));
    let (uid, own_group) = if let Ok(uid) = user.parse() {
        (uid, uid)
    } else {
        let fields = line(root, "etc/passwd", user).ok_or_else(|| unknown("user", user))?;
        let number = |field: usize| fields.get(field)?.parse().ok();
        let both = number(2).zip(number(3));
        both.ok_or_else(|| unknown("user", user))?
    };
    let gid = match group.filter(|group| !group.is_empty()) {
        None => own_group,
        Some(group) => match group.parse() {
            Ok(gid) => gid,
            Err(_) => line(root, "etc/group", group)
                .and_then(|fields| fields.get(2)?.parse().ok())
                .ok_or_else(|| unknown("group", group))?,
        },
    };
    Ok((uid, gid))
}

fn unknown(kind: &str, name: &str) -> String {
    format!("unable to find {kind} {name}: the image does not know it")
}

/// The fields of a name in one of the two tables.
fn line(root: &Root, path: &str, name: &str) -> Option<Vec<String>> {
    let file = root.open_at(Path::new(path), OFlags::RDONLY).ok()?;
    let text = io::read_to_string(File::from(file)).ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    let found = lines.find(|fields| fields.clone().next() == Some(name))?;
    Some(found.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join("etc").join(name), text).unwrap();
        };
        write("passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n");
        write("group", "root:x:0:\nstaff:x:50:\n");
        let root = Root::open(folder.path()).unwrap();
        for (text, expected) in [
            ("7", (7, 7)),
            ("7:8", (7, 8)),
            ("web", (33, 34)),
            ("web:staff", (33, 50)),
            ("7:staff", (7, 50)),
            ("web:", (33, 34)),
        ] {
            assert_eq!(owner(&root, text), Ok(expected), "{text}");
        }
        let error = owner(&root, "nobody").unwrap_err();
        assert_eq!(
            error,
            "unable to find user nobody: the image does not know it"
        );
        assert!(owner(&root, "web:none").unwrap_err().contains("group none"));
    }
}
