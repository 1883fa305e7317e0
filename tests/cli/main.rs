//! The real binary where no engine is needed: one module a topic.

mod environment;
mod scenarios;
mod shell;
mod why;

/// Writes a file of a test's folder.
fn write(folder: &std::path::Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a folder of our own");
}
