//! What an entry of an archive says beside its data, and how that is given to files.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, Timespec, Timestamps, XattrFlags, chownat, fsetxattr, utimensat};
use tar::Entry;

use super::OVERLAY_ATTRIBUTES;
use super::root::set_owner_and_mode;

/// What an entry says beside its data.
pub(super) struct Attributes {
    pub(super) mode: Mode,
    pub(super) owner: (u32, u32),
    pub(super) times: Timestamps,
    pub(super) extended: Vec<(String, Vec<u8>)>,
}

/// A number of a header: what was never filled in is 0, as GNU tar and Go read it.
fn number(field: &[u8], read: impl FnOnce() -> io::Result<u64>) -> io::Result<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(0);
    }
    read()
}

impl Attributes {
    /// Those of an entry; `owner` is used in place of its own.
    ///
    /// # Errors
    /// For numbers out of range and broken extensions.
    pub(super) fn read(
        entry: &mut Entry<'_, impl Read>,
        owner: Option<(u32, u32)>,
    ) -> io::Result<Self> {
        let header = entry.header();
        let id = |id: u64| u32::try_from(id).map_err(|_| io::Error::other("an owner out of range"));
        let mode = number(&header.as_old().mode, || header.mode().map(u64::from))?;
        let mode = u32::try_from(mode).map_err(|_| io::Error::other("a mode out of range"))?;
        let mode = Mode::from_raw_mode(mode & 0o7777);
        let mut attributes = Self {
            mode,
            owner: owner.map_or_else(
                || {
                    let ustar = header.as_old();
                    let user = number(&ustar.uid, || header.uid())?;
                    let group = number(&ustar.gid, || header.gid())?;
                    Ok::<_, io::Error>((id(user)?, id(group)?))
                },
                Ok,
            )?,
            times: {
                let seconds = number(&header.as_old().mtime, || header.mtime())?;
                times(i64::try_from(seconds).unwrap_or(0), 0)
            },
            extended: Vec::new(),
        };
        let Some(extensions) = entry.pax_extensions()? else {
            return Ok(attributes);
        };
        for extension in extensions {
            let extension = extension?;
            let Ok(key) = extension.key() else { continue };
            if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                if !name.starts_with(OVERLAY_ATTRIBUTES) {
                    attributes
                        .extended
                        .push((name.to_owned(), extension.value_bytes().to_owned()));
                }
            } else if key == "mtime"
                && let Some((seconds, nanoseconds)) = extension.value().ok().and_then(pax_time)
            {
                attributes.times = times(seconds, nanoseconds);
            }
        }
        Ok(attributes)
    }

    /// Owner, mode and extended attributes of an open file or folder, in the order in which none
    /// undoes another.
    pub(super) fn apply(&self, file: impl AsFd) -> io::Result<()> {
        set_owner_and_mode(&file, self.owner, self.mode.as_raw_mode())?;
        for (name, value) in &self.extended {
            match fsetxattr(&file, name.as_str(), value, XattrFlags::empty()) {
                // The file system has none, or they are not for this user: as other tools do.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::PERM) => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Owner and times of what cannot be opened.
    pub(super) fn apply_to_link(&self, parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            let user = rustix::fs::Uid::from_raw(self.owner.0);
            let group = rustix::fs::Gid::from_raw(self.owner.1);
            chownat(
                parent,
                name,
                Some(user),
                Some(group),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
        }
        Ok(utimensat(
            parent,
            name,
            &self.times,
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }
}

fn times(seconds: i64, nanoseconds: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// `seconds.fraction`.
fn pax_time(text: &str) -> Option<(i64, i64)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let seconds: i64 = seconds.parse().ok()?;
    let nanoseconds: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') && nanoseconds > 0 {
        (seconds - 1, 1_000_000_000 - nanoseconds)
    } else {
        (seconds, nanoseconds)
    })
}
