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
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", "rcompose"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    match built {
        Ok(status) if status.success() => Ok(PathBuf::from(env!("CARGO_BIN_EXE_rcompose"))),
        Ok(_) => Err("rcompose cannot be built".to_owned()),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
