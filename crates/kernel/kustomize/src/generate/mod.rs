//! Generators: ConfigMaps, Secrets and the hash that their names get.

mod config;
mod hash;
mod policy;
mod sources;

pub(crate) use config::{Generated, generate};
pub(crate) use hash::add_hashes;
pub(crate) use policy::generate_policy;
