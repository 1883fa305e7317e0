//! What archives need to know of files, the same on every system.

use std::fs::Metadata;

/// Sockets cannot be archived.
#[cfg(unix)]
pub(super) fn is_socket(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_socket()
}

/// Sockets cannot be archived.
#[cfg(not(unix))]
pub(super) fn is_socket(_metadata: &Metadata) -> bool {
    false
}

/// Pipes with a name.
#[cfg(unix)]
pub(super) fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

/// Pipes with a name.
#[cfg(not(unix))]
pub(super) fn is_pipe(_metadata: &Metadata) -> bool {
    false
}

/// The permission bits.
#[cfg(unix)]
pub(super) fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

/// Without permission bits everything is executable, as docker has it.
#[cfg(not(unix))]
pub(super) fn mode(_metadata: &Metadata) -> u32 {
    0o755
}
