//! Generators: ConfigMaps, Secrets and the hash that their names get.

mod config;
mod hash;
mod policy;
mod sources;

pub use config::Generated;
pub(crate) use config::generate;
pub(crate) use hash::add_hashes;
pub(crate) use policy::generate_policy;
pub(crate) use sources::file_source;
