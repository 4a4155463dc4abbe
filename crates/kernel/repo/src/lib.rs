//! The repository's folders, and what is rendered, built and asked of them.
//!
//! A [`Repository`] is a `World` rooted at the repository plus its [`Layout`]. The life of a build:
//!
//! 1. [`Repository::state`] reads the state file (`helm-charts/helmfile.yaml`): which chart renders with which
//!    values as which release.
//! 2. [`Repository::render`] renders a release to a [`RenderedRelease`]: one file a resource and a kustomization that
//!    lists them, for `helm-charts/rendered/<release>/`. Whoever called writes them, [protected](Repository::protect):
//!    with secrets encrypted.
//! 3. [`Repository::build`] builds a folder — a cluster, a group — with Kustomize's rules from what is on disk, just
//!    as Flux or Argo CD would. Where `onepane.yaml` says so, what objects of these in a cluster's folder deliver
//!    belongs to it ([`Repository::follow`]).
//! 4. [`Repository::why`] builds with origins on, finds the field, and follows its history back: overlay steps first,
//!    then, where the field comes from a rendered file, the release is rendered again with origins on and the chain
//!    goes on with template lines, includes and values files. [`Repository::impact`] asks backwards: which fields a line
//!    feeds.
//!
//! [`adopt`] finds out the layout of a repository that was there before. [`Repository::check`] holds the values files of a
//! release against what its chart's templates read. [`Places`] says in which line a value of a build has its source,
//! [`Repository::unused`] which files nothing is made of.
//!
//! It performs no I/O of its own and knows no cluster.

mod adopt;
mod build;
mod charts;
mod check;
mod impact;
mod kept_builds;
mod kept_warning;
mod layout;
mod memo;
mod place;
mod promote;
mod promotion_rules;
mod promotion_steps;
mod protect;
mod release;
mod releases;
mod render;
mod rendered_world;
mod repository;
mod shared_files;
mod unused;
mod why;

pub use adopt::{Adoption, adopt};
pub use build::{BuildOptions, Manifests};
pub use charts::LocalCharts;
pub use check::LastChecked;
pub use impact::{Impact, Reach, ReachedField, ReachedParts, ReachedRelease, Target};
pub use kept_builds::KeptBuilds;
pub use layout::{Follow, KubernetesVersions, Layout, OtherImages};
pub use memo::{Kept, Memo, ResultName, Store};
pub use onepane_gitops::{ChartSources, Delivery, Followed, LocatedChart, WantedChart, same_repository};
pub use onepane_kustomize::Built;
pub use place::{Places, SourcePlace};
pub use promote::{Carried, Promotion, Running, Version};
pub use promotion_rules::{PromotionRules, SyncWindow};
pub use promotion_steps::{PromotionStep, PromotionSteps};
pub use release::{LastChart, ReleaseOnDisk};
pub use releases::ListedRelease;
pub use render::{Difference, DifferenceKind, RenderedFile, RenderedRelease};
pub use rendered_world::RenderedWorld;
pub use repository::Repository;
pub use unused::{ReadFiles, Unused, UnusedKind};
pub use why::{Explanation, FieldPath, Step, Trail};
