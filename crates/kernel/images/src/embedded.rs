//! Texts within the text of a file, such as a patch in a kustomization or values in an Application: their scalars are lines of
//! the file as well ([`visit_scalars`]).

use onepane_diagnostics::FileId;
use onepane_yaml::{Content, Node, Style, read};

/// A text within a text within a text is as far as people go.
pub(crate) const DEEPEST: usize = 4;

/// A scalar that is a text of YAML or JSON and stands in its file as it reads: without escapes, and each line in one.
pub(crate) struct Embedded {
    /// What it holds.
    pub(crate) documents: Vec<Node>,
    /// By how many lines and characters its own places are before those of the file.
    pub(crate) shift: (u32, u32),
}

impl Embedded {
    /// The text that a scalar is, in a file of these lines; `None` for any other scalar.
    pub(crate) fn of(node: &Node, lines: &[&str]) -> Option<Self> {
        let (text, place) = (node.as_str()?, node.span?);
        let before = place.line.checked_sub(1)?;
        let shift = match node.style {
            Style::Literal => (place.line, indentation(text, lines.get(place.line as usize..)?)?),
            Style::SingleQuoted | Style::DoubleQuoted if !text.contains('\n') && text.contains(':') => {
                let quote = if node.style == Style::SingleQuoted { '\'' } else { '"' };
                let line: String =
                    lines.get(before as usize)?.chars().skip(place.column.checked_sub(1)? as usize).collect();
                (before, line.starts_with(&format!("{quote}{text}{quote}")).then_some(place.column)?)
            }
            _ => return None,
        };
        let documents = read(text, FileId::new(place.file.path())).ok()?;
        let is_one = |document: &Node| matches!(document.content, Content::Mapping(_) | Content::Sequence(_));
        documents.iter().any(is_one).then_some(Self { documents, shift })
    }
}

/// How far a block is indented whose lines these begin with.
fn indentation(text: &str, lines: &[&str]) -> Option<u32> {
    let mut found = None;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let written = lines.get(at)?.trim_end_matches(['\n', '\r']);
        let indentation = written.strip_suffix(line)?;
        if indentation.bytes().any(|byte| byte != b' ') || found.is_some_and(|found| found != indentation.len()) {
            return None;
        }
        found = Some(indentation.len());
    }
    u32::try_from(found?).ok()
}

/// A scalar or an alias of a file, or of a text within it.
pub struct Seen<'n> {
    /// What was read.
    pub node: &'n Node,
    /// The mapping that it is a value of.
    pub around: Option<&'n Node>,
    /// The key of the list that it is in an item of.
    pub list: Option<&'n str>,
    shift: (u32, u32),
}

impl Seen<'_> {
    /// Line and column in the file.
    pub fn place(&self) -> Option<(u32, u32)> {
        self.place_of(self.node)
    }

    /// Line and column of what stands in the same text.
    pub fn place_of(&self, node: &Node) -> Option<(u32, u32)> {
        let place = node.span?;
        Some((place.line + self.shift.0, place.column + self.shift.1))
    }
}

/// Shows each scalar that is a value or an item, and each alias, in the documents of `text`, and in the texts within it.
pub fn visit_scalars(text: &str, documents: &[Node], with: &mut dyn FnMut(&Seen<'_>)) {
    let walk = Walk { shift: (0, 0), lines: &text.split_inclusive('\n').collect::<Vec<_>>(), depth: 0 };
    documents.iter().for_each(|document| walk.visit(document, None, None, with));
}

struct Walk<'l> {
    shift: (u32, u32),
    /// Of the file, from where the innermost text begins.
    lines: &'l [&'l str],
    depth: usize,
}

impl Walk<'_> {
    fn visit(&self, node: &Node, around: Option<&Node>, list: Option<&str>, with: &mut dyn FnMut(&Seen<'_>)) {
        match &node.content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    let list = if matches!(value.content, Content::Sequence(_)) { key.as_str() } else { list };
                    self.visit(value, Some(node), list, with);
                }
            }
            Content::Sequence(items) => items.iter().for_each(|item| self.visit(item, None, list, with)),
            Content::Scalar(_) | Content::Alias(_) => {
                with(&Seen { node, around, list, shift: self.shift });
                if self.depth == DEEPEST {
                    return;
                }
                let Some(inner) = Embedded::of(node, self.lines) else { return };
                let text = node.as_str().unwrap_or_default();
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                let shift = (self.shift.0 + inner.shift.0, self.shift.1 + inner.shift.1);
                let walk = Walk { shift, lines: &lines, depth: self.depth + 1 };
                inner.documents.iter().for_each(|document| walk.visit(document, None, None, with));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `LINE:COLUMN TEXT` of each scalar.
    fn seen(text: &str) -> Vec<String> {
        let documents = read(text, FileId::new("f.yaml")).expect("it can be read");
        let mut found = Vec::new();
        visit_scalars(text, &documents, &mut |seen| {
            let (line, column) = seen.place().expect("it stands somewhere");
            found.push(format!("{line}:{column} {}", seen.node.as_str().unwrap_or("*").replace('\n', "/")));
        });
        found
    }

    #[test]
    fn scalars_of_texts_within_a_text_have_places_of_the_file() {
        let text =
            "a: x\nb: |-\n\n  c: 1\n  d: |\n    e: 2\nf: '{\"g\": 3}'\nh:\n- \"i: 4\"\n- >-\n  j: 5\n- just: text\n";
        let places = seen(text);
        assert_eq!(
            places,
            [
                "1:4 x",
                "2:4 /c: 1/d: |/  e: 2",
                "4:6 1",
                "5:6 e: 2",
                "6:8 2",
                "7:4 {\"g\": 3}",
                "7:11 3",
                "9:3 i: 4",
                "9:7 4",
                "10:3 j: 5",
                "12:9 text"
            ]
        );
        // Each stands where that says.
        let lines: Vec<&str> = text.lines().collect();
        for place in
            places.iter().filter(|place| !place.contains('/') && !place.contains("e: 2") && !place.contains("j: 5"))
        {
            let (place, text) = place.split_once(' ').expect("it has both");
            let (line, column) = place.split_once(':').expect("it has both");
            let at = |text: &str| text.parse::<usize>().expect("it is a number") - 1;
            assert!(lines[at(line)][at(column)..].trim_start_matches(['\'', '"']).starts_with(text), "{place} {text}");
        }
    }

    #[test]
    fn what_is_not_written_as_it_reads_is_no_text_of_the_file() {
        // Escapes, folds, and what is no mapping or list.
        for text in ["a: \"b: \\x31\"\n", "a: >\n  b: 1\n", "a: 'b: ''1'''\n", "a: b\n", "a: |\n  just a text\n"] {
            assert_eq!(seen(text).len(), 1, "{text}");
        }
        assert_eq!(seen("a: |\r\n  b: 1\r\n"), ["1:4 b: 1/", "2:6 1"]);
        // No deeper than people go.
        let mut deep = "x: 1".to_owned();
        for _ in 0..9 {
            deep = format!("x: |-\n{}", deep.lines().map(|line| format!("  {line}\n")).collect::<String>());
        }
        assert_eq!(seen(&deep).len(), DEEPEST + 1);
    }
}
