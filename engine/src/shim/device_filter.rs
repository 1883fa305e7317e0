//! Rules for devices on version 2 of control groups, where the kernel asks a BPF program.
//!
//! The container library knows version 1's files only. The program is loaded and attached to the
//! container's control group before its first process becomes the image's program; it goes with
//! the control group.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;

use libcontainer::oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};
use nix::libc;

/// What every container may do with devices: make nodes of all, use its own. Type, major and
/// minor number (negative for all), access.
const ALWAYS: &[(u8, i64, i64, &str)] = &[
    (BLOCK, -1, -1, "m"),
    (CHARACTER, -1, -1, "m"),
    (CHARACTER, 1, 3, "rwm"),
    (CHARACTER, 1, 5, "rwm"),
    (CHARACTER, 1, 7, "rwm"),
    (CHARACTER, 1, 8, "rwm"),
    (CHARACTER, 1, 9, "rwm"),
    (CHARACTER, 5, 0, "rwm"),
    (CHARACTER, 5, 1, "rwm"),
    (CHARACTER, 5, 2, "rwm"),
    (CHARACTER, 136, -1, "rwm"),
];

const BLOCK: u8 = 1;
const CHARACTER: u8 = 2;

/// What every container may do with devices, as version 1's files have it.
pub(super) fn always() -> impl Iterator<Item = String> {
    ALWAYS.iter().map(|(kind, major, minor, access)| {
        let kind = if *kind == BLOCK { 'b' } else { 'c' };
        let number = |number: i64| match number {
            ..0 => "*".to_owned(),
            number => number.to_string(),
        };
        format!("{kind} {}:{} {access}", number(*major), number(*minor))
    })
}

/// Attaches the specification's rules to the control group whose folder is given. Rules after
/// the first are taken for what is allowed besides; where the first allows all, nothing is done.
///
/// # Errors
/// The kernel's.
pub(super) fn install(rules: &[LinuxDeviceCgroup], cgroup: &Path) -> io::Result<()> {
    if rules.first().is_some_and(LinuxDeviceCgroup::allow) {
        return Ok(());
    }
    let program = load(&program(rules))?;
    attach(&program, File::open(cgroup)?)
}

/// An instruction of the kernel's virtual machine.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u8,
    /// Target in the lower half, source in the upper.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, target: u8, source: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers: target | source << 4,
        offset,
        immediate,
    }
}

const LOAD: u8 = 0x61;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const SET: u8 = 0xb7;
const COPY: u8 = 0xbf;
const JUMP_UNLESS_EQUAL: u8 = 0x55;
const JUMP_UNLESS_SAME: u8 = 0x5d;
const EXIT: u8 = 0x95;

// What is asked for, in registers.
const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const ACCESS: u8 = 2;
const KIND: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Every bit of access: make, read, write.
const ANY: i32 = 7;

fn program(rules: &[LinuxDeviceCgroup]) -> Vec<Instruction> {
    let mut program = vec![
        instruction(LOAD, ACCESS, CONTEXT, 0, 0),
        instruction(COPY, KIND, ACCESS, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        instruction(LOAD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD, MINOR, CONTEXT, 8, 0),
    ];
    for (kind, major, minor, access) in ALWAYS {
        program.extend(allow(Some(*kind), *major, *minor, access));
    }
    for rule in rules.iter().filter(|rule| rule.allow()) {
        let kind = match rule.typ() {
            Some(LinuxDeviceType::B) => Some(BLOCK),
            Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(CHARACTER),
            _ => None,
        };
        let number = |number: Option<i64>| number.unwrap_or(-1);
        let access = rule.access().as_deref().unwrap_or("rwm");
        program.extend(allow(
            kind,
            number(rule.major()),
            number(rule.minor()),
            access,
        ));
    }
    program.extend([
        instruction(SET, RESULT, 0, 0, 0),
        instruction(EXIT, 0, 0, 0, 0),
    ]);
    program
}

/// Ends with "yes" if everything fits; otherwise goes on behind.
fn allow(kind: Option<u8>, major: i64, minor: i64, access: &str) -> Vec<Instruction> {
    let mut tests = Vec::new();
    if let Some(kind) = kind {
        tests.push(instruction(JUMP_UNLESS_EQUAL, KIND, 0, 0, i32::from(kind)));
    }
    for (register, number) in [(MAJOR, major), (MINOR, minor)] {
        if let Ok(number) = u32::try_from(number) {
            tests.push(instruction(
                JUMP_UNLESS_EQUAL,
                register,
                0,
                0,
                number.cast_signed(),
            ));
        }
    }
    let bits = [('m', 1), ('r', 2), ('w', 4)];
    let allowed = bits.iter().filter(|(letter, _)| access.contains(*letter));
    let allowed: i32 = allowed.map(|(_, bit)| bit).sum();
    if allowed != ANY {
        tests.push(instruction(COPY, CONTEXT, ACCESS, 0, 0));
        tests.push(instruction(AND, CONTEXT, 0, 0, allowed));
        tests.push(instruction(JUMP_UNLESS_SAME, CONTEXT, ACCESS, 0, 0));
    }
    tests.push(instruction(SET, RESULT, 0, 0, 1));
    tests.push(instruction(EXIT, 0, 0, 0, 0));
    let length = tests.len();
    for (place, test) in tests.iter_mut().enumerate() {
        if matches!(test.code, JUMP_UNLESS_EQUAL | JUMP_UNLESS_SAME) {
            test.offset = (length - place - 1) as i16;
        }
    }
    tests
}

/// Beginning of the kernel's `union bpf_attr` when a program is loaded.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel: u32,
    flags: u32,
}

