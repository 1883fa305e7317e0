//! The program as people run it.

use std::path::PathBuf;
use std::process::Command;

/// Builds `target/release/rcompose` and returns its path. What `cargo bench` has put there was built with the features that tests ask
/// of libraries: other code, which layout.ld does not fit.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn rcompose() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--release", "--bin", "rcompose"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells a benchmark of its package would make build scripts of libraries run again.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(name);
        }
    }
    match build.status() {
        Ok(status) if status.success() => Ok(PathBuf::from(env!("CARGO_BIN_EXE_rcompose"))),
        Ok(_) => Err("rcompose cannot be built".to_owned()),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
