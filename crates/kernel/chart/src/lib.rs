//! Charts: Chart.yaml, files, dependencies, values and their coalescing.
//!
//! The life of a chart, as Helm 4 has it: [`load`] reads a folder or an archive into a [`Chart`] with its subcharts;
//! [`merge_sources`] makes one table of values files and flags; [`process_dependencies`] keeps the enabled subcharts
//! and imports values; [`coalesce_values`] lays what the user gave over the defaults; [`Validation`] holds the result
//! against `values.schema.json`. Rendering is the next crate's business.
//!
//! Everything outside is read through a [`World`](onepane_world::World). Errors are diagnostics whose message is
//! Helm's own text. Values can carry origins ([`Origins`]); whether they do changes nothing else.

mod archive;
mod chart;
mod coalesce;
mod compat;
pub mod decode;
mod dependencies;
mod folder;
mod go_struct;
mod ignore;
mod load;
mod metadata;
mod pack;
mod plain_schema;
mod schema;
mod schema_report;
mod set;
mod sources;
mod strict;
mod tables;
mod values_file;

pub use chart::{Chart, File, SharedBytes};
pub use coalesce::coalesce_values;
pub use compat::Compat;
pub use dependencies::{
    Switch, is_compatible, missing_among, missing_dependencies, named_dependencies, process_dependencies,
};
pub use ignore::{BadPattern, matches_glob};
pub use load::{LoadOptions, Origins, load, load_early, unpack};
pub use metadata::{Dependency, Maintainer, Metadata};
pub use pack::pack;
pub use schema::{Validation, check_schema};
pub use set::{SetKind, set_into};
pub use sources::{ValueSources, merge_sources, read_from};
pub use tables::coalesce_tables;
pub use values_file::{documents, merge_maps, parse_values, parse_values_as};
