//! Templates as text: who calls and defines what, where the cursor is. What is half typed is text like any other.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{EntryKind, World};

/// A name in quotes behind a word that says what it is a name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    pub(crate) what: What,
    pub(crate) name: String,
    /// Where the name begins and ends, in bytes, without its quotes.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// `include "x"`, `template "x"`
    Call,
    /// `define "x"`, `block "x"`
    Define,
    /// `.Files.Get "x"`
    File,
}

const WORDS: [(&str, What); 8] = [
    ("include", What::Call),
    ("template", What::Call),
    ("define", What::Define),
    ("block", What::Define),
    (".Files.Get", What::File),
    (".Files.GetBytes", What::File),
    (".Files.Lines", What::File),
    (".Files.Glob", What::File),
];

/// A chart of more templates is not looked at whole.
const MOST_FILES: usize = 2_000;

/// All of a text, by their places.
pub(crate) fn quoted(text: &str) -> Vec<Quoted> {
    let mut found = Vec::new();
    for (word, what) in WORDS {
        for (at, _) in text.match_indices(word) {
            let is_within =
                text[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | '"'));
            let after = &text[at + word.len()..];
            let trimmed = after.trim_start_matches([' ', '\t']);
            let Some(name) = trimmed.strip_prefix('"').filter(|_| !is_within) else { continue };
            let start = at + word.len() + (after.len() - trimmed.len()) + 1;
            let end = start + name.find(['"', '\n']).unwrap_or(name.len());
            found.push(Quoted { what, name: text[start..end].to_owned(), start, end });
        }
    }
    found.sort_by_key(|one| one.start);
    found
}

/// The name that a byte is in, or beside.
pub(crate) fn quoted_at(text: &str, offset: usize) -> Option<Quoted> {
    quoted(text).into_iter().find(|one| (one.start..=one.end).contains(&offset))
}

/// The comment directly above a definition, whose name begins at `start`.
pub(crate) fn comment_above(text: &str, start: usize) -> Option<String> {
    let action = text[..start].rfind("{{")?;
    let before = text[..action].trim_end();
    let before = before.strip_suffix("}}")?.trim_end_matches(['-', ' ']).strip_suffix("*/")?;
    let comment = &before[before.rfind("/*")? + 2..];
    let lines: Vec<&str> = comment.lines().map(str::trim).collect();
    let comment = lines.join("\n").trim().to_owned();
    (!comment.is_empty()).then_some(comment)
}

/// Whether a byte is within `{{ }}`, and where that begins.
pub(crate) fn action_at(text: &str, offset: usize) -> Option<usize> {
    let before = &text[..offset];
    let open = before.rfind("{{")?;
    let is_closed = before.rfind("}}").is_some_and(|close| close > open);
    (!is_closed).then_some(open + 2)
}

/// The templates of a chart and of those in it.
pub(crate) fn template_files(world: &dyn World, chart: &Utf8Path) -> Vec<Utf8PathBuf> {
    const DEEPEST: usize = 32;
    let mut files = Vec::new();
    let mut rest = vec![(chart.to_owned(), false, 0)];
    while let Some((folder, is_templates, depth)) = rest.pop() {
        for entry in world.list(&folder).unwrap_or_default().into_iter().filter(|entry| !entry.link) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if depth < DEEPEST => {
                    rest.push((path, is_templates || entry.name == "templates", depth + 1));
                }
                EntryKind::File if is_templates && files.len() < MOST_FILES => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_stand() {
        let text = "{{/*\nWhat it is.\n  More.\n*/}}\n{{- define \"a.b\" -}}{{ include \"c\" . }}{{ end }}\
            {{ myinclude \"d\" }}{{ .Files.Get \"e.txt\" }}{{ include \"half";
        let found: Vec<_> = quoted(text).into_iter().map(|one| (one.what, one.name)).collect();
        let wanted = [(What::Define, "a.b"), (What::Call, "c"), (What::File, "e.txt"), (What::Call, "half")];
        assert_eq!(found, wanted.map(|(what, name)| (what, name.to_owned())));
        let define = text.find("a.b").expect("it is there");
        assert_eq!(comment_above(text, define).as_deref(), Some("What it is.\nMore."));
        assert_eq!(comment_above(text, text.find("c\" .").expect("it is there")), None);
        assert_eq!(action_at("{{ a }} b {{ c", 10), None);
        assert_eq!(action_at("{{ a }} b {{ c", 14), Some(12));
    }
}
