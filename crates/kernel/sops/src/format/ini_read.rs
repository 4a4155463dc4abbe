//! INI to trees, as gopkg.in/ini.v1 reads it: sections, quotes of three sorts, values that go on, comments.

use super::ini::DEFAULT;
use crate::failure::malformed;
use crate::secret::Secret;
use crate::value::{Branch, Comment, Entry, Pair, Value, pair};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};

/// Reads sections. What stands before the first is a section of its own, which is there even if it is empty.
pub(super) fn read(text: &[u8], file: FileId) -> Result<Branch> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("the file is no UTF-8"))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader { lines: text.split_inclusive('\n'), number: 0, file, comment: String::new() };
    let mut sections = vec![Section { name: DEFAULT.to_owned(), comment: String::new(), keys: Vec::new() }];
    let mut unnamed = 0;
    while let Some(line) = reader.next() {
        let line = line.trim_start();
        if line.starts_with(['#', ';']) {
            reader.comment.push_str(line);
        } else if let Some(rest) = line.strip_prefix('[') {
            let end = rest.rfind(']').filter(|end| *end > 0);
            let end = end.ok_or_else(|| reader.error("a section has no name, or no `]`"))?;
            if let Some(at) = rest[end + 1..].find(['#', ';']) {
                reader.comment.push_str(&rest[end + 1..][at..]);
            }
            sections.push(Section { name: rest[..end].to_owned(), comment: reader.take_comment(), keys: Vec::new() });
            unnamed = 0;
        } else if !line.is_empty() {
            let span = reader.span();
            let (mut key, value) = reader.key(line)?;
            if key == "-" {
                unnamed += 1;
                key = format!("#{unnamed}");
            }
            let value = reader.value(value)?;
            if key.is_empty() {
                return Err(malformed("a line has no name before its `=`").at(span));
            }
            let comment = reader.take_comment();
            if let Some(section) = sections.last_mut() {
                section.set(Key { name: key, value, comment, span });
            }
        }
    }
    Ok(sections.into_iter().map(Section::into_entry).collect())
}

struct Section {
    name: String,
    comment: String,
    keys: Vec<Key>,
}

struct Key {
    name: String,
    value: String,
    comment: String,
    span: Span,
}

impl Section {
    /// Of a key that stands twice, the last counts, in the place of the first.
    fn set(&mut self, key: Key) {
        match self.keys.iter_mut().find(|present| present.name == key.name) {
            Some(present) => *present = key,
            None => self.keys.push(key),
        }
    }

    fn into_entry(self) -> Entry {
        let mut branch = Branch::new();
        branch.extend(comment(&self.comment));
        for key in self.keys {
            let value = Value::text(key.value);
            branch.push(Entry::Pair(Pair { key: key.name.into(), value, span: Some(key.span) }));
            branch.extend(comment(&key.comment));
        }
        pair(&self.name, Value::Branch(branch))
    }
}

/// A comment as SOPS keeps it: without its first mark.
fn comment(text: &str) -> Option<Entry> {
    let first = text.chars().next()?;
    let text = if matches!(first, ';' | '#') { text.trim_start_matches([first, ' ']) } else { text };
    Some(Entry::Comment(Comment { text: Secret::new(text), inline: false }))
}

