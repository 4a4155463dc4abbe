//! What mends a finding: [`actions`].

use crate::Found;
use crate::snapshot::Snapshot;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Range, TextEdit, WorkspaceEdit};
use onepane_rules::{Fix, mended};
use std::collections::HashMap;

/// The changes that mend what was found in a range, where that is certain: those that `onepane check --fix` makes.
pub(crate) fn actions(
    snapshot: &Snapshot,
    found: &[Found],
    params: &CodeActionParams,
) -> Option<Vec<CodeActionOrCommand>> {
    let path = snapshot.roots.path(&params.text_document.uri)?;
    let source = snapshot.source(&path)?;
    // Copies of charts and what is rendered are made from something else.
    if path.components().any(|part| matches!(part.as_str(), "charts" | "rendered")) {
        return Some(Vec::new());
    }
    let mut actions: Vec<CodeActionOrCommand> = Vec::new();
    for one in found {
        let Some((span, fix)) = one.diagnostic.primary.as_ref().map(|label| label.span).zip(one.fix.as_ref()) else {
            continue;
        };
        let range = source.range_of(span);
        if span.file.path() != path || !is_touched(range, params.range) {
            continue;
        }
        let Some(new) = mended(&source.text, span, &one.written, fix) else { continue };
        let (start, end, text) = difference(&source.text, &new);
        let edit = TextEdit { range: source.range(start, end), new_text: text.to_owned() };
        let uri = params.text_document.uri.clone();
        let shown = params.context.diagnostics.iter().filter(|shown| shown.range.start.line == range.start.line);
        let code = Some(lsp_types::NumberOrString::String(one.diagnostic.code.to_owned()));
        let action = CodeActionOrCommand::CodeAction(CodeAction {
            title: title(&one.written, fix),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(shown.filter(|shown| shown.code == code).cloned().collect()),
            // The type of addresses can't be changed once it is made.
            #[allow(clippy::mutable_key_type)]
            edit: Some(WorkspaceEdit { changes: Some(HashMap::from([(uri, vec![edit])])), ..WorkspaceEdit::default() }),
            is_preferred: Some(true),
            ..CodeAction::default()
        });
        // A word is mended once, however many resources are made of it.
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    Some(actions)
}

fn title(written: &str, fix: &Fix) -> String {
    match fix {
        Fix::Rename(to) | Fix::Replace(to) => format!("Change `{written}` to `{to}`"),
        Fix::Remove => format!("Take `{written}` out"),
    }
}

fn is_touched(range: Range, asked: Range) -> bool {
    range.start.line <= asked.end.line && asked.start.line <= range.end.line
}

/// What of the old text is replaced by what.
fn difference<'n>(old: &str, new: &'n str) -> (usize, usize, &'n str) {
    let start = old
        .char_indices()
        .zip(new.chars())
        .find(|((_, a), b)| a != b)
        .map_or(old.len().min(new.len()), |((at, _), _)| at);
    let rest = old[start..].chars().rev().zip(new[start..].chars().rev());
    let end: usize = rest.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    (start, old.len() - end, &new[start..new.len() - end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_replaced() {
        assert_eq!(difference("a: repl\n", "a: replicas\n"), (7, 7, "icas"));
        assert_eq!(difference("aa", "a"), (1, 2, ""));
        assert_eq!(difference("xéy", "xèy"), (1, 3, "è"));
    }
}
