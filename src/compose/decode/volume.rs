//! `volumes` (mounts) of a service.

use super::Context;
use super::combinators::{non_empty, record, some};
use super::mapping::mapping;
use super::scalar::{bytes, file_mode, flag, one_of, text};
use crate::compose::model::{
    BindOptions, ByteSize, ImageMountOptions, Mount, MountType, TmpfsOptions, VolumeOptions,
};
use crate::compose::node::{Node, Value};

record! {
    /// One mount in long form.
    pub(super) fn mount -> Mount = Mount::default();
    extensions extensions;
    require ["type", "target"];
    "type" => kind: mount_type,
    "source" => source: non_empty(text),
    "target" => target: non_empty(text),
    "read_only" => read_only: flag,
    "consistency" => consistency: non_empty(text),
    "bind" => bind: some(bind),
    "volume" => volume: some(volume),
    "tmpfs" => tmpfs: some(tmpfs),
    "image" => image: some(image),
}

fn mount_type<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<MountType> {
    let kind = one_of(&["bind", "volume", "tmpfs", "npipe", "cluster", "image"])(node, cx)?;
    Some(match kind.as_str() {
        "bind" => MountType::Bind,
        "tmpfs" => MountType::Tmpfs,
        "npipe" => MountType::NamedPipe,
        "cluster" => MountType::Cluster,
        "image" => MountType::Image,
        _ => MountType::Volume,
    })
}

record! {
    fn bind -> BindOptions = BindOptions::default();
    extensions extensions;
    require [];
    "selinux" => selinux: some(one_of(&["z", "Z"])),
    "propagation" => propagation: non_empty(text),
    "create_host_path" => create_host_path: flag,
    "recursive" => recursive: some(one_of(&["enabled", "disabled", "writable", "readonly"])),
}

record! {
    fn volume -> VolumeOptions = VolumeOptions::default();
    extensions extensions;
    require [];
    "labels" => labels: mapping,
    "nocopy" => nocopy: flag,
    "subpath" => subpath: non_empty(text),
}

record! {
    fn tmpfs -> TmpfsOptions = TmpfsOptions::default();
    extensions extensions;
    require [];
    "size" => size: non_empty(tmpfs_size),
    "mode" => mode: non_empty(mode_bits),
}

/// A size, not below zero.
fn tmpfs_size<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<ByteSize> {
    let size = bytes(node, cx)?;
    match node.value {
        Value::Str(_) => Some(size),
        _ if size.0 < 0 => cx.wrong_type(node, "a size of at least 0"),
        _ => Some(size),
    }
}

fn mode_bits<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<u32> {
    let mode = file_mode(node, cx)?.0;
    match u32::try_from(mode) {
        Ok(mode) => Some(mode),
        Err(_) => cx.wrong_type(node, "permission bits in octal"),
    }
}

record! {
    fn image -> ImageMountOptions = ImageMountOptions::default();
    extensions extensions;
    require [];
    "subpath" => subpath: non_empty(text),
}
