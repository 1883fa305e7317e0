//! Rules over Dockerfiles.

pub(in crate::lint) mod syntax;
