//! What every kind of patch is told: [`PatchOptions`].

use crate::shape::{at, is_null_or_empty};
use onepane_diagnostics::{Diagnostic, Origin, Record, Result, Step};
use onepane_resource::Schema;
use onepane_yaml::{Content, Node};

/// How deeply nodes may be nested in one another before a patch refuses them.
pub(crate) const DEEPEST: usize = 1000;

/// How a patch is applied.
#[derive(Clone, Copy, Debug)]
pub struct PatchOptions<'a> {
    /// Which lists are merged by which keys.
    pub schema: &'a Schema,
    /// Whether nodes that are written remember the patch and what they were before.
    pub origins: bool,
    /// What the patch calls itself in those memories.
    pub note: Option<&'a str>,
}

impl Default for PatchOptions<'_> {
    /// Kubernetes' own kinds, no memories.
    fn default() -> Self {
        Self { schema: Schema::builtin(), origins: false, note: None }
    }
}

impl PatchOptions<'_> {
    /// Makes `written`, which stands for `patch`, remember that it came in the place of `previous`. What stands nowhere
    /// in a patch is no word of its author's, and leaves what was there before as it was.
    pub(crate) fn stamp(&self, written: &mut Node, patch: &Node, previous: Option<&Node>) {
        if self.origins {
            let before = previous.map_or(Origin::UNKNOWN, Node::origin);
            let is_said = patch.origin().is_known() || !before.is_known();
            written.history.0 = if is_said { self.record(patch, before) } else { before };
        }
    }

    /// Makes what `patch` emptied remember it, unless it was empty before.
    pub(crate) fn stamp_emptied(&self, left: &mut Node, patch: &Node, was_empty: bool) {
        if self.origins && !was_empty && is_null_or_empty(left) {
            left.history.0 = self.record(patch, left.origin());
        }
    }

    /// [`Self::stamp`] for all that is in `written`, a copy of `patch`; what was there before is known for its top
    /// alone. Depth is that of the patch, which its reader bounds.
    pub(crate) fn stamp_all(&self, written: &mut Node, previous: Option<&Node>) {
        if !self.origins {
            return;
        }
        let origin = self.record(written, previous.map_or(Origin::UNKNOWN, Node::origin));
        let note = self.note;
        fn below(options: &PatchOptions<'_>, node: &mut Node, depth: usize) {
            let record = |node: &mut Node| {
                let origin = options.record(node, Origin::UNKNOWN);
                node.history.0 = origin;
                if depth < DEEPEST {
                    below(options, node, depth + 1);
                }
            };
            match &mut node.content {
                Content::Mapping(entries) => entries.iter_mut().map(|(_, value)| value).for_each(record),
                Content::Sequence(items) => items.iter_mut().for_each(record),
                Content::Scalar(_) | Content::Alias(_) => {}
            }
        }
        below(&PatchOptions { schema: self.schema, origins: true, note }, written, 0);
        written.history.0 = origin;
    }

    fn record(&self, patch: &Node, previous: Origin) -> Origin {
        // A patch that was itself made by something keeps that as what it read.
        let inputs = if patch.history.0.is_known() { vec![patch.history.0.clone()] } else { Vec::new() };
        let span = patch.span.or_else(|| patch.history.0.span());
        Origin::from(Record { step: Step::Patch, span, note: self.note.map(Into::into), inputs, previous })
    }
}

/// Refuses what is nested too deeply to be walked.
pub(crate) fn check_depth(depth: usize, node: &Node) -> Result<()> {
    if depth <= DEEPEST {
        return Ok(());
    }
    let error = Diagnostic::error("patch-too-deep", format!("nodes are nested more than {DEEPEST} deep"));
    Err(at(error, node).hint("no Kubernetes type nests like this: look for a mistake of indentation"))
}