struct Reader<'t> {
    lines: std::str::SplitInclusive<'t, char>,
    number: u32,
    file: FileId,
    /// What was said since the last section or key.
    comment: String,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let line = self.lines.next()?;
        self.number += 1;
        Some(line)
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).trim().to_owned()
    }

    /// The name of a key, and what follows its `=` or `:`.
    fn key(&self, line: &'t str) -> Result<(String, &'t str)> {
        let parted = || self.error("a line is neither a section nor `name = value`");
        let quote = if line.len() > 6 && line.starts_with("\"\"\"") {
            "\"\"\""
        } else if line.starts_with(['"', '`']) {
            &line[..1]
        } else {
            ""
        };
        let (name, rest) = match line.strip_prefix(quote) {
            Some(inner) if !quote.is_empty() => {
                inner.split_once(quote).ok_or_else(|| self.error("a name has no closing quote"))?
            }
            _ => ("", line),
        };
        let delimiter = rest.find(['=', ':']).ok_or_else(parted)?;
        let name = if quote.is_empty() { &rest[..delimiter] } else { name };
        Ok((name.trim().to_owned(), &rest[delimiter + 1..]))
    }

    fn value(&mut self, text: &'t str) -> Result<String> {
        let text = text.trim_start();
        if text.is_empty() {
            return Ok(String::new());
        }
        let quote = if text.len() > 3 && text.starts_with("\"\"\"") {
            "\"\"\""
        } else if text.starts_with('`') {
            "`"
        } else {
            ""
        };
        if !quote.is_empty() {
            let inner = &text[quote.len()..];
            return match inner.rfind(quote) {
                Some(end) => Ok(inner[..end].to_owned()),
                None => self.lines_until(inner, quote),
            };
        }
        let text = text.trim_end();
        if let Some(text) = text.strip_suffix('\\') {
            return Ok(self.continued(text));
        }
        let text = match text.find(['#', ';']) {
            Some(at) => {
                self.comment.push_str(&text[at..]);
                text[..at].trim()
            }
            None => text,
        };
        let surrounded = |quote: char| {
            let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inner.contains(quote)).then_some(inner)
        };
        Ok(surrounded('\'').or_else(|| surrounded('"')).unwrap_or(text).to_owned())
    }

    fn lines_until(&mut self, start: &str, quote: &str) -> Result<String> {
        let mut value = start.to_owned();
        let from = self.span();
        while let Some(line) = self.next() {
            if let Some(end) = line.rfind(quote) {
                value.push_str(&line[..end]);
                if let Some(at) = line[end..].find(['#', ';']) {
                    self.comment.push_str(line[end..][at..].trim());
                }
                return Ok(value);
            }
            value.push_str(line);
        }
        Err(malformed("a value has no closing quote").at(from))
    }

    /// A value whose line ends with `\` goes on with the next.
    fn continued(&mut self, start: &str) -> String {
        let mut value = start.to_owned();
        while let Some(line) = self.next() {
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            value.push_str(line);
            if !value.ends_with('\\') {
                break;
            }
            value.pop();
        }
        value
    }

    fn span(&self) -> Span {
        Span::new(self.file, self.number.max(1), 1)
    }

    fn error(&self, message: &str) -> Box<Diagnostic> {
        malformed(message).at(self.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ini::write;

    #[test]
    fn sections_keys_and_comments_come_back_as_ini_v1_prints_them() {
        let text = "top=1\n; about a\n[a]\nx = 1 ; behind\nlonger: `# no comment`\n# above\ny = \"\"\"two\nlines\"\"\"\nz = one \\\n two\nw = 'q'\n[b]\n";
        let branch = read(text.as_bytes(), FileId::new("t.ini")).expect("it can be read");
        let wanted = "top = 1\n\n; about a\n[a]\n; behind\nx      = 1\nlonger = `# no comment`\n; above\ny      = \"\"\"two\nlines\"\"\"\nz      = one two\nw      = q\n\n[b]\n";
        assert_eq!(String::from_utf8_lossy(&write(&branch).expect("it can be written")), wanted);
    }

    #[test]
    fn what_is_no_ini_is_an_error_with_its_line() {
        for text in ["x=1\n[", "x=1\n[]", "x=1\nword", "x=1\n=2", "x=1\n`a=2", "x=1\ny=`2"] {
            let error = read(text.as_bytes(), FileId::new("t.ini")).err().expect("it is none");
            assert!(error.to_string().starts_with("t.ini:2:1: "), "{text:?}: {error}");
        }
    }
}
