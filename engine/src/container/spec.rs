//! The OCI runtime specification of a container, from what the API's client asked for.

use std::path::{Path, PathBuf};

use bollard_stubs::models::{ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum};
use libcontainer::oci_spec::runtime::{Process, Spec};
use pathrs::Root;
use serde_json::{Value, json};

use super::filesystems::{self, SharedMemory, SpecMount};
use super::machine::Machine;
use super::security::{self, Security};
use super::user::{self, User};
use super::{capabilities, devices, limits, refused, resources, seccomp, seccomp_profile};
use crate::{Error, Result};

/// Where programs are looked for unless the configuration says otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything that makes a container's specification.
#[derive(Debug, Clone)]
pub(crate) struct SpecInput<'a> {
    /// The configuration, merged with that of the image.
    pub(crate) config: &'a ContainerCreateBody,
    /// Its part about the host.
    pub(crate) host: &'a HostConfig,
    /// The root file system, mounted; users and groups are looked up in it.
    pub(crate) rootfs: &'a Path,
    /// Binds, volumes, file systems in memory, and the container's `/etc/hosts` and the like;
    /// `HostConfig.Tmpfs` need not be among them.
    pub(crate) mounts: &'a [SpecMount],
    /// The network namespace; none for the host's.
    pub(crate) network: Option<&'a Path>,
    /// First process of the container whose process namespace is shared (`PidMode:
    /// container:…`).
    pub(crate) pid_of: Option<i32>,
    /// First process of the container whose IPC namespace is shared (`IpcMode: container:…`).
    pub(crate) ipc_of: Option<i32>,
    /// Folder of the shared memory of a container whose `IpcMode` is `shareable` or
    /// `container:…`.
    pub(crate) shm: Option<&'a Path>,
    /// Host name.
    pub(crate) hostname: &'a str,
    /// Domain name; may be empty.
    pub(crate) domainname: &'a str,
    /// The container's control group, from the root of each hierarchy: `/rcompose/<id>`.
    pub(crate) cgroup: &'a str,
    /// What can be done here.
    pub(crate) machine: &'a Machine,
}

/// The specification of a container.
///
/// # Errors
/// 400 for what makes no sense, 501 for what is not supported, with the field's name.
pub(crate) fn runtime_spec(input: &SpecInput<'_>) -> Result<Spec> {
    refused::check(input.host)?;
    let security = security::parse(input.host.security_opt.as_deref().unwrap_or_default())?;
    let user = user::resolve(
        input.rootfs,
        input.config.user.as_deref().unwrap_or_default(),
        input.host.group_add.as_deref().unwrap_or_default(),
    )?;
    let host = input.host;
    let mut spec = json!({
        "ociVersion": "1.2.0",
        "root": {"path": input.rootfs, "readonly": host.readonly_rootfs == Some(true)},
        "process": process(input, &security, &user)?,
        "mounts": mounts(input),
        "linux": linux(input, &security)?,
        "annotations": host.annotations.clone().unwrap_or_default(),
    });
    if is_private(host.uts_mode.as_deref()) {
        spec["hostname"] = json!(input.hostname);
        if !input.domainname.is_empty() {
            spec["domainname"] = json!(input.domainname);
        }
    }
    serde_json::from_value(spec)
        .map_err(|error| Error::internal(format!("the container's specification: {error}")))
}

/// Another process in a container.
#[derive(Debug, Clone)]
pub(crate) struct ExecInput<'a> {
    /// Program and arguments.
    pub(crate) args: &'a [String],
    /// Variables besides those of the container.
    pub(crate) env: &'a [String],
    /// Working folder; empty for the container's.
    pub(crate) cwd: &'a str,
    /// User; empty for the container's.
    pub(crate) user: &'a str,
    /// Whether it has a terminal.
    pub(crate) tty: bool,
    /// Whether it has every capability.
    pub(crate) privileged: bool,
}

