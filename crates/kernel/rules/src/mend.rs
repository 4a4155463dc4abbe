//! The change that mends a finding, made in a text: [`mended`].

use crate::Fix;
use onepane_diagnostics::Span;
use onepane_yaml::{Draft, Node, Place};

/// The text with a word mended; `None` where the line does not say it, or not once.
pub fn mended(text: &str, span: Span, written: &str, fix: &Fix) -> Option<String> {
    if written.is_empty() {
        return None;
    }
    let (start, end) = document_around(text, span.line)?;
    let first_line = text[..start].matches('\n').count() as u32;
    let line = span.line - first_line;
    let piece = &text[start..end];
    let new = match Draft::new(piece, span.file) {
        Ok(mut draft) if !piece.contains("{{") => {
            let mut way = Vec::new();
            find(draft.root()?, line, written, fix, &mut way)?;
            let way: Vec<Place<'_>> = way.iter().map(Step::place).collect();
            match fix {
                Fix::Rename(to) => draft.rename(&way, to).ok()?,
                Fix::Replace(to) => draft.set(&way, Node::string(to.as_str())).ok()?,
                Fix::Remove => draft.remove(&way).ok()?,
            }
            draft.text().to_owned()
        }
        // A template is text: the word in its line is what there is to mend.
        _ => word_replaced(piece, line, written, fix)?,
    };
    Some(format!("{}{new}{}", &text[..start], &text[end..]))
}

/// From where to where the document goes that a line is of.
fn document_around(text: &str, line: u32) -> Option<(usize, usize)> {
    let (mut start, mut at, mut found) = (0, 0, false);
    for (index, content) in text.split_inclusive('\n').enumerate() {
        let is_border = content.trim_end() == "---" || content.starts_with("--- ");
        if is_border && found {
            return Some((start, at));
        }
        at += content.len();
        if is_border {
            start = at;
        }
        found |= index as u32 + 1 == line;
    }
    found.then_some((start, at))
}

/// A step of the way to a node.
enum Step {
    Key(String),
    Item(usize),
}

impl Step {
    fn place(&self) -> Place<'_> {
        match self {
            Self::Key(key) => Place::Key(key),
            Self::Item(index) => Place::Item(*index),
        }
    }
}

/// The way to the key or scalar that is written in a line.
fn find(node: &Node, line: u32, written: &str, fix: &Fix, way: &mut Vec<Step>) -> Option<()> {
    let is_here = |node: &Node| node.as_str() == Some(written) && node.span.is_some_and(|span| span.line == line);
    if !matches!(fix, Fix::Rename(_)) && is_here(node) {
        return Some(());
    }
    for (key, value) in node.entries().unwrap_or_default() {
        let Some(name) = key.as_str() else { continue };
        way.push(Step::Key(name.to_owned()));
        if matches!(fix, Fix::Rename(_)) && is_here(key) {
            return Some(());
        }
        if find(value, line, written, fix, way).is_some() {
            return Some(());
        }
        way.pop();
    }
    for (index, item) in node.items().unwrap_or_default().iter().enumerate() {
        way.push(Step::Item(index));
        if find(item, line, written, fix, way).is_some() {
            return Some(());
        }
        way.pop();
    }
    None
}

/// The text with a word of a line replaced, if it is in it once.
fn word_replaced(text: &str, line: u32, written: &str, fix: &Fix) -> Option<String> {
    let to = match fix {
        Fix::Rename(to) | Fix::Replace(to) => to,
        Fix::Remove => return None,
    };
    let start: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let content = text[start..].split_inclusive('\n').next()?;
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '/' | '.');
    let is_word = |at: usize| !content[..at].ends_with(is_name) && !content[at + written.len()..].starts_with(is_name);
    let mut found = content.match_indices(written).filter(|(at, _)| is_word(*at));
    let (at, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let from = start + at;
    Some(format!("{}{to}{}", &text[..from], &text[from + written.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn only_the_word_in_its_line_is_mended() {
        let at = |line| Span::new(FileId::new("a.yaml"), line, 1);
        let rename = |to: &str| Fix::Rename(to.to_owned());
        let text = "# one\na: 1\n---\n# two\nspec:\n  replica: 2 # few\n  replicas: 1\nlist: [x, y]\n";
        let renamed = mended(text, at(6), "replica", &rename("min"));
        assert_eq!(renamed, Some(text.replace("replica: 2", "min: 2")));
        let replaced = mended(text, at(8), "y", &Fix::Replace("z".to_owned()));
        assert_eq!(replaced, Some(text.replace("[x, y]", "[x, z]")));
        assert_eq!(mended(text, at(7), "replica", &rename("min")), None);
        assert_eq!(mended(text, at(99), "replica", &rename("min")), None);
        let template = "{{ if .a }}\nreplica: {{ .replica }}\nlimit: 3\n{{ end }}\n";
        // What is read there is another word, and the same word twice is not certain.
        let renamed = mended(template, at(2), "replica", &rename("replicas"));
        assert_eq!(renamed, Some(template.replace("replica:", "replicas:")));
        assert_eq!(mended("{{ a }}\nreplica: replica\n", at(2), "replica", &rename("replicas")), None);
        assert_eq!(mended(template, at(3), "limit", &rename("limits")), Some(template.replace("limit:", "limits:")));
    }
}
