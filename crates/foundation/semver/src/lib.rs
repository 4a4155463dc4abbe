//! Semantic versions as Helm reads them: [`Version`] and [`Constraint`].
//!
//! The rules are those of Masterminds/semver v3.5 and not those of Cargo or npm: `v1.2` is a version, a pre-release
//! satisfies only a constraint that names one, `1.2` as a constraint means `~1.2`. Its quirks are kept, because charts
//! in the wild rely on what Helm accepts; the tables beside the code were made by running that library.

mod constraint;
mod error;
mod version;

pub use constraint::Constraint;
pub use error::Error;
pub use version::Version;
