//! Images as commands show them.

/// The image of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedImage {
    /// Name of the container.
    pub container: String,
    /// The image as the container names it.
    pub reference: String,
    /// Id, with its `sha256:`.
    pub id: String,
    /// Operating system and processor: "linux/amd64".
    pub platform: String,
    /// Size in bytes.
    pub size: i64,
    /// When it was made.
    pub created: Option<time::OffsetDateTime>,
    /// When it got its tag on this engine.
    pub tagged: Option<time::OffsetDateTime>,
}
