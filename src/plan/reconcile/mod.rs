//! Project + observed state → plan, one function per command.
//!
//! `up`, `create`, `scale` and `run` need the images first: make and execute the plan of
//! [`images()`], observe the images again if it did anything, then make the plan of [`up()`] or
//! [`run()`].

mod containers;
mod current;
mod down;
mod images;
mod lifecycle;
mod networks;
mod orphans;
mod run;
mod scope;
mod start;
#[cfg(test)]
mod tests;
mod up;
mod volumes;
mod wanted;

pub use down::down;
pub use images::images;
pub use lifecycle::{kill, pause, remove, restart, start, stop, unpause};
pub use run::run;
pub use scope::Scope;
pub use up::up;
pub use volumes::{DivergedVolume, diverged_volumes};
pub use wanted::provided;
