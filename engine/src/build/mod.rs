//! Images from Dockerfiles, as the classic builder made them.

pub(crate) mod configure;
mod copy;
mod expand;
mod parse;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use parse::{Instruction, parse};
pub(crate) use run::{Build, build};
