//! The template functions of sprig and Helm, one file a family.
//!
//! [`helm`] is everything that a chart can call, [`sprig`] what sprig has of it. Each family lists its functions in a
//! `FUNCTIONS` table, with the Go types of their parameters: the engine checks and converts arguments by them. The
//! functions perform no I/O; the clock, randomness, a cluster and the like come through the call's context.

mod arguments;
mod cast;
mod crypto;
mod date;
mod defaults;
mod dicts;
mod display;
mod durations;
mod encodings;
mod extent;
mod floats;
mod flow;
pub mod go;
mod integers;
mod json;
mod layout;
mod letter_case;
mod lists;
mod merge;
mod network;
mod paths;
mod quoting;
mod random;
mod readings;
mod reflection;
mod regex;
mod runes;
mod semver;
mod splitting;
mod substrings;
mod toml;
mod trimming;
mod url;
mod word_case;
mod yaml;

use onepane_template::{Function, FunctionTable};

pub use flow::{FAILURE_END, FAILURE_START};
pub use url::Address;

/// The functions of sprig 3.3, without those that read the environment.
pub fn sprig() -> impl Iterator<Item = Function> {
    [
        crypto::FUNCTIONS,
        date::FUNCTIONS,
        defaults::FUNCTIONS,
        dicts::FUNCTIONS,
        display::FUNCTIONS,
        encodings::FUNCTIONS,
        floats::FUNCTIONS,
        flow::FUNCTIONS,
        integers::FUNCTIONS,
        json::FUNCTIONS,
        layout::FUNCTIONS,
        letter_case::FUNCTIONS,
        lists::FUNCTIONS,
        merge::FUNCTIONS,
        network::FUNCTIONS,
        paths::FUNCTIONS,
        quoting::FUNCTIONS,
        random::FUNCTIONS,
        reflection::FUNCTIONS,
        regex::FUNCTIONS,
        semver::FUNCTIONS,
        splitting::FUNCTIONS,
        substrings::FUNCTIONS,
        trimming::FUNCTIONS,
        url::FUNCTIONS,
        word_case::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Everything that a chart of Helm 4 can call.
pub fn helm() -> FunctionTable {
    let mut table = FunctionTable::new();
    table.extend(sprig());
    for functions in [
        durations::HELM_FUNCTIONS,
        flow::HELM_FUNCTIONS,
        json::HELM_FUNCTIONS,
        toml::HELM_FUNCTIONS,
        yaml::HELM_FUNCTIONS,
    ] {
        table.extend(functions.iter().copied());
    }
    table
}
