//! Where things come from and what is wrong with them.
//!
//! Every crate of onepane speaks of places through [`Span`] (a file, a line, a column), of the history of a
//! value through [`Origin`], and of findings through [`Diagnostic`]. This crate knows nothing of YAML, charts or
//! clusters and reads no file: whoever renders a diagnostic hands in the source text.
//!
//! Start at [`Diagnostic`]; the renderers are [`render_full`], [`render_concise`] and [`render_json`].

mod closest;
mod diagnostic;
mod origin;
mod render;
mod source_text;
mod span;

pub use closest::closest;
pub use diagnostic::{Diagnostic, Frame, Label, Result, Severity};
pub use origin::{Chain, Origin, Record, Step};
pub use render::{render_concise, render_full, render_json};
pub use source_text::SourceText;
pub use span::{FileId, Span};
