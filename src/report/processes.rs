//! Processes as commands show them.

/// The processes of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processes {
    /// The container's service, or its name where it has none.
    pub service: String,
    /// The container's number, or nothing.
    pub number: String,
    /// Titles of the columns.
    pub titles: Vec<String>,
    /// One row for each process, with a cell for each title.
    pub rows: Vec<Vec<String>>,
}