/// Beginning of the kernel's `union bpf_attr` when a program is attached.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

const PROGRAM_LOAD: libc::c_int = 5;
const PROGRAM_ATTACH: libc::c_int = 8;
const CGROUP_DEVICE_PROGRAM: u32 = 15;
const CGROUP_DEVICE: u32 = 6;
const ALLOW_SEVERAL: u32 = 2;

fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    let license = c"Dual MIT/GPL";
    let attributes = Load {
        kind: CGROUP_DEVICE_PROGRAM,
        count: u32::try_from(program.len()).map_err(io::Error::other)?,
        instructions: program.as_ptr() as u64,
        license: license.as_ptr() as u64,
        ..Load::default()
    };
    let descriptor = bpf(PROGRAM_LOAD, &attributes)?;
    #[expect(unsafe_code, reason = "the system call gives a number")]
    // SAFETY: the kernel has just made this descriptor for us; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn attach(program: &OwnedFd, cgroup: impl AsFd) -> io::Result<()> {
    let number = |descriptor: i32| u32::try_from(descriptor).map_err(io::Error::other);
    let attributes = Attach {
        target: number(cgroup.as_fd().as_raw_fd())?,
        program: number(program.as_raw_fd())?,
        kind: CGROUP_DEVICE,
        flags: ALLOW_SEVERAL,
    };
    bpf(PROGRAM_ATTACH, &attributes).map(drop)
}

fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<i32> {
    #[expect(unsafe_code, reason = "there is no safe wrapper of bpf")]
    // SAFETY: the attributes live as long as the call and their size is told; the addresses in
    // them are of slices that their makers above keep alive meanwhile.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    i32::try_from(result)
        .ok()
        .filter(|result| *result >= 0)
        .ok_or_else(io::Error::last_os_error)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use serde_json::json;

    use super::*;

    /// A control group of version 2; `None` where there can be none.
    fn cgroup(name: &str) -> Option<PathBuf> {
        let roots = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
        let root = roots
            .into_iter()
            .find(|root| root.join("cgroup.controllers").exists())?;
        let path = root.join(format!("rcruntime-{}-{name}", std::process::id()));
        nix::unistd::geteuid().is_root().then_some(())?;
        std::fs::create_dir(&path).ok().map(|()| path)
    }

    /// Whether a process of the group can open the device to read.
    fn opens(cgroup: &Path, device: &str) -> bool {
        let script = format!("echo $$ >{}/cgroup.procs; : <{device}", cgroup.display());
        let mut command = Command::new("sh");
        let command = command
            .args(["-c", &script])
            .stderr(std::process::Stdio::null());
        command.status().unwrap().success()
    }

    /// Which of `/dev/zero` and `/dev/kmsg` can be opened under these rules.
    fn opened(name: &str, rules: serde_json::Value) -> Option<[bool; 2]> {
        let cgroup = cgroup(name)?;
        let rules: Vec<LinuxDeviceCgroup> = serde_json::from_value(rules).unwrap();
        let installed = install(&rules, &cgroup);
        let found = ["/dev/zero", "/dev/kmsg"].map(|device| opens(&cgroup, device));
        std::fs::remove_dir(&cgroup).unwrap();
        installed.unwrap();
        Some(found)
    }

    #[test]
    fn only_what_is_allowed_can_be_used() {
        let deny = json!({"allow": false, "access": "rwm"});
        let allow = json!({"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"});
        let write = json!({"allow": true, "type": "c", "major": 1, "access": "w"});
        let found = opened("denied", json!([deny, write]));
        assert!(
            found.is_none_or(|found| found == [true, false]),
            "{found:?}"
        );
        let found = opened("allowed", json!([deny, allow]));
        assert!(found.is_none_or(|found| found == [true, true]), "{found:?}");
    }

    #[test]
    fn who_may_do_everything_is_not_asked() {
        let rules = json!([{"allow": true, "access": "rwm"}]);
        let rules: Vec<LinuxDeviceCgroup> = serde_json::from_value(rules).unwrap();
        install(&rules, Path::new("/no-such")).unwrap();
    }
}