/// The specification of another process in a container.
///
/// # Errors
/// As of [`runtime_spec`].
pub(crate) fn exec_process(input: &SpecInput<'_>, exec: &ExecInput<'_>) -> Result<Process> {
    let chosen = |wanted: &str, former: &Option<String>| match wanted {
        "" => former.clone(),
        wanted => Some(wanted.to_owned()),
    };
    let former = input.config;
    let config = ContainerCreateBody {
        entrypoint: None,
        cmd: Some(exec.args.to_vec()),
        user: chosen(exec.user, &former.user),
        working_dir: chosen(exec.cwd, &former.working_dir),
        env: Some([former.env.as_deref().unwrap_or_default(), exec.env].concat()),
        tty: Some(exec.tty),
        ..former.clone()
    };
    let mut host = input.host.clone();
    host.privileged = Some(exec.privileged || host.privileged == Some(true));
    let input = SpecInput {
        config: &config,
        host: &host,
        ..input.clone()
    };
    let security = security::parse(host.security_opt.as_deref().unwrap_or_default())?;
    let groups = host.group_add.as_deref().unwrap_or_default();
    let user = config.user.as_deref().unwrap_or_default();
    let user = user::resolve(input.rootfs, user, groups)?;
    let process = process(&input, &security, &user)?;
    serde_json::from_value(process)
        .map_err(|error| Error::internal(format!("the process's specification: {error}")))
}

/// Makes the configuration's working folder in the root file system, as Docker does.
///
/// # Errors
/// 500 when it cannot be made, 400 where something else is in the way.
pub(crate) fn make_working_folder(rootfs: &Path, folder: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if folder.trim_matches('/').is_empty() {
        return Ok(());
    }
    let failed = |error| Error::bad_request(format!("working directory {folder:?}: {error}"));
    let root = Root::open(rootfs).map_err(failed)?;
    let mode = std::fs::Permissions::from_mode(0o755);
    root.mkdir_all(folder, &mode).map(drop).map_err(failed)
}

fn process(input: &SpecInput<'_>, security: &Security, user: &User) -> Result<Value> {
    let config = input.config;
    let host = input.host;
    let entrypoint = config.entrypoint.iter().flatten();
    let args: Vec<&String> = entrypoint.chain(config.cmd.iter().flatten()).collect();
    if args.is_empty() {
        return Err(Error::bad_request("no command specified"));
    }
    let cwd = config.working_dir.as_deref().filter(|cwd| !cwd.is_empty());
    let cwd = cwd.unwrap_or("/");
    if !cwd.starts_with('/') {
        return Err(Error::bad_request(format!(
            "the working directory '{cwd}' is invalid, it needs to be an absolute path"
        )));
    }
    let bounding = capabilities(input)?;
    // Only root has them at once; others may get them from programs that carry them.
    let held = if user.uid == 0 {
        bounding.clone()
    } else {
        Vec::new()
    };
    let ulimits = host.ulimits.as_deref().unwrap_or_default();
    let mut process = json!({
        "terminal": config.tty == Some(true),
        "user": {"uid": user.uid, "gid": user.gid, "additionalGids": user.groups},
        "args": args,
        "env": environment(input, user),
        "cwd": cwd,
        "capabilities": {
            "bounding": bounding, "effective": held, "permitted": held,
            "inheritable": [], "ambient": [],
        },
        "rlimits": limits::rlimits(ulimits, input.machine.raises_limits)?,
    });
    // Where it is told to be off, the library loads the filter when nobody may any more.
    if security.no_new_privileges {
        process["noNewPrivileges"] = json!(true);
    }
    if let Some(score) = host.oom_score_adj.filter(|score| *score != 0) {
        if !(-1000..=1000).contains(&score) {
            return Err(Error::bad_request(format!(
                "Invalid value {score}, range for oom score adj is [-1000, 1000]"
            )));
        }
        process["oomScoreAdj"] = json!(score);
    }
    Ok(process)
}

fn capabilities(input: &SpecInput<'_>) -> Result<Vec<String>> {
    let host = input.host;
    let mut set = capabilities::bounding(
        host.privileged == Some(true),
        host.cap_add.as_deref().unwrap_or_default(),
        host.cap_drop.as_deref().unwrap_or_default(),
    )?;
    // Nobody can give what he does not have.
    set.retain(|name| input.machine.capabilities.contains(name));
    Ok(set)
}

/// The variables: what every container has, then the configuration's in their order; a later one
/// takes the place of an earlier, and a name without `=` takes it away.
fn environment(input: &SpecInput<'_>, user: &User) -> Vec<String> {
    let mut all = vec![PATH.to_owned(), format!("HOSTNAME={}", input.hostname)];
    if input.config.tty == Some(true) {
        all.push("TERM=xterm".to_owned());
    }
    let home = user.home.as_deref().filter(|home| !home.is_empty());
    all.push(format!("HOME={}", home.unwrap_or("/")));
    for variable in input.config.env.iter().flatten() {
        let name = variable.split('=').next().unwrap_or_default();
        let is_same = |other: &String| other.split('=').next() == Some(name);
        let place = all.iter().position(is_same);
        match (variable.contains('='), place) {
            (true, Some(place)) => all[place].clone_from(variable),
            (true, None) => all.push(variable.clone()),
            (false, Some(place)) => drop(all.remove(place)),
            (false, None) => {}
        }
    }
    all
}

