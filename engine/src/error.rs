//! What can go wrong, worded as the API's clients expect it.

use std::fmt::Display;
use std::path::Path;

/// The result of the engine's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that cannot be answered: the API's `ErrorResponse` and its HTTP status.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// HTTP status: 304 where nothing had to change, 400, 404, 409, 500, 501 …
    pub status: u16,
    /// For people; what and, where there is one, why.
    pub message: String,
}

impl Error {
    fn new(status: u16, message: impl Display) -> Self {
        let message = message.to_string();
        // As clients know it, and look for it.
        let message = message.replace(
            "No space left on device (os error 28)",
            "no space left on device",
        );
        Self { status, message }
    }

    /// Already so: 304.
    pub fn not_modified(message: impl Display) -> Self {
        Self::new(304, message)
    }

    /// The request makes no sense: 400.
    pub fn bad_request(message: impl Display) -> Self {
        Self::new(400, message)
    }

    /// Not allowed: 403.
    pub fn forbidden(message: impl Display) -> Self {
        Self::new(403, message)
    }

    /// No such thing: 404.
    pub fn not_found(message: impl Display) -> Self {
        Self::new(404, message)
    }

    /// In conflict with the present state: 409.
    pub fn conflict(message: impl Display) -> Self {
        Self::new(409, message)
    }

    /// The engine failed: 500.
    pub fn internal(message: impl Display) -> Self {
        Self::new(500, message)
    }

    /// Not supported by this engine: 501. Names the field or the parameter.
    pub fn not_supported(what: impl Display) -> Self {
        Self::new(
            501,
            format!("{what} is not supported by the bundled engine"),
        )
    }

    /// An operation on a file failed.
    pub fn io(doing: &str, path: &Path, error: impl Display) -> Self {
        Self::internal(format!("{doing} {}: {error}", path.display()))
    }
}
