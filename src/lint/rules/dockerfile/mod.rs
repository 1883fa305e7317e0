//! Rules over Dockerfiles: one file for each, or for each two that look at the same thing.

pub(in crate::lint) mod add;
mod apt;
pub(in crate::lint) mod apt_command;
pub(in crate::lint) mod apt_install;
pub(in crate::lint) mod apt_lists;
pub(in crate::lint) mod apt_update;
pub(in crate::lint) mod arguments;
pub(in crate::lint) mod base_tag;
pub(in crate::lint) mod command_form;
pub(in crate::lint) mod copy_order;
pub(in crate::lint) mod env_for_arg;
pub(in crate::lint) mod expose;
pub(in crate::lint) mod ignore_file;
pub(in crate::lint) mod maintainer;
pub(in crate::lint) mod npm;
pub(in crate::lint) mod package_cache;
pub(in crate::lint) mod pipe;
pub(in crate::lint) mod repeated;
pub(in crate::lint) mod secret_argument;
pub(in crate::lint) mod secret_text;
pub(in crate::lint) mod stage_names;
pub(in crate::lint) mod sudo;
pub(in crate::lint) mod syntax;
pub(in crate::lint) mod target;
pub(in crate::lint) mod user;
pub(in crate::lint) mod workdir;
