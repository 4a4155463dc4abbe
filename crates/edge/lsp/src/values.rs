//! Values files as trees: keys by their paths, and the path at a place.

use crate::text::SourceFile;
use onepane_check::ANY;
use onepane_diagnostics::{FileId, Span};
use onepane_yaml::Node;

/// Documents nest no deeper than this for who looks for keys.
const DEEPEST: usize = 200;

/// The documents of a text; none while it is broken.
pub(crate) fn documents(text: &str, file: FileId) -> Vec<Node> {
    onepane_yaml::read(text, file).unwrap_or_default()
}

/// The key at a path, as far down as it is there: its place, and whether that is all of the path.
pub(crate) fn key_at<'p>(documents: &[Node], path: &'p [String]) -> Option<(Span, &'p [String])> {
    let mut best: Option<(Span, usize)> = None;
    for document in documents {
        let mut node = document;
        for (depth, name) in path.iter().enumerate() {
            let Some((key, value)) =
                node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_str() == Some(name.as_str())))
            else {
                break;
            };
            if let Some(span) = key.span.filter(|_| best.is_none_or(|(_, best)| depth + 1 > best)) {
                best = Some((span, depth + 1));
            }
            node = value;
        }
    }
    best.map(|(span, depth)| (span, &path[..depth]))
}

/// The keys that lead to the key or value at a byte; [`ANY`] for items of lists.
pub(crate) fn path_at(documents: &[Node], source: &SourceFile, offset: usize) -> Option<Vec<String>> {
    let line = source.line_of(offset) as u32 + 1;
    let mut path = Vec::new();
    documents.iter().any(|document| find(document, source, (line, offset), &mut path)).then_some(path)
}

fn find(node: &Node, source: &SourceFile, at: (u32, usize), path: &mut Vec<String>) -> bool {
    if path.len() > DEEPEST {
        return false;
    }
    let (line, offset) = at;
    for (key, value) in node.entries().unwrap_or_default() {
        let Some((name, span)) = key.as_str().zip(key.span) else { continue };
        path.push(name.to_owned());
        let (start, end) = source.bytes_of(span);
        let is_key = span.line == line && (start..=end).contains(&offset);
        // What stands behind a key on its line is its value.
        let is_scalar = value.as_str().is_some()
            && value.span.is_some_and(|value| value.line == line)
            && span.line == line
            && offset > end;
        if is_key || find(value, source, at, path) || is_scalar {
            return true;
        }
        path.pop();
    }
    for item in node.items().unwrap_or_default() {
        path.push(ANY.to_owned());
        if find(item, source, at, path) {
            return true;
        }
        path.pop();
    }
    false
}

/// Whether two paths may be of the same value.
pub(crate) fn is_same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other || one == ANY || other == ANY)
}

/// The keys above the line at a byte, by their indentation: also where the text is broken.
pub(crate) fn path_by_indentation(source: &SourceFile, offset: usize) -> Vec<String> {
    let line = source.line_of(offset);
    let own = source.line(line);
    let typed = &own[..(offset - source.line_start(line)).min(own.len())];
    let mut indent = indent_of(typed);
    let mut path = Vec::new();
    /// Keys stand near to what is below them.
    const FARTHEST: usize = 5_000;
    for above in (line.saturating_sub(FARTHEST)..line).rev() {
        let text = source.line(above);
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if trimmed == "---" {
            break;
        }
        let other = indent_of(text);
        if other < indent {
            let Some((key, _)) = trimmed.trim_start_matches("- ").split_once(':') else { return Vec::new() };
            if trimmed.starts_with("- ") {
                path.push(ANY.to_owned());
            }
            path.push(key.trim_matches(['"', '\'']).to_owned());
            indent = other;
        }
        if indent == 0 {
            break;
        }
    }
    path.reverse();
    path
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoding;

    const TEXT: &str = "a:\n  b: word\n  list:\n    - c: 1\n# end\nd: {e: 2}\n";

    fn path(offset: usize) -> Option<String> {
        let source = SourceFile::new(TEXT, Encoding::Utf16);
        path_at(&documents(TEXT, FileId::new("v.yaml")), &source, offset).map(|path| path.join("."))
    }

    #[test]
    fn places_have_paths() {
        let at = |text: &str| TEXT.find(text).expect("it is there");
        for (place, wanted) in [("a:", "a"), ("b:", "a.b"), ("word", "a.b"), ("c:", "a.list.*.c"), ("e: 2", "d.e")] {
            assert_eq!(path(at(place)).as_deref(), Some(wanted), "{place}");
        }
        assert_eq!(path(at("# end") + 3), None);
        let source = SourceFile::new("a:\n  b:\n    c", Encoding::Utf16);
        assert_eq!(path_by_indentation(&source, source.text.len()), ["a", "b"]);
    }

    #[test]
    fn keys_are_found_as_far_as_they_are_there() {
        let documents = documents(TEXT, FileId::new("v.yaml"));
        let path: Vec<String> = ["a", "b", "x"].map(str::to_owned).into();
        let (span, known) = key_at(&documents, &path).expect("a part is there");
        assert_eq!((span.line, known.len()), (2, 2));
    }
}
