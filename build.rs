//! Link options of the binary.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // At an address of its own choice the program would have 0.8 MB of relocations: read at every start, and 1.1 MB
    // of memory that the processes beside each container could not share. Stack, heap and libraries are still put at
    // random.
    println!("cargo:rustc-link-arg-bins=-no-pie");
    if env::var("PROFILE").as_deref() == Ok("release") {
        everyday_functions_together();
    }
}

/// What everyday commands run is put in one place: the kernel maps code 64 kB at a time, so that scattered over the
/// program it takes several times its size in memory.
fn everyday_functions_together() {
    println!("cargo:rerun-if-changed=layout.ld");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let layout = Path::new(&root).join("layout.ld");
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", layout.display());
}
