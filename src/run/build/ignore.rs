//! `.dockerignore`: which files of a build context stay out. Its rules are not git's.

use regex::bytes::Regex;

use crate::run::Error;

/// The patterns of one `.dockerignore`.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    regex: Regex,
    /// `!pattern`: what matches is kept.
    keeps: bool,
    /// The part in front of the first special character.
    literal: String,
}

impl Ignore {
    /// Reads the text of a file; `name` is what errors call it.
    ///
    /// # Errors
    /// When a pattern is malformed, with its line.
    pub(in crate::run) fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let malformed = |what: &str| {
                let number = index + 1;
                Error::new(format!("{name}:{number}: {what} pattern {:?}", line.trim()))
                    .remedy("correct the pattern")
            };
            let line = line.trim();
            let (keeps, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            if pattern.is_empty() {
                if keeps {
                    return Err(malformed("empty"));
                }
                continue;
            }
            let pattern = clean(pattern);
            if pattern == "." {
                continue;
            }
            let regex = Regex::new(&translate(&pattern)).map_err(|_| malformed("malformed"))?;
            let special = pattern.find(['*', '?', '[', '\\']);
            let literal = pattern[..special.unwrap_or(pattern.len())].to_owned();
            patterns.push(Pattern {
                regex,
                keeps,
                literal,
            });
        }
        Ok(Self { patterns })
    }

    /// Whether `path` (relative to the context, `/` between its parts) stays out. It does when
    /// the last pattern that matches it, or a folder it is in, is not one that keeps.
    pub(in crate::run) fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        for pattern in &self.patterns {
            if excluded == pattern.keeps && pattern.matches(path) {
                excluded = !pattern.keeps;
            }
        }
        excluded
    }

    /// Whether something inside an excluded folder may be kept all the same.
    pub(super) fn may_keep_inside(&self, folder: &str) -> bool {
        let keeping = self.patterns.iter().filter(|pattern| pattern.keeps);
        keeping
            .into_iter()
            .any(|pattern| pattern.may_match_inside(folder))
    }

    /// Whether something inside a folder that is not matched itself may match.
    pub(super) fn may_match_inside(&self, folder: &str) -> bool {
        let matching = self.patterns.iter().filter(|pattern| !pattern.keeps);
        matching
            .into_iter()
            .any(|pattern| pattern.may_match_inside(folder))
    }
}

impl Pattern {
    fn may_match_inside(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        inside.starts_with(&self.literal) || self.literal.starts_with(&inside)
    }

    fn matches(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(place, _)| place);
        ends.chain([path.len()])
            .any(|end| self.regex.is_match(&path.as_bytes()[..end]))
    }
}

/// Takes out `.`, `..` and doubled slashes, and the slash in front.
pub(super) fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.join("/")
}

/// A pattern → the regular expression of whole paths that match it.
fn translate(pattern: &str) -> String {
    let mut regex = String::from("(?s-u)^");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                if chars.peek() == Some(&'/') {
                    chars.next();
                }
                regex.push_str(if chars.peek().is_none() {
                    ".*"
                } else {
                    "(?:.*/)?"
                });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => bracket(&mut chars, &mut regex),
            '\\' => literal(chars.next().unwrap_or('\\'), &mut regex),
            c => literal(c, &mut regex),
        }
    }
    regex.push('$');
    regex
}

/// A class such as `[a-z]` or `[^0-9]`.
fn bracket(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, regex: &mut String) {
    regex.push('[');
    if chars.peek() == Some(&'^') {
        chars.next();
        regex.push('^');
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                regex.push(']');
                return;
            }
            '\\' => literal(chars.next().unwrap_or('\\'), regex),
            '-' => regex.push('-'),
            c => literal(c, regex),
        }
    }
}

fn literal(c: char, regex: &mut String) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(text: &str) -> Ignore {
        Ignore::parse(text, ".dockerignore").unwrap_or_default()
    }

    fn excluded(text: &str, paths: &[&str]) -> Vec<bool> {
        let ignore = ignore(text);
        paths.iter().map(|path| ignore.excludes(path)).collect()
    }

    #[test]
    fn a_name_matches_at_the_root_only() {
        assert_eq!(
            excluded("a", &["a", "a/b/c", "b/a", "ab"]),
            [true, true, false, false]
        );
        assert_eq!(excluded("/a", &["a", "b/a"]), [true, false]);
        assert_eq!(excluded("./a/", &["a", "b/a"]), [true, false]);
    }

    #[test]
    fn stars_stop_at_slashes_and_two_do_not() {
        assert_eq!(excluded("*.md", &["x.md", "d/x.md"]), [true, false]);
        assert_eq!(excluded("**/*.md", &["x.md", "d/e/x.md"]), [true, true]);
        assert_eq!(
            excluded("*/t", &["a/t", "t", "a/b/t"]),
            [true, false, false]
        );
        assert_eq!(
            excluded("a/**", &["a", "a/b", "a/b/c"]),
            [false, true, true]
        );
        assert_eq!(excluded("**", &["a", "a/b"]), [true, true]);
        assert_eq!(excluded("t?", &["t", "ta", "t/"]), [false, true, false]);
    }

    #[test]
    fn the_last_match_decides() {
        let text = "*.md\n!README*.md\nREADME-secret.md";
        let paths = ["a.md", "README.md", "README-1.md", "README-secret.md"];
        assert_eq!(excluded(text, &paths), [true, false, false, true]);
    }

    #[test]
    fn a_folder_takes_its_content_along_and_exceptions_get_it_back() {
        let text = "node_modules\n!node_modules/keep";
        let paths = ["node_modules", "node_modules/a/b", "node_modules/keep/c"];
        assert_eq!(excluded(text, &paths), [true, true, false]);
        assert!(ignore(text).may_keep_inside("node_modules"));
        assert!(!ignore("node_modules").may_keep_inside("node_modules"));
        assert!(!ignore("*\n!src/a").may_keep_inside("node_modules"));
        assert!(ignore("*\n!src/a").may_keep_inside("src"));
    }

    #[test]
    fn comments_blank_lines_and_the_mark_in_front_are_skipped() {
        let text = "\u{feff}# note\n\n  \n a \n";
        assert_eq!(excluded(text, &["a", "# note"]), [true, false]);
    }

    #[test]
    fn classes_and_special_characters() {
        assert_eq!(excluded("[ab].txt", &["a.txt", "c.txt"]), [true, false]);
        assert_eq!(excluded("[^ab]", &["a", "c"]), [false, true]);
        assert_eq!(excluded("a+(b).$", &["a+(b).$", "aab"]), [true, false]);
        assert_eq!(excluded("\\*", &["*", "a"]), [true, false]);
    }

    #[test]
    fn malformed_patterns_are_told_with_their_line() {
        let error = Ignore::parse("ok\n[a", ".dockerignore").err();
        assert!(error.is_some_and(|error| error.message.starts_with(".dockerignore:2: ")));
        assert!(Ignore::parse("!", "x").is_err());
    }
}
