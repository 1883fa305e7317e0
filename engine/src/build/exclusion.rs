//! Patterns of `.dockerignore` and of `--exclude`.

use crate::image::glob;

/// Patterns, of which the last that matches decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Exclusion(Vec<(bool, String)>);

impl Exclusion {
    /// The patterns of a file: one a line, without comments.
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::new(text.lines().filter(|line| !line.starts_with('#')))
    }

    /// The patterns; `!` in front of one takes back what others exclude.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let pattern = |line: &str| {
            let line = line.trim();
            let (keeps, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let pattern = clean(pattern);
            (!pattern.is_empty()).then_some((keeps, pattern))
        };
        Self(patterns.filter_map(pattern).collect())
    }

    /// Whether something in what is excluded may be kept.
    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|(keeps, _)| *keeps)
    }

    /// Whether the last pattern that matches the path, or a folder it is in, excludes it.
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.0.iter().fold(false, |excluded, (keeps, pattern)| {
            if excluded == *keeps && matches(pattern, path) {
                !keeps
            } else {
                excluded
            }
        })
    }
}

/// A path without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    (1..=path.len()).any(|end| parts_match(&pattern, &path[..end]))
}

/// `**` stands for any number of folders.
fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**"], path) => !path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|at| parts_match(rest, &path[at..])),
        ([part, rest @ ..], [name, path @ ..]) => {
            glob(part.as_bytes(), name.as_bytes()) && parts_match(rest, path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let cases = [
            ("Dockerfile", "Dockerfile", true),
            ("# note\n\n/Dock*\n", "Dockerfile", true),
            ("*\n!Dockerfile", "Dockerfile", false),
            ("**", "a/b", true),
            ("**/Dockerfile", "Dockerfile", true),
            ("**/Dockerfile", "a/b/Dockerfile", true),
            ("docker", "docker/Dockerfile", true),
            ("./docker/", "docker/Dockerfile", true),
            ("Dockerfile", "docker/Dockerfile", false),
            ("a/**", "a", false),
            ("Dockerfile.*", "Dockerfile", false),
        ];
        for (patterns, path, expected) in cases {
            let exclusion = Exclusion::of_text(patterns);
            assert_eq!(exclusion.excludes(path), expected, "{patterns} {path}");
        }
    }
}
