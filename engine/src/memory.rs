//! What the kernel says of a control group's memory.

use std::fs;
use std::path::PathBuf;

/// Whether the kernel killed a process of these control groups because their memory was used up.
/// One of them has the controller of memory, in either version.
pub(crate) fn was_exceeded(groups: &[PathBuf]) -> bool {
    let files = groups
        .iter()
        .flat_map(|group| ["memory.events", "memory.oom_control"].map(|name| group.join(name)));
    files
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
