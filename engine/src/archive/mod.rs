//! Tar streams: packed from folders and unpacked into them, safe against paths and links that
//! lead out of the folder.

mod compression;
mod entry;
mod hard_links;
mod pack;
mod pipe;
mod root;
mod unpack;

pub(crate) use compression::decompress;
pub(crate) use hard_links::HardLinks;
pub(crate) use pack::{Pack, attribute, attributes, is_of_runtime, is_untouched, pack};
pub(crate) use pipe::{body_reader, packed, stream};
pub(crate) use root::{
    NO_FOLLOW_FILE, NO_FOLLOW_FOLDER, Root, names, remove_all, set_owner, set_owner_and_mode,
    spread,
};
pub(crate) use unpack::{Unpack, Unpacked, Whiteouts, unpack, unpack_noting};

/// In front of the name of a file that hides one of a lower layer.
const WHITEOUT: &str = ".wh.";
/// In a folder: hides everything that lower layers have there.
const OPAQUE: &str = ".wh..wh..opq";
/// What overlay marks such a folder with.
const OPAQUE_ATTRIBUTE: &str = "trusted.overlay.opaque";
/// Attributes that overlay reads; nobody else may set them.
pub(crate) const OVERLAY_ATTRIBUTES: &str = "trusted.overlay.";

#[cfg(test)]
mod tests;
