//! What is mounted into a container: binds, mounts, volumes and tmpfs in one list.

use std::path::{Component, Path, PathBuf};

use bollard_stubs::models::{ContainerConfig, HostConfig, Mount as Asked, MountType};

use super::record::{Mount, MountKind};
use crate::{Error, Result, identifier};

/// Reads everything that is asked for. Volumes have no source yet: their name is in the kind,
/// a new name where nobody chose one. `inherited`: the mounts of containers in `VolumesFrom`.
///
/// # Errors
/// 400 for what cannot be understood and for targets that come twice, 501 for kinds of mounts
/// that are not supported.
pub(crate) fn read(
    config: &ContainerConfig,
    host: &HostConfig,
    inherited: Vec<Mount>,
) -> Result<Vec<Mount>> {
    let mut mounts: Vec<Mount> = Vec::new();
    for bind in host.binds.iter().flatten() {
        add(&mut mounts, parse_bind(bind)?)?;
    }
    for mount in host.mounts.iter().flatten() {
        add(&mut mounts, parse_mount(mount)?)?;
    }
    for (target, options) in host.tmpfs.iter().flatten() {
        let mut mount = Mount::new(MountKind::Tmpfs, target)?;
        mount.options = options
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        mount.writable = !mount.options.iter().any(|word| word == "ro");
        add(&mut mounts, mount)?;
    }
    let is_free =
        |mounts: &[Mount], target: &Path| !mounts.iter().any(|mount| mount.target == target);
    for mount in inherited {
        if is_free(&mounts, &mount.target) {
            mounts.push(mount);
        }
    }
    for target in config.volumes.iter().flatten() {
        let mount = Mount::anonymous(target)?;
        if is_free(&mounts, &mount.target) {
            mounts.push(mount);
        }
    }
    // Outer folders first, or they would hide what is mounted inside them.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

fn add(mounts: &mut Vec<Mount>, mount: Mount) -> Result<()> {
    if mounts.iter().any(|other| other.target == mount.target) {
        let target = mount.target.display();
        return Err(Error::bad_request(format!(
            "Duplicate mount point: {target}"
        )));
    }
    mounts.push(mount);
    Ok(())
}

impl Mount {
    fn new(kind: MountKind, target: &str) -> Result<Self> {
        Ok(Self {
            kind,
            source: PathBuf::new(),
            target: absolute(target)?,
            writable: true,
            anonymous: false,
            no_copy: false,
            subpath: None,
            propagation: String::new(),
            options: Vec::new(),
        })
    }

    fn anonymous(target: &str) -> Result<Self> {
        Ok(Self {
            anonymous: true,
            ..Self::new(MountKind::Volume(identifier::new()), target)?
        })
    }

    /// The volume's name; none for anything else.
    pub(crate) fn volume(&self) -> Option<&str> {
        match &self.kind {
            MountKind::Volume(name) => Some(name),
            MountKind::Bind | MountKind::Tmpfs => None,
        }
    }
}

/// A target without `.`, `..` and doubled slashes.
fn absolute(target: &str) -> Result<PathBuf> {
    if !target.starts_with('/') {
        return Err(Error::bad_request(format!(
            "invalid mount path: '{target}' mount path must be absolute"
        )));
    }
    let mut path = PathBuf::from("/");
    for component in Path::new(target).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            _ => {}
        }
    }
    if path == Path::new("/") {
        let message = "invalid volume specification: destination can't be '/'";
        return Err(Error::bad_request(message));
    }
    Ok(path)
}

/// `SOURCE:TARGET[:OPTIONS]`, or only a target for an anonymous volume.
fn parse_bind(text: &str) -> Result<Mount> {
    let invalid = || Error::bad_request(format!("invalid volume specification: '{text}'"));
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => return Mount::anonymous(target),
        [source, target] => (*source, *target, ""),
        [source, target, options] => (*source, *target, *options),
        _ => return Err(invalid()),
    };
    if source.is_empty() || target.is_empty() {
        return Err(invalid());
    }
    let mut mount = if source.starts_with('/') {
        let mut mount = Mount::new(MountKind::Bind, target)?;
        mount.source = PathBuf::from(source);
        mount
    } else {
        Mount::new(MountKind::Volume(volume_name(source)?), target)?
    };
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "rw" => mount.writable = true,
            "ro" => mount.writable = false,
            "nocopy" => mount.no_copy = true,
            "z" | "Z" | "cached" | "delegated" | "consistent" => {
                mount.options.push(option.to_owned());
            }
            "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate" => {
                option.clone_into(&mut mount.propagation);
            }
            _ => {
                let message = format!("invalid mode: {options}");
                return Err(Error::bad_request(message));
            }
        }
    }
    Ok(mount)
}

