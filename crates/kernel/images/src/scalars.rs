//! Scalars of a file that say something else from now on, each in its place: [`set_scalars`].

use crate::embedded::{DEEPEST, Embedded};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_yaml::{Content, Dialect, Node, Scalar, Style, read, resolve_plain};
use std::collections::BTreeMap;

/// A scalar that is to say something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScalarChange {
    /// Its line, counted from 1.
    pub line: u32,
    /// Where it begins in that line, in characters, counted from 1.
    pub column: u32,
    /// What it is to say: a string, whatever it looks like.
    pub text: String,
}

/// A stretch of a line that is written in another way.
struct Stretch {
    /// The line, counted from 0.
    index: usize,
    /// In characters, from 0.
    column: usize,
    before: String,
    after: String,
}

/// The text in which these scalars say what they should, those of texts within it as well. All other bytes stay: quotes,
/// comments, ends of lines. What would not be a string without quotes gets some.
///
/// # Errors
/// `yaml-syntax`; `scalar-in-place` for one that is written over several lines, with escapes, or with an anchor or a tag, and
/// for a place at which none stands.
pub fn set_scalars(text: &str, file: FileId, changes: &[ScalarChange]) -> Result<String> {
    let documents = read(text, file)?;
    let mut wanted: Wanted<'_> = BTreeMap::new();
    for ScalarChange { line, column, text } in changes {
        if wanted.insert((*line, *column), text).is_some_and(|other| other != text) {
            return Err(unfit(file, "two things are wanted of one value"));
        }
    }
    let (text, _) = edited(text, file, documents, &mut wanted, 0)?;
    if !wanted.is_empty() {
        return Err(unfit(file, "no value stands there"));
    }
    Ok(text)
}

/// What is wanted of scalars, by line and column.
type Wanted<'w> = BTreeMap<(u32, u32), &'w str>;

/// The text that says what is wanted of its scalars, and what of it is written in another way. What is found is wanted no more.
fn edited(
    text: &str,
    file: FileId,
    documents: Vec<Node>,
    wanted: &mut Wanted<'_>,
    depth: usize,
) -> Result<(String, Vec<Stretch>)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut expected = documents;
    let mut stretches = Vec::new();
    for document in &mut expected {
        change(document, &lines, wanted, &mut stretches, depth)?;
    }
    // From the back, so that of two on one line the first stays where it is.
    stretches.sort_by_key(|stretch| std::cmp::Reverse((stretch.index, stretch.column)));
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    for Stretch { index, column, before, after } in &stretches {
        let line = &mut lines[*index];
        let start = line.char_indices().nth(*column).map_or(line.len(), |(at, _)| at);
        line.replace_range(start..start + before.len(), after);
    }
    let text = lines.concat();
    // What comes out says what it should, and nothing else has become something else.
    let is_right = read(&text, file).is_ok_and(|found| {
        found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| says_the_same(found, expected))
    });
    if is_right { Ok((text, stretches)) } else { Err(unfit(file, "something else would change with it")) }
}

fn unfit(file: FileId, why: &str) -> Box<Diagnostic> {
    Diagnostic::error("scalar-in-place", format!("a value of {} can't be changed in place: {why}", file.path()))
}

fn change(
    node: &mut Node,
    lines: &[&str],
    wanted: &mut Wanted<'_>,
    stretches: &mut Vec<Stretch>,
    depth: usize,
) -> Result<()> {
    match &mut node.content {
        Content::Mapping(entries) => {
            entries.iter_mut().try_for_each(|(_, value)| change(value, lines, wanted, stretches, depth))
        }
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| change(item, lines, wanted, stretches, depth)),
        Content::Alias(_) => Ok(()),
        Content::Scalar(before) => {
            let Some(place) = node.span else { return Ok(()) };
            let Some(after) = wanted.remove(&(place.line, place.column)) else {
                return change_within(node, lines, wanted, stretches, depth);
            };
            if **before == *after {
                return Ok(());
            }
            let unfit =
                |why: &str| unfit(place.file, why).at(place).hint("write it on one line, without an anchor or a tag");
            if node.anchor.is_some() || node.tag.is_some() {
                return Err(unfit("it has an anchor or a tag"));
            }
            let is_string =
                |dialect| matches!(resolve_plain(after, dialect), Scalar::String(_)) && !after.contains([' ', '#']);
            let (written, new) = match node.style {
                Style::Plain if is_string(Dialect::V2) && is_string(Dialect::V3) => {
                    (before.to_string(), after.to_owned())
                }
                Style::Plain => (before.to_string(), format!("\"{after}\"")),
                Style::SingleQuoted => (format!("'{before}'"), format!("'{after}'")),
                Style::DoubleQuoted => (format!("\"{before}\""), format!("\"{after}\"")),
                Style::Literal | Style::Folded | Style::Flow => return Err(unfit("it is a block")),
            };
            let (index, column) = (place.line as usize - 1, place.column as usize - 1);
            let line: String = lines.get(index).map(|line| line.chars().skip(column).collect()).unwrap_or_default();
            if !line.starts_with(&written) {
                return Err(unfit("it is not written as it reads"));
            }
            *before = after.into();
            stretches.push(Stretch { index, column, before: written, after: new });
            Ok(())
        }
    }
}

