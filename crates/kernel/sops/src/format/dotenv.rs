//! Lines `NAME=value`, with `\n` for a line break within a value.

use super::flat::untyped;
use crate::failure::{malformed, refused};
use crate::secret::Secret;
use crate::value::{Branch, Comment, Entry, Pair, Value};
use onepane_diagnostics::{FileId, Result, Span};

/// Reads lines; a `#` at the start of one makes it a comment.
pub(super) fn read(text: &[u8], file: FileId) -> Result<Branch> {
    let mut branch = Branch::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let span = Span::new(file, number, 1);
        if let Some(comment) = line.strip_prefix(b"#") {
            branch.push(Entry::Comment(Comment { text: Secret::new(comment), inline: false }));
        } else if !line.is_empty() {
            // The line is not shown: it may be a part of a secret.
            let unreadable = || malformed("a line is no `NAME=value`").at(span);
            let equals = line.iter().position(|byte| *byte == b'=').ok_or_else(unreadable)?;
            let key = std::str::from_utf8(&line[..equals]).map_err(|_| unreadable())?;
            let value = Value::Text(Secret::from(replaced(&line[equals + 1..], b"\\n", b"\n")));
            branch.push(Entry::Pair(Pair { key: key.into(), value, span: Some(span) }));
        }
    }
    Ok(branch)
}

/// Writes lines.
pub(super) fn write(branch: &[Entry]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => {
                out.push(b'#');
                out.extend_from_slice(comment.text.reveal());
            }
            Entry::Pair(pair) => {
                out.extend_from_slice(pair.key.as_bytes());
                out.push(b'=');
                match &pair.value {
                    Value::Text(text) => out.extend_from_slice(&replaced(text.reveal(), b"\n", b"\\n")),
                    value => out.extend_from_slice(untyped(value).ok_or_else(|| nested(&pair.key))?.as_bytes()),
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

fn nested(key: &str) -> Box<onepane_diagnostics::Diagnostic> {
    refused(format!("`{key}` is a list or a mapping, which dotenv files have not")).hint("name another format")
}

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(what) {
            out.extend_from_slice(with);
            rest = after;
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let text = "# a comment\nA=1=2\nB=\nC=two\\nlines\n#last\n";
        let branch = read(format!("\n{text}\n").as_bytes(), FileId::new("t.env")).expect("it can be read");
        assert!(matches!(&branch[3], Entry::Pair(pair) if pair.value.as_str() == Some("two\nlines")));
        assert_eq!(write(&branch).expect("it can be written"), text.as_bytes());
        let error = read(b"A=1\nhush", FileId::new("t.env")).err().expect("it is no line");
        assert_eq!(error.to_string(), "t.env:2:1: a line is no `NAME=value`");
    }
}