fn parse_mount(asked: &Asked) -> Result<Mount> {
    let target = asked.target.as_deref().unwrap_or_default();
    let source = asked.source.as_deref().unwrap_or_default();
    let mut mount = match asked.typ {
        Some(MountType::BIND) => bind_mount(asked, source, target)?,
        Some(MountType::VOLUME) if source.is_empty() => Mount::anonymous(target)?,
        Some(MountType::VOLUME) => Mount::new(MountKind::Volume(volume_name(source)?), target)?,
        Some(MountType::TMPFS) => tmpfs(asked, target)?,
        Some(other) => {
            return Err(Error::not_supported(format!(
                "HostConfig.Mounts of type {other}"
            )));
        }
        None => return Err(Error::bad_request("HostConfig.Mounts: mount type unknown")),
    };
    if let Some(options) = &asked.volume_options {
        mount.no_copy = options.no_copy == Some(true);
        mount.subpath = options.subpath.clone().filter(|path| !path.is_empty());
    }
    mount.writable = asked.read_only != Some(true);
    Ok(mount)
}

fn bind_mount(asked: &Asked, source: &str, target: &str) -> Result<Mount> {
    let mut mount = Mount::new(MountKind::Bind, target)?;
    mount.source = PathBuf::from(source);
    let options = asked.bind_options.as_ref();
    let creates = options.and_then(|options| options.create_mountpoint) == Some(true);
    let refused = |message: String| {
        Error::bad_request(format!("invalid mount config for type \"bind\": {message}"))
    };
    if !source.starts_with('/') {
        return Err(refused(format!(
            "invalid mount path: '{source}' mount path must be absolute"
        )));
    }
    if !creates && !mount.source.exists() {
        return Err(refused(format!(
            "bind source path does not exist: {source}"
        )));
    }
    if let Some(propagation) = options.and_then(|options| options.propagation) {
        mount.propagation = propagation.to_string();
    }
    if options.and_then(|options| options.non_recursive) == Some(true) {
        return Err(Error::not_supported(
            "HostConfig.Mounts.BindOptions.NonRecursive",
        ));
    }
    Ok(mount)
}

fn tmpfs(asked: &Asked, target: &str) -> Result<Mount> {
    let mut mount = Mount::new(MountKind::Tmpfs, target)?;
    let Some(options) = &asked.tmpfs_options else {
        return Ok(mount);
    };
    if let Some(size) = options.size_bytes.filter(|size| *size > 0) {
        mount.options.push(format!("size={size}"));
    }
    if let Some(mode) = options.mode.filter(|mode| *mode > 0) {
        mount.options.push(format!("mode={mode:o}"));
    }
    for words in options.options.iter().flatten() {
        mount.options.push(words.join("="));
    }
    Ok(mount)
}

fn volume_name(name: &str) -> Result<String> {
    let fits = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphanumeric() || (at > 0 && matches!(byte, b'_' | b'.' | b'-'))
    };
    if name.len() > 1 && name.bytes().enumerate().all(fits) {
        return Ok(name.to_owned());
    }
    Err(Error::bad_request(format!(
        "\"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, \
         use absolute path"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_are_read() {
        let bind = parse_bind("/a:/b/../c:ro,z").unwrap();
        assert_eq!(bind.source, Path::new("/a"));
        assert_eq!(bind.target, Path::new("/c"));
        assert!(!bind.writable);
        let volume = parse_bind("data:/var/lib").unwrap();
        assert_eq!(volume.volume(), Some("data"));
        assert!(parse_bind("/anonymous").unwrap().anonymous);
        for wrong in ["a:b", "/a:/", "/a:/b:huh", "a:/b:ro:x", "../x:/b", ":/b"] {
            assert_eq!(parse_bind(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }

    #[test]
    fn declared_volumes_give_way() {
        let config = ContainerConfig {
            volumes: Some(vec!["/data".to_owned(), "/other".to_owned()]),
            ..ContainerConfig::default()
        };
        let host = HostConfig {
            binds: Some(vec!["mine:/data/".to_owned()]),
            ..HostConfig::default()
        };
        let mounts = read(&config, &host, Vec::new()).unwrap();
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0].volume(), Some("mine"));
        assert!(mounts[1].anonymous);
    }

    #[test]
    fn a_target_comes_once() {
        let host = HostConfig {
            binds: Some(vec!["a1:/data".to_owned(), "b1:/data".to_owned()]),
            ..HostConfig::default()
        };
        assert!(read(&ContainerConfig::default(), &host, Vec::new()).is_err());
    }
}
