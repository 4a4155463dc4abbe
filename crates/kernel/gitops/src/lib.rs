//! What Flux and Argo CD would deliver: [`follow`].
//!
//! A folder of a cluster is built, the objects of Flux and Argo CD in it are read, what they name in the repository is
//! rendered as their controllers would, and so on until nothing new comes (`follower`). Kustomizations and HelmReleases of
//! Flux are in `flux`, Applications of Argo CD in `argo`; both add to a folder's own kustomization what the object says
//! (`additions`) through a world with that one file changed (`changed`), and have charts rendered (`release`).
//!
//! What is out of reach, such as a chart that nobody has fetched, is one finding and hides nothing else. This crate
//! performs no I/O: files come through a world, charts from elsewhere from whoever is handed in as [`ChartSources`].

mod additions;
mod argo;
mod changed;
mod flux;
mod follower;
mod object;
mod release;
mod sources;
mod substitute;

pub use follower::{Delivery, Followed, Input, follow};
pub use sources::{ChartSources, LocatedChart, WantedChart, same_repository};
pub use substitute::substitute;
