//! The template functions of sprig and Helm, one file a family.
//!
//! [`HELM`] is everything that a chart can call, [`SPRIG`] what sprig has of it. Each family lists its functions in a
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

use onepane_template::FunctionTable;

pub use flow::{FAILURE_END, FAILURE_START};
pub use url::Address;

/// The functions of sprig 3.3, without those that read the environment.
pub static SPRIG: FunctionTable = sprig();

/// Everything that a chart of Helm 4 can call.
pub static HELM: FunctionTable = sprig()
    .with(durations::HELM_FUNCTIONS)
    .with(flow::HELM_FUNCTIONS)
    .with(json::HELM_FUNCTIONS)
    .with(toml::HELM_FUNCTIONS)
    .with(yaml::HELM_FUNCTIONS);

/// [`SPRIG`], to make another table of.
pub const fn sprig() -> FunctionTable {
    sprig_offline().with(network::FUNCTIONS)
}

/// [`sprig`] without what asks the network.
pub const fn sprig_offline() -> FunctionTable {
    FunctionTable::new()
        .with(crypto::FUNCTIONS)
        .with(date::FUNCTIONS)
        .with(defaults::FUNCTIONS)
        .with(dicts::FUNCTIONS)
        .with(display::FUNCTIONS)
        .with(encodings::FUNCTIONS)
        .with(floats::FUNCTIONS)
        .with(flow::FUNCTIONS)
        .with(integers::FUNCTIONS)
        .with(json::FUNCTIONS)
        .with(layout::FUNCTIONS)
        .with(letter_case::FUNCTIONS)
        .with(lists::FUNCTIONS)
        .with(merge::FUNCTIONS)
        .with(paths::FUNCTIONS)
        .with(quoting::FUNCTIONS)
        .with(random::FUNCTIONS)
        .with(reflection::FUNCTIONS)
        .with(regex::FUNCTIONS)
        .with(semver::FUNCTIONS)
        .with(splitting::FUNCTIONS)
        .with(substrings::FUNCTIONS)
        .with(trimming::FUNCTIONS)
        .with(url::FUNCTIONS)
        .with(word_case::FUNCTIONS)
}
