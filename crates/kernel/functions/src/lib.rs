//! The template functions of sprig and Helm, one file a family.

mod crypto;
mod date;
mod network;
mod random;
mod regex;
mod semver;
mod url;

use onepane_template::{Function, FunctionTable};

/// The functions of sprig 3.3.
pub fn sprig() -> impl Iterator<Item = Function> {
    [
        crypto::FUNCTIONS,
        date::FUNCTIONS,
        network::FUNCTIONS,
        random::FUNCTIONS,
        regex::FUNCTIONS,
        semver::FUNCTIONS,
        url::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Everything that a chart of Helm 4 can call.
pub fn helm() -> FunctionTable {
    let mut table = FunctionTable::new();
    table.extend(sprig());
    table
}