/// Changes what is wanted of the text that a scalar is.
fn change_within(
    node: &mut Node,
    lines: &[&str],
    wanted: &mut Wanted<'_>,
    stretches: &mut Vec<Stretch>,
    depth: usize,
) -> Result<()> {
    let Some(place) = node.span.filter(|_| depth < DEEPEST) else { return Ok(()) };
    let Some(text) = node.as_str().map(str::to_owned) else { return Ok(()) };
    let last = place.line.saturating_add(u32::try_from(text.lines().count()).unwrap_or(u32::MAX));
    if wanted.range((place.line, place.column)..(last.saturating_add(1), 0)).next().is_none() {
        return Ok(());
    }
    let Some(Embedded { documents, shift }) = Embedded::of(node, lines) else { return Ok(()) };
    let own = |&(line, column): &(u32, u32)| Some((line.checked_sub(shift.0)?, column.checked_sub(shift.1)?));
    let mut within: Wanted<'_> =
        wanted.iter().filter_map(|(place, text)| Some((own(place).filter(|(line, _)| *line > 0)?, *text))).collect();
    let (new, changed) = edited(&text, place.file, documents, &mut within, depth + 1)?;
    wanted.retain(|place, _| own(place).is_none_or(|own| own.0 == 0 || within.contains_key(&own)));
    for Stretch { index, column, before, after } in changed {
        let (index, column) = (index + shift.0 as usize, column + shift.1 as usize);
        stretches.push(Stretch { index, column, before, after });
    }
    node.content = Content::Scalar(new.into());
    Ok(())
}

fn says_the_same(one: &Node, other: &Node) -> bool {
    one.tag == other.tag
        && one.anchor == other.anchor
        && match (&one.content, &other.content) {
            (Content::Scalar(one), Content::Scalar(other)) | (Content::Alias(one), Content::Alias(other)) => {
                one == other
            }
            (Content::Sequence(one), Content::Sequence(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| says_the_same(one, other))
            }
            (Content::Mapping(one), Content::Mapping(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|((key, value), (other_key, other_value))| {
                        says_the_same(key, other_key) && says_the_same(value, other_value)
                    })
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, changes: &[(u32, u32, &str)]) -> Result<String> {
        let change = |&(line, column, text): &(u32, u32, &str)| ScalarChange { line, column, text: text.to_owned() };
        set_scalars(text, FileId::new("f.yaml"), &changes.iter().map(change).collect::<Vec<_>>())
    }

    #[test]
    fn quotes_comments_and_ends_of_lines_stay() {
        let text = "# head\r\nimage: {repository: r/a, tag: 1.10, digest: ''} # both\r\nä: \"1.4\"   # é\r\nb: v1\r\n";
        let new = set(text, &[(2, 31, "1.20"), (2, 45, "sha256:ab"), (3, 4, "1.5"), (4, 4, "v2")]).expect("it can");
        let expected = "# head\r\nimage: {repository: r/a, tag: \"1.20\", digest: 'sha256:ab'} # both\r\nä: \"1.5\"   \
                        # é\r\nb: v2\r\n";
        assert_eq!(new, expected);
        // What it says already is not written in another way.
        assert_eq!(set(text, &[(2, 31, "1.10")]).expect("nothing changes"), text);
    }

    #[test]
    fn what_looks_like_something_else_is_quoted() {
        for after in ["1.10", "017", "1e3", "on", "true", "~", "null", "", "2026-11-30", "0x1f", "1_000"] {
            assert_eq!(set("tag: v1\n", &[(1, 6, after)]).expect(after), format!("tag: \"{after}\"\n"));
        }
        for after in ["1.10.0", "v1", "latest", "sha256:0123", "r:5000/a:1@sha256:0f", "20261130-abc"] {
            assert_eq!(set("tag: 1\n", &[(1, 6, after)]).expect(after), format!("tag: {after}\n"));
        }
    }

    #[test]
    fn scalars_of_texts_within_are_changed_in_the_lines_of_the_file() {
        let text = "patches:\r\n- patch: |-\r\n    # of ä\r\n    spec: {image: 'r/ä:1'} # here\r\n\r\n    x: |\r\n      tag: 1.0\r\n- patch: '[{\"value\": \"r/b:1\"}]'\r\n";
        let new = set(text, &[(4, 19, "r/ä:2"), (7, 12, "1.1"), (8, 22, "r/b:2")]).expect("it can");
        let expected = text.replace("'r/ä:1'", "'r/ä:2'").replace("1.0", "\"1.1\"").replace("r/b:1", "r/b:2");
        assert_eq!(new, expected);
        // Quotes within quotes, and what is not written as it reads.
        for (text, line, column) in [
            ("a: \"b: v1\"\n", 1, 8),
            ("a: \"{\\\"b\\\": \\\"v1\\\"}\"\n", 1, 12),
            ("a: >-\n  b: v1\n", 2, 6),
            ("a: |-\n  b: &x v1\n", 2, 6),
            ("a: |-\n  b: v1\n", 2, 3),
        ] {
            assert_eq!(set(text, &[(line, column, "1")]).expect_err(text).code, "scalar-in-place", "{text}");
        }
    }

    #[test]
    fn what_can_not_be_changed_in_place_is_refused() {
        for (text, line, column) in [
            ("tag: &t v1\nother: *t\n", 1, 6),
            ("tag: &t v1\nother: *t\n", 2, 8),
            ("tag: !!str 1\n", 1, 6),
            ("tag: |\n  v1\n", 1, 6),
            ("tag: \"v\\x31\"\n", 1, 6),
            ("tag: v1\n", 1, 1),
            ("tag: v1\n", 9, 1),
        ] {
            let error = set(text, &[(line, column, "v2")]).expect_err(text);
            assert_eq!(error.code, "scalar-in-place", "{text}");
        }
        assert!(set("tag: v1\n", &[(1, 6, "v2"), (1, 6, "v3")]).is_err());
        assert!(set("a: [\n", &[(1, 4, "v2")]).is_err());
    }
}
