//! What of a repository is made of what: [`map`] gives a [`Graph`] of clusters, groups, components, releases, charts,
//! images and services.
//!
//! The edges are those that the files themselves say: what kustomizations name (`folders`), which release of the state
//! renders which chart and what that depends on (`charts`), and which images run, built from which submodule (`images`).
//! Nothing is built, so that a map can be drawn of a repository that is broken: what is missing is a node, what leads in
//! a circle is an edge, and both are findings. How a map is drawn is somebody else's.

mod charts;
mod folders;
mod graph;
mod images;
mod mapper;

pub use graph::{Direction, Edge, EdgeKind, Graph, Node, NodeKind};
pub use mapper::{Service, map};
