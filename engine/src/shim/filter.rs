//! The filter of system calls as the kernel takes it.
//!
//! libseccomp needs several milliseconds to make a container's filter of its rules, longer than
//! all the rest of starting a container. Most containers have the same rules, so the daemon
//! compiles each set of them once and keeps the program in a file; a shim installs what is in
//! the file.

use std::fs;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use libcontainer::oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompOperator, LinuxSyscall,
};
use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, store};

/// Length of one instruction in bytes.
const INSTRUCTION: usize = 8;

/// libseccomp's level of optimisation at which the program looks calls up in a tree instead of
/// one after the other.
const AS_TREE: u32 = 2;

/// Whose turn it is to look for a filter's file, and to make it.
static TURN: Mutex<()> = Mutex::new(());

/// A compiled filter: the kernel's instructions, eight bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<u8>);

/// The file in `folder` with the compiled filter of these rules, made if there is none yet.
/// Blocks.
///
/// # Errors
/// 500 when libseccomp refuses the rules, or the file cannot be written.
pub(crate) fn compiled(seccomp: &LinuxSeccomp, folder: &Path) -> Result<PathBuf> {
    let rules = serde_json::to_vec(seccomp).map_err(Error::internal)?;
    let digest = Sha256::digest(&rules);
    let name = u128::from_be_bytes(std::array::from_fn(|index| digest[index]));
    let path = folder.join(format!("seccomp-{name:032x}.bpf"));
    // Containers that start at once would write the same file at once.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if !path.exists() {
        let filter = Filter::compile(seccomp)?;
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
        store::write_bytes(&path, &filter.0)?;
    }
    Ok(path)
}

