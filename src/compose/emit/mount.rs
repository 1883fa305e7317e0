//! `volumes` of a service.

use super::fields::{Fields, Format};
use super::value::Value;
use crate::compose::model::{BindOptions, ImageMountOptions, Mount, TmpfsOptions, VolumeOptions};

pub(super) fn mount(mount: &Mount, format: Format) -> Value<'_> {
    Fields::new(format)
        .always("type", Value::str(mount.kind.as_str()))
        .text("source", mount.source.as_ref())
        .text("target", mount.target.as_ref())
        .flag("read_only", mount.read_only)
        .text("consistency", mount.consistency.as_ref())
        .object("bind", mount.bind.as_ref(), bind)
        .object("volume", mount.volume.as_ref(), volume)
        .object("tmpfs", mount.tmpfs.as_ref(), tmpfs)
        .object("image", mount.image.as_ref(), image)
        .extended(&mount.extensions)
}

fn bind(bind: &BindOptions, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("selinux", bind.selinux.as_ref())
        .text("propagation", bind.propagation.as_ref())
        .flag("create_host_path", bind.create_host_path)
        .text("recursive", bind.recursive.as_ref())
        .extended(&bind.extensions)
}

fn volume(volume: &VolumeOptions, format: Format) -> Value<'_> {
    Fields::new(format)
        .mapping("labels", &volume.labels)
        .flag("nocopy", volume.nocopy)
        .text("subpath", volume.subpath.as_ref())
        .extended(&volume.extensions)
}

fn tmpfs(tmpfs: &TmpfsOptions, format: Format) -> Value<'_> {
    Fields::new(format)
        .display("size", tmpfs.size)
        .int("mode", tmpfs.mode.map(i64::from))
        .extended(&tmpfs.extensions)
}

fn image(image: &ImageMountOptions, format: Format) -> Value<'_> {
    Fields::new(format)
        .text("subpath", image.subpath.as_ref())
        .extended(&image.extensions)
}
