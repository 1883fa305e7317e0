//! rcompose
fn main() {}
