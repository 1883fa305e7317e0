//! What a failure shows of a file.

/// Lines of a file that a failure comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The file as people name it.
    pub file: String,
    /// Its whole text.
    pub text: String,
    /// The first and the last of the lines, counted from 1.
    pub lines: (u32, u32),
    /// Path of the attribute of the compose files whose value the text is; empty where it is a file of its own.
    pub path: Vec<String>,
    /// What a command that failed wrote last.
    pub output: Vec<String>,
}