fn linux(input: &SpecInput<'_>, security: &Security) -> Result<Value> {
    let host = input.host;
    let privileged = host.privileged == Some(true);
    let devices = devices::devices(host)?;
    let mut resources = resources::resources(host, input.machine)?;
    resources.insert("devices".to_owned(), json!(devices.rules));
    let unconfined = security.system_paths_unconfined;
    let (masked, read_only) = filesystems::hidden(host, unconfined);
    let mut linux = json!({
        "namespaces": namespaces(input)?,
        "cgroupsPath": input.cgroup,
        "resources": resources,
        "devices": devices.nodes,
        "maskedPaths": masked,
        "readonlyPaths": read_only,
        "sysctl": host.sysctls.clone().unwrap_or_default(),
    });
    if let Some(propagation) = filesystems::propagation(input.mounts) {
        linux["rootfsPropagation"] = json!(propagation);
    }
    if (!privileged || security.seccomp_profile.is_some()) && !security.seccomp_unconfined {
        let capabilities = capabilities(input)?;
        linux["seccomp"] = match &security.seccomp_profile {
            Some(profile) => seccomp_profile::read(profile, &capabilities)?,
            None => seccomp::profile(&capabilities),
        };
    }
    Ok(linux)
}

/// Whether the container has the host's namespace of control groups.
fn sees_all_groups(input: &SpecInput<'_>) -> bool {
    match input.host.cgroupns_mode {
        Some(HostConfigCgroupnsModeEnum::HOST) => true,
        Some(HostConfigCgroupnsModeEnum::PRIVATE) => false,
        Some(HostConfigCgroupnsModeEnum::EMPTY) | None => !input.machine.unified,
    }
}

fn mounts(input: &SpecInput<'_>) -> Vec<Value> {
    let mut mounts = filesystems::mounts(input.host, input.mounts, shared_memory(input));
    // To mount version 2 from the host's namespace is to change the options that the host has
    // mounted it with.
    if input.machine.unified && sees_all_groups(input) {
        filesystems::bind_control_groups(&mut mounts);
    }
    mounts
}

fn is_private(mode: Option<&str>) -> bool {
    mode != Some("host")
}

fn namespaces(input: &SpecInput<'_>) -> Result<Vec<Value>> {
    let host = input.host;
    let mut namespaces = vec![json!({"type": "mount"})];
    if is_private(host.uts_mode.as_deref()) {
        namespaces.push(json!({"type": "uts"}));
    }
    if let Some(path) = input.network {
        namespaces.push(json!({"type": "network", "path": path}));
    }
    let pid = host.pid_mode.as_deref();
    namespaces.extend(shared("pid", "PidMode", pid, &[], input.pid_of)?);
    let ipc = host.ipc_mode.as_deref();
    namespaces.extend(shared(
        "ipc",
        "IpcMode",
        ipc,
        &["private", "shareable", "none"],
        input.ipc_of,
    )?);
    if !sees_all_groups(input) {
        namespaces.push(json!({"type": "cgroup"}));
    }
    Ok(namespaces)
}

/// A namespace that may be of one's own, the host's (then none is told) or another container's.
fn shared(
    kind: &str,
    field: &str,
    mode: Option<&str>,
    own: &[&str],
    other: Option<i32>,
) -> Result<Option<Value>> {
    match mode.unwrap_or_default() {
        "host" => Ok(None),
        mode if mode.starts_with("container:") => {
            let process = other.ok_or_else(|| {
                Error::conflict(format!("{field} {mode}: that container is not running"))
            })?;
            let path = PathBuf::from(format!("/proc/{process}/ns/{kind}"));
            Ok(Some(json!({"type": kind, "path": path})))
        }
        mode if mode.is_empty() || own.contains(&mode) => Ok(Some(json!({"type": kind}))),
        mode => Err(Error::not_supported(format!("HostConfig.{field} {mode}"))),
    }
}

fn shared_memory<'a>(input: &SpecInput<'a>) -> SharedMemory<'a> {
    let mode = input.host.ipc_mode.as_deref().unwrap_or_default();
    match (mode, input.shm) {
        ("host", _) => SharedMemory::Folder(Path::new("/dev/shm")),
        (_, Some(folder)) => SharedMemory::Folder(folder),
        (_, None) => SharedMemory::Own,
    }
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
