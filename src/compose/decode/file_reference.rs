//! A service's `configs` and `secrets`, and the top-level ones.

use super::combinators::{keyed, non_empty, record, some};
use super::mapping::mapping;
use super::resource::external;
use super::scalar::{file_mode, text, text_or_integer};
use crate::compose::model::{FileReference, ObjectSource};

record! {
    /// The use of a config or secret by a service or build.
    pub(super) fn file_reference -> FileReference = FileReference::default();
    extensions extensions;
    require [];
    "source" => source: text,
    "target" => target: non_empty(text),
    "uid" => uid: non_empty(text),
    "gid" => gid: non_empty(text),
    "mode" => mode: some(file_mode),
}

record! {
    /// A top-level config.
    pub(super) fn config -> ObjectSource = ObjectSource::default();
    extensions extensions;
    require [];
    "name" => name: non_empty(text),
    "content" => content: non_empty(text),
    "environment" => environment: non_empty(text),
    "file" => file: non_empty(text),
    "external" => external: external,
    "labels" => labels: mapping,
    "template_driver" => template_driver: non_empty(text),
}

record! {
    /// A top-level secret. `content` is set by the loader alone.
    pub(super) fn secret -> ObjectSource = ObjectSource::default();
    extensions extensions;
    require [];
    "name" => name: non_empty(text),
    "environment" => environment: non_empty(text),
    "file" => file: non_empty(text),
    "external" => external: external,
    "labels" => labels: mapping,
    "driver" => driver: non_empty(text),
    "driver_opts" => driver_opts: keyed(text_or_integer),
    "template_driver" => template_driver: non_empty(text),
}
