//! Trees to YAML, as SOPS prints them.

use super::indent::Indented;
use crate::value::{Branch, Comment, Entry, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_yaml::{Remarks, ScalarNode, Style};

/// Writes one document a tree.
pub(super) fn write(branches: &[Branch], indent: usize) -> Vec<u8> {
    let mut text = String::new();
    for branch in branches {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        let mut out = Indented::new(indent);
        mapping(branch, Around::default(), &mut out);
        text.push_str(&out.finish());
    }
    text.into_bytes()
}

/// The comments that go around a node.
#[derive(Default)]
struct Around {
    /// The foot comment of the key before.
    tail: String,
    head: String,
    line: String,
    foot: String,
}

impl Around {
    fn remarks(&self) -> Remarks<'_> {
        Remarks { tail: &self.tail, head: &self.head, line: &self.line, foot: &self.foot }
    }
}

/// Comments that wait for what they stand before.
#[derive(Default)]
struct Waiting {
    head: String,
    inline: String,
}

impl Waiting {
    fn add(&mut self, comment: &Comment) {
        let text = String::from_utf8_lossy(comment.text.reveal());
        let lines = if comment.inline { &mut self.inline } else { &mut self.head };
        join(lines, &format!("#{text}"));
    }
}

/// Adds lines to lines.
fn join(lines: &mut String, more: &str) {
    if !lines.is_empty() && !more.is_empty() {
        lines.push('\n');
    }
    lines.push_str(more);
}

fn mapping(branch: &[Entry], around: Around, out: &mut Indented) {
    let split = branch.iter().rposition(|entry| matches!(entry, Entry::Pair(_))).map_or(0, |last| last + 1);
    let (body, end) = branch.split_at(split);
    let end = comments_at_end(end.iter().filter_map(|entry| match entry {
        Entry::Comment(comment) => Some(comment),
        Entry::Pair(_) => None,
    }));
    if body.is_empty() {
        out.remark(Around { head: joined(end, around.head), ..around }.remarks());
        return out.empty_mapping();
    }
    let mut waiting = Waiting::default();
    let mut begun = false;
    for entry in body {
        let pair = match entry {
            Entry::Comment(comment) => {
                waiting.add(comment);
                continue;
            }
            Entry::Pair(pair) => pair,
        };
        if !std::mem::replace(&mut begun, true) {
            let head = joined(std::mem::take(&mut waiting.head), around.head.clone());
            out.remark(Remarks { head: &head, tail: &around.tail, ..Remarks::default() });
            out.begin_mapping();
        }
        let Waiting { head, inline } = std::mem::take(&mut waiting);
        out.remark(Remarks { head: &head, ..Remarks::default() });
        text(pair.key.as_bytes(), out);
        value(&pair.value, Around { line: inline, ..Around::default() }, out);
    }
    // A foot comment is its key's, but stands behind the value.
    out.remark(Remarks { tail: &end, head: "", line: &around.line, foot: &around.foot });
    out.end();
}

fn list(items: &[Value], around: Around, out: &mut Indented) {
    let split = items.iter().rposition(|item| !matches!(item, Value::Comment(_))).map_or(0, |last| last + 1);
    let (body, end) = items.split_at(split);
    let mut end = comments_at_end(end.iter().filter_map(|item| match item {
        Value::Comment(comment) => Some(comment),
        _ => None,
    }));
    if body.is_empty() {
        out.remark(Around { tail: String::new(), head: joined(end, around.head), ..around }.remarks());
        return out.empty_list();
    }
    let mut waiting = Waiting::default();
    let mut begun = false;
    for (index, item) in body.iter().enumerate() {
        if let Value::Comment(comment) = item {
            waiting.add(comment);
            continue;
        }
        if !std::mem::replace(&mut begun, true) {
            let head = joined(std::mem::take(&mut waiting.head), around.head.clone());
            out.remark(Remarks { head: &head, ..Remarks::default() });
            out.begin_list();
        }
        let Waiting { head, inline } = std::mem::take(&mut waiting);
        let foot = if index + 1 == body.len() { std::mem::take(&mut end) } else { String::new() };
        value(item, Around { tail: String::new(), head, line: inline, foot }, out);
    }
    out.remark(Remarks { line: &around.line, foot: &around.foot, ..Remarks::default() });
    out.end();
}

/// What is left at an end, where there is nothing more to stand before or behind.
fn comments_at_end<'c>(comments: impl Iterator<Item = &'c Comment>) -> String {
    let mut waiting = Waiting::default();
    comments.for_each(|comment| waiting.add(comment));
    joined(waiting.head, waiting.inline)
}

/// Lines with more lines behind them.
fn joined(mut lines: String, more: String) -> String {
    join(&mut lines, &more);
    lines
}

fn value(value: &Value, around: Around, out: &mut Indented) {
    match value {
        Value::Branch(branch) => return mapping(branch, around, out),
        Value::List(items) => return list(items, around, out),
        _ => out.remark(around.remarks()),
    }
    match value {
        Value::Text(bytes) => text(bytes.reveal(), out),
        Value::Time(time) => out.plain(time),
        Value::Bool(value) => out.plain(if *value { "true" } else { "false" }),
        Value::Int(value) => out.plain(&value.to_string()),
        Value::Float(value) => out.plain(&onepane_yaml::format_float(*value)),
        Value::Null | Value::Comment(_) | Value::List(_) | Value::Branch(_) => out.plain("null"),
    }
}

fn text(bytes: &[u8], out: &mut Indented) {
    match std::str::from_utf8(bytes) {
        // To go-yaml it is a merge wherever it stands, and it says so.
        Ok("<<") => out.scalar(ScalarNode { text: "<<", style: Style::Plain, tag: Some("!!merge"), anchor: None }),
        Ok(text) => out.string(text),
        Err(_) => {
            let text = in_lines(&STANDARD.encode(bytes));
            let style = if text.contains('\n') { Style::Literal } else { Style::Plain };
            out.scalar(ScalarNode { text: &text, style, tag: Some("!!binary"), anchor: None });
        }
    }
}

/// Base64 as go-yaml breaks it into lines.
fn in_lines(text: &str) -> String {
    const LINE: usize = 70;
    if text.len() < LINE {
        return text.to_owned();
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines
}
