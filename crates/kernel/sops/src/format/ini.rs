//! Trees to INI, as gopkg.in/ini.v1 prints them.

use super::flat::untyped;
use crate::failure::refused;
use crate::value::{Comment, Entry, Value, pairs};
use onepane_diagnostics::Result;

/// The name of what stands before the first section.
pub(super) const DEFAULT: &str = "DEFAULT";

/// A key with the comment above it.
struct Line {
    key: String,
    value: Vec<u8>,
    comment: String,
}

/// Writes sections, each a mapping of scalars.
pub(super) fn write(branch: &[Entry]) -> Result<Vec<u8>> {
    let sections: Vec<_> = pairs(branch).collect();
    let mut out = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let name = &*section.key;
        let Value::Branch(entries) = &section.value else {
            let message = format!("`{name}` is no mapping, and INI files have nothing but sections of values");
            return Err(refused(message).hint("name another format"));
        };
        let (comment, entries) = match entries.split_first() {
            Some((Entry::Comment(comment), rest)) => (text(comment), rest),
            _ => (String::new(), entries.as_slice()),
        };
        let lines = lines(name, entries)?;
        write_comment(&comment, &mut out);
        if index > 0 || name.to_uppercase() != DEFAULT {
            out.extend_from_slice(format!("[{name}]\n").as_bytes());
        } else if lines.is_empty() {
            continue;
        }
        // Names stand in one column, as if they were written without quotes.
        let width = lines.iter().map(|line| line.key.len() + quotes(&line.key)).max().unwrap_or(0);
        for line in &lines {
            write_comment(&line.comment, &mut out);
            let key = quoted_key(&line.key);
            out.extend_from_slice(
                format!("{key:width$} = ", width = width + key.chars().count() - key.len()).as_bytes(),
            );
            write_value(&line.value, &mut out);
            out.push(b'\n');
        }
        if index + 1 < sections.len() {
            out.push(b'\n');
        }
    }
    Ok(out)
}

/// The keys of a section. A comment belongs to the key before it; of a key that stands twice, the last value counts.
fn lines(section: &str, entries: &[Entry]) -> Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut last = None;
    for entry in entries {
        match entry {
            Entry::Comment(comment) => {
                if let Some(line) = last.and_then(|last: usize| lines.get_mut(last)) {
                    line.comment = text(comment);
                }
            }
            Entry::Pair(pair) => {
                let key = pair.key.to_string();
                let value = match &pair.value {
                    Value::Text(text) => text.reveal().to_vec(),
                    value => untyped(value)
                        .ok_or_else(|| refused(format!("`{section}.{key}` is no scalar, which INI files are of")))?
                        .into_bytes(),
                };
                match lines.iter().position(|line| line.key == key) {
                    Some(at) => {
                        lines[at].value = value;
                        last = Some(at);
                    }
                    None => {
                        lines.push(Line { key, value, comment: String::new() });
                        last = Some(lines.len() - 1);
                    }
                }
            }
        }
    }
    Ok(lines)
}

fn text(comment: &Comment) -> String {
    String::from_utf8_lossy(comment.text.reveal()).into_owned()
}

fn write_comment(comment: &str, out: &mut Vec<u8>) {
    for line in comment.split('\n').filter(|_| !comment.is_empty()) {
        let line = match line.strip_prefix(['#', ';']) {
            Some(rest) => format!("{} {}\n", &line[..1], rest.trim()),
            None => format!("; {}\n", line.trim()),
        };
        out.extend_from_slice(line.as_bytes());
    }
}

/// How many characters of quotes ini.v1 counts for a key, which are not those that it writes.
fn quotes(key: &str) -> usize {
    if key.contains(['"', '=', ':']) {
        2
    } else if key.contains('`') {
        6
    } else {
        0
    }
}

fn quoted_key(key: &str) -> String {
    match quotes(key) {
        0 => key.to_owned(),
        2 => format!("`{key}`"),
        _ => format!("\"\"\"{key}\"\"\""),
    }
}

fn write_value(value: &[u8], out: &mut Vec<u8>) {
    let has = |what: &[u8]| value.iter().any(|byte| what.contains(byte));
    let text = String::from_utf8_lossy(value);
    let quote = if has(b"\n`") {
        "\"\"\""
    } else if has(b"#;") {
        "`"
    } else if text.trim().len() != text.len() {
        "\""
    } else {
        ""
    };
    out.extend_from_slice(quote.as_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(quote.as_bytes());
}