impl Filter {
    /// Reads what [`compiled`] has written.
    ///
    /// # Errors
    /// 500 when it is not there.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let read = fs::read(path);
        read.map(Self)
            .map_err(|error| Error::io("read", path, error))
    }

    /// Compiles rules.
    ///
    /// # Errors
    /// 500 when libseccomp refuses them.
    pub(super) fn compile(seccomp: &LinuxSeccomp) -> Result<Self> {
        let refused = |error: libseccomp::error::SeccompError| {
            Error::internal(format!("the filter of system calls: {error}"))
        };
        let default = action(seccomp.default_action(), seccomp.default_errno_ret())?;
        let mut context = ScmpFilterContext::new(default).map_err(refused)?;
        for architecture in seccomp.architectures().iter().flatten() {
            context
                .add_arch(self::architecture(*architecture)?)
                .map_err(refused)?;
        }
        // An older libseccomp has no tree; its program is right, too.
        let _ = context.set_ctl_optimize(AS_TREE);
        for rule in seccomp.syscalls().iter().flatten() {
            let action = action(rule.action(), rule.errno_ret())?;
            if action != default {
                add(&mut context, rule, action).map_err(refused)?;
            }
        }
        let mut file: fs::File = memfd_create(c"seccomp", MFdFlags::MFD_CLOEXEC)
            .map_err(Error::internal)?
            .into();
        context.export_bpf(&file).map_err(refused)?;
        let mut program = Vec::new();
        file.rewind()
            .and_then(|()| file.read_to_end(&mut program))
            .map_err(Error::internal)?;
        Ok(Self(program))
    }

    /// Installs the filter for this process and what it executes.
    ///
    /// # Errors
    /// The kernel's: EACCES without both `CAP_SYS_ADMIN` and "no new privileges".
    pub(super) fn install(&self) -> io::Result<()> {
        let instructions: Vec<libc::sock_filter> = self
            .0
            .chunks_exact(INSTRUCTION)
            .map(|bytes| libc::sock_filter {
                code: u16::from_ne_bytes([bytes[0], bytes[1]]),
                jt: bytes[2],
                jf: bytes[3],
                k: u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            })
            .collect();
        let length = u16::try_from(instructions.len()).map_err(io::Error::other)?;
        let program = libc::sock_fprog {
            len: length,
            filter: instructions.as_ptr().cast_mut(),
        };
        #[expect(unsafe_code, reason = "there is no safe wrapper of this call")]
        // SAFETY: the kernel only reads `length` instructions, which live until it returns.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                0,
                std::ptr::from_ref(&program),
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

fn add(
    context: &mut ScmpFilterContext,
    rule: &LinuxSyscall,
    action: ScmpAction,
) -> Result<(), libseccomp::error::SeccompError> {
    for name in rule.names() {
        // One that this libseccomp or architecture does not have cannot be called either.
        let Ok(call) = ScmpSyscall::from_name(name) else {
            continue;
        };
        let conditions = rule.args().iter().flatten().map(|argument| {
            let value = argument.value_two().unwrap_or_default();
            let operator = operator(argument.op(), value);
            ScmpArgCompare::new(argument.index() as u32, operator, argument.value())
        });
        let conditions: Vec<_> = conditions.collect();
        context.add_rule_conditional(action, call, &conditions)?;
    }
    Ok(())
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<ScmpAction> {
    match action {
        LinuxSeccompAction::ScmpActAllow => Ok(ScmpAction::Allow),
        LinuxSeccompAction::ScmpActErrno => Ok(ScmpAction::Errno(
            errno.map_or(libc::EPERM, |errno| errno as i32),
        )),
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => {
            Ok(ScmpAction::KillThread)
        }
        LinuxSeccompAction::ScmpActKillProcess => Ok(ScmpAction::KillProcess),
        LinuxSeccompAction::ScmpActTrap => Ok(ScmpAction::Trap),
        LinuxSeccompAction::ScmpActLog => Ok(ScmpAction::Log),
        LinuxSeccompAction::ScmpActTrace => Ok(ScmpAction::Trace(
            errno
                .and_then(|errno| u16::try_from(errno).ok())
                .unwrap_or(libc::EPERM as u16),
        )),
        other @ LinuxSeccompAction::ScmpActNotify => {
            Err(Error::not_supported(format!("the seccomp action {other}")))
        }
    }
}

fn operator(operator: LinuxSeccompOperator, value: u64) -> ScmpCompareOp {
    match operator {
        LinuxSeccompOperator::ScmpCmpNe => ScmpCompareOp::NotEqual,
        LinuxSeccompOperator::ScmpCmpLt => ScmpCompareOp::Less,
        LinuxSeccompOperator::ScmpCmpLe => ScmpCompareOp::LessOrEqual,
        LinuxSeccompOperator::ScmpCmpEq => ScmpCompareOp::Equal,
        LinuxSeccompOperator::ScmpCmpGe => ScmpCompareOp::GreaterEqual,
        LinuxSeccompOperator::ScmpCmpGt => ScmpCompareOp::Greater,
        LinuxSeccompOperator::ScmpCmpMaskedEq => ScmpCompareOp::MaskedEqual(value),
    }
}

fn architecture(architecture: Arch) -> Result<ScmpArch> {
    match architecture {
        Arch::ScmpArchNative => Ok(ScmpArch::Native),
        Arch::ScmpArchX86 => Ok(ScmpArch::X86),
        Arch::ScmpArchX86_64 => Ok(ScmpArch::X8664),
        Arch::ScmpArchX32 => Ok(ScmpArch::X32),
        Arch::ScmpArchArm => Ok(ScmpArch::Arm),
        Arch::ScmpArchAarch64 => Ok(ScmpArch::Aarch64),
        other => Err(Error::not_supported(format!("the architecture {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_a_program_once() {
        let rules = serde_json::json!({
            "defaultAction": "SCMP_ACT_ERRNO",
            "architectures": ["SCMP_ARCH_NATIVE"],
            "syscalls": [
                { "names": ["read", "write", "no_such_call"], "action": "SCMP_ACT_ALLOW" },
                { "names": ["socket"], "action": "SCMP_ACT_ALLOW",
                  "args": [{ "index": 0, "value": 40, "op": "SCMP_CMP_NE" }] },
            ],
        });
        let seccomp: LinuxSeccomp = serde_json::from_value(rules).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = compiled(&seccomp, folder.path()).unwrap();
        assert_eq!(compiled(&seccomp, folder.path()).unwrap(), path);
        let filter = Filter::load(&path).unwrap();
        assert_eq!(filter.0.len() % INSTRUCTION, 0);
        assert!(filter.0.len() > 5 * INSTRUCTION);
    }

    #[test]
    fn many_may_ask_at_once() {
        let rules = serde_json::json!({ "defaultAction": "SCMP_ACT_ALLOW" });
        let seccomp: LinuxSeccomp = serde_json::from_value(rules).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| compiled(&seccomp, folder.path()).unwrap()))
                .collect();
            for one in asking {
                assert!(one.join().unwrap().exists());
            }
        });
    }
}
