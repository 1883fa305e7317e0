//! The host's firewall: traffic of containers outward, published ports inward, isolation.
//!
//! All rules are in chains (or a table) of this engine's own, told apart from another engine's by
//! a tag, and are replaced as a whole. They live next to Docker's: with `iptables` they are looked
//! at before the policy of the FORWARD chain drops what is not Docker's.

mod iptables;
mod nft;
mod rules;
mod tool;

pub(crate) use rules::{Bridge, Redirect, Rules};
pub(crate) use tool::Firewall;
