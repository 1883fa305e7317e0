//! Whole projects: several files, then `config`, then `config` of that.
//!
//! Lines such as `%% base.yaml` start the next file.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::compose::{emit, load, load_tree};

/// The files there can be; the first holds what comes before any `%%`.
const FILES: [&str; 5] = ["compose.yaml", "compose.override.yaml", "base.yaml", ".env", "app.env"];

/// A folder of this process, in memory where that is possible.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("rcompose-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the files");
    folder
});

fuzz_target!(|text: &str| {
    write_files(text);
    let mut options = rcompose_fuzz::options(&FOLDER);
    if let Ok(loaded) = rcompose_fuzz::checked(load(&options)) {
        // As docker compose does, env files may hold a value without a name, compose files not.
        let mut services = loaded.project.services.values();
        if services.all(|service| !service.environment.contains_key("")) {
            rcompose_fuzz::assert_fixed_point(&loaded);
        }
        let _ = emit::json(&loaded.project);
    }
    options.interpolate = false;
    options.resolve_paths = false;
    options.normalize = false;
    if let Ok(loaded) = load_tree(&options) {
        let _ = emit::node_yaml(&loaded.tree);
    }
});

fn write_files(text: &str) {
    for name in FILES {
        let _ = fs::remove_file(FOLDER.join(name));
    }
    let mut name = FILES[0];
    let mut content = String::new();
    for line in text.split_inclusive('\n') {
        let next = line.strip_prefix("%% ").map(str::trim_end);
        if let Some(next) = next.and_then(|next| FILES.iter().find(|name| **name == next)) {
            write(name, &content);
            name = next;
            content.clear();
        } else {
            content.push_str(line);
        }
    }
    write(name, &content);
}

fn write(name: &str, content: &str) {
    fs::write(FOLDER.join(name), content).expect("the folder can be written to");
}
