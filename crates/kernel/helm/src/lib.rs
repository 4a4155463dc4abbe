//! Rendering charts as Helm does: releases, capabilities, hooks, manifests.
//!
//! [`render`] takes a loaded [`Chart`](onepane_chart::Chart) and the values a user gave. It processes dependencies and
//! coalesces values (both in `onepane-chart`), lets every chart of the tree see its own part of them, runs the templates
//! in Helm's order, and cuts what they print into [`Manifest`]s and [`Hook`]s in install order.
//!
//! What Helm prints around them, and where, is the command line's business. Errors carry Helm's own text.

mod capabilities;
mod chart_files;
mod early;
mod explain;
mod failure;
mod glob;
mod head;
mod helm3;
mod lint;
mod manifest;
mod name_template;
mod post_render;
mod release;
mod render;
mod split;

pub use capabilities::{Capabilities, ClusterCapabilities};
pub use early::{Early, SharedTemplates};
pub use lint::{Finding, LintOptions, Severity, lint};
pub use manifest::{Hook, Manifest};
pub use name_template::name_from_template;
pub use release::{Action, Release};
pub use render::{
    Afterwards, PostRender, RenderError, RenderOptions, Rendered, Schemas, Stage, Surroundings, TEMPLATE_FAILED,
    render, render_within,
};
pub use split::{leading_space, split as split_manifests, trimmed_end};
