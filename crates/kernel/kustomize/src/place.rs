//! Where in a kustomization an error is: every error of a build names the file, the entry and its line, once for each
//! kustomization that it came through.

use crate::accumulate::{Target, located};
use crate::decode::Located;
use onepane_diagnostics::{Diagnostic, FileId, Span};
use onepane_resource::Resource;
use onepane_yaml::{Content, Node};

impl Target<'_> {
    /// Says through which entry of this kustomization an error came: the one that it points at, else the one at `span`.
    /// An error that points nowhere yet points there then.
    pub(crate) fn in_entry(&self, error: Box<Diagnostic>, span: Option<Span>) -> Box<Diagnostic> {
        let here = |span: Option<Span>| span.filter(|span| span.file == self.file);
        // A cycle tells the way that leads around itself.
        let told =
            error.trace.last().is_some_and(|frame| frame.message.starts_with("in ") && here(frame.span).is_some());
        if told || error.code == "kustomize-cycle" {
            return error;
        }
        let own = error.primary.iter().chain(&error.labels).find_map(|label| here(Some(label.span)));
        let place = own.or(here(span)).and_then(|span| Some((path_at(&self.root, span)?, span)));
        let error = located(error, span);
        match place {
            Some((path, span)) => error.trace(format!("in `{path}`"), Some(span)),
            None => {
                let whole = Span::file(self.file.path());
                located(error, Some(whole)).trace("in the build of this kustomization", Some(whole))
            }
        }
    }

    /// [`Self::in_entry`] for an error of `resource` that comes up when all are accumulated: the entry is that which
    /// brought the resource in.
    pub(crate) fn in_entry_of(&self, error: Box<Diagnostic>, resource: &Resource) -> Box<Diagnostic> {
        let base = resource.overlays.iter().rev().nth(1).and_then(|file| file.path().parent());
        let from = base.or(resource.source.map(FileId::path));
        let brings = |entry: &&Located| Some(&*self.loader.relative(&self.loader.join(&entry.text))) == from;
        let entry = self.kustomization.resources.iter().find(brings);
        self.in_entry(located(error, resource.node().span), entry.and_then(|entry| entry.span))
    }
}

/// The keys and indices that lead to what stands at `span` in the document `root`, such as `patches[2].target.kind`.
///
/// The start of a mapping is also that of its first key; the mapping is meant then, since entries of lists are pointed
/// at there. `None` for a place before all keys.
pub(crate) fn path_at(root: &Node, span: Span) -> Option<String> {
    let wanted = (span.line, span.column);
    let mut path = String::new();
    let mut node = root;
    loop {
        match &node.content {
            Content::Mapping(entries) => {
                let before = entries.iter().rev().find(|(key, _)| start(key).is_some_and(|start| start <= wanted));
                let Some((key, value)) = before else { break };
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key.as_str().unwrap_or_default());
                if start(key) == Some(wanted) {
                    break;
                }
                node = value;
            }
            Content::Sequence(items) => {
                let before = items.iter().rposition(|item| start(item).is_some_and(|start| start <= wanted));
                let Some(index) = before else { break };
                path.push_str(&format!("[{index}]"));
                node = &items[index];
                if start(node) == Some(wanted) {
                    break;
                }
            }
            Content::Scalar(_) | Content::Alias(_) => break,
        }
    }
    (!path.is_empty()).then_some(path)
}

/// Line and column of the first that is written of a node.
fn start(node: &Node) -> Option<(u32, u32)> {
    let first = node.entries().and_then(|entries| entries.first()).map(|(key, _)| key);
    let span = first.and_then(|key| key.span).or(node.span)?;
    Some((span.line, span.column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn places_are_named_by_the_way_that_leads_there() {
        let file = FileId::new("kustomization.yaml");
        let text = "# none\nnamePrefix: a-\nresources: [a, b]\npatches:\n- path: a\n  target:\n    kind: K\n- patch: |-\n    - op: add\n";
        let root = onepane_yaml::read(text, file).unwrap().swap_remove(0);
        for (line, column, wanted) in [
            (1, 1, None),
            (2, 1, Some("namePrefix")),
            (2, 13, Some("namePrefix")),
            (3, 13, Some("resources[0]")),
            (3, 16, Some("resources[1]")),
            (5, 3, Some("patches[0]")),
            (5, 9, Some("patches[0].path")),
            (7, 5, Some("patches[0].target.kind")),
            (8, 3, Some("patches[1]")),
            (9, 7, Some("patches[1].patch")),
        ] {
            assert_eq!(path_at(&root, Span::new(file, line, column)).as_deref(), wanted, "{line}:{column}");
        }
    }
}
