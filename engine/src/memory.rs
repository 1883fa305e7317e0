//! What the kernel says of a control group's memory.

use std::fs;
use std::path::Path;

/// Whether the kernel killed a process of this control group because its memory was used up.
/// `path` is relative to where the controllers are mounted; both versions are looked at.
pub(crate) fn was_exceeded(path: &Path) -> bool {
    let relative = path.strip_prefix("/").unwrap_or(path);
    let second = Path::new("/sys/fs/cgroup")
        .join(relative)
        .join("memory.events");
    let first = Path::new("/sys/fs/cgroup/memory")
        .join(relative)
        .join("memory.oom_control");
    [second, first]
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .any(|text| kills(&text) > 0)
}

fn kills(text: &str) -> u64 {
    let counts = text
        .lines()
        .filter_map(|line| line.strip_prefix("oom_kill "));
    counts
        .filter_map(|count| count.trim().parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_count_kills() {
        assert_eq!(kills("low 0\noom 2\noom_kill 1\n"), 1);
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3);
        assert_eq!(kills("oom_kill 0\n"), 0);
    }
}
