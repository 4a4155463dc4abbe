//! The head of a manifest that is written as nearly all are: block collections, and scalars of one line or in a block.

use super::{Head, Level, Use, key_of, level_within, use_of};
use onepane_bytes::any_byte;

/// Reads the head line by line, which takes a fraction of what its events take.
///
/// `None` for all that needs a closer look: then nothing is said about the text. What it takes is YAML, and its head is
/// what [`scan`](super::scan) makes of it.
pub(super) fn skim(text: &str) -> Option<Head> {
    let is_control = |byte: u8| (byte < b' ') & (byte != b'\n') | (byte == 0x7F);
    // What starts with these may end a line, or be no character.
    let is_wide = |byte: u8| (byte == 0xC2) | (byte == 0xE2) | (byte == 0xEF);
    if any_byte(text.as_bytes(), |byte| is_control(byte) | is_wide(byte)) {
        return None;
    }
    let mut skim =
        Skim { rest: text, open: Vec::with_capacity(16), waits: false, head: Head::default(), seen: [false; 5] };
    while let Some(line) = skim.next_line() {
        skim.line(line)?;
    }
    Some(skim.head)
}

/// Deeper ones are somebody else's to refuse.
const DEEPEST: usize = 100;
/// A key that is longer is none for go-yaml from some length on.
const LONGEST_KEY: usize = 500;

struct Skim<'t> {
    rest: &'t str,
    open: Vec<Open>,
    /// Whether the last entry of the innermost collection has no value yet, which the next lines may be.
    waits: bool,
    head: Head,
    seen: [bool; 5],
}

/// A collection that is open.
struct Open {
    indent: usize,
    mapping: bool,
    level: Level,
    key: Option<&'static str>,
}

/// A line, without the spaces around it.
#[derive(Clone, Copy)]
struct Line<'t> {
    indent: usize,
    content: &'t str,
}

/// A scalar, and whether it is plain. `None` where it does not say what is written.
type Value<'t> = Option<(&'t str, bool)>;

impl<'t> Skim<'t> {
    fn next_line(&mut self) -> Option<Line<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = onepane_bytes::find(b'\n', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        Some(Line { indent, content: line[indent..].trim_end_matches(' ') })
    }

    /// A line that begins an entry, or says nothing.
    fn line(&mut self, Line { indent, content }: Line<'t>) -> Option<()> {
        if content.is_empty() || content.starts_with('#') {
            return Some(());
        }
        while self.open.pop_if(|open| open.indent > indent).is_some() {
            self.waits = false;
        }
        let begins_item = content == "-" || content.starts_with("- ");
        if !begins_item && self.open.last().is_some_and(|open| !open.mapping && open.indent == indent) {
            // The items of a sequence may be in the column of the key that it is the value of.
            self.open.pop();
            self.waits = false;
        }
        match self.open.last() {
            None if indent == 0 && !begins_item => self.begin(0, true)?,
            Some(open) if open.indent == indent && (open.mapping != begins_item) => {}
            Some(open) if self.waits && (open.indent < indent || begins_item) => self.begin(indent, !begins_item)?,
            _ => return None,
        }
        if !begins_item {
            return self.entry(content);
        }
        let item = content[1..].trim_start_matches(' ');
        let column = indent + content.len() - item.len();
        if item.is_empty() || item.starts_with('#') {
            self.waits = true;
            return Some(());
        }
        if key(item).is_some() {
            self.begin(column, true)?;
            return self.entry(item);
        }
        self.waits = false;
        self.value(item).map(|_| ())
    }

    /// A collection, as the value of the last entry.
    fn begin(&mut self, indent: usize, mapping: bool) -> Option<()> {
        let level = match self.open.last() {
            None => Level::Document,
            Some(parent) if parent.mapping => level_within(parent.level, parent.key, mapping)?,
            Some(_) => Level::Other,
        };
        if self.open.len() > DEEPEST {
            return None;
        }
        self.open.push(Open { indent, mapping, level, key: None });
        Some(())
    }

    /// An entry of the innermost collection, a mapping.
    fn entry(&mut self, content: &'t str) -> Option<()> {
        let (name, written) = key(content)?;
        let open = self.open.last_mut()?;
        let level = open.level;
        let mut known = key_of(name, level, &mut self.seen)?;
        if level == Level::Annotations && name.starts_with("helm.sh/") {
            self.head.annotations.push((name.to_owned(), String::new()));
            known = Some("helm.sh");
        }
        open.key = known;
        self.waits = written.is_empty() || written.starts_with('#');
        if self.waits {
            return Some(());
        }
        match written.split_at_checked(2) {
            // An empty collection is one like any other.
            Some((empty @ ("{}" | "[]"), rest)) if is_end(rest) => {
                level_within(level, known, empty == "{}").map(|_| ())
            }
            _ => {
                let value = self.value(written)?;
                match use_of(&mut self.head, level, known)? {
                    Use::Nothing => Some(()),
                    used => value.and_then(|(text, plain)| used.take(text, plain)),
                }
            }
        }
    }

    /// A scalar that begins on this line, up to its end.
    fn value(&mut self, written: &'t str) -> Option<Value<'t>> {
        match written.as_bytes() {
            b"|" | b"|-" | b"|+" | b">" | b">-" | b">+" => {
                self.block()?;
                Some(None)
            }
            [b'"', ..] => double_quoted(&written[1..]),
            [b'\'', ..] => single_quoted(&written[1..]),
            [b'-', second, ..] if !matches!(second, b' ' | b'.') => plain(written),
            [first, ..] if first.is_ascii_alphanumeric() || b"_/$(^~\\;".contains(first) => plain(written),
            _ => None,
        }
    }

    /// Passes the lines of a block scalar.
    fn block(&mut self) -> Option<()> {
        let around = self.open.last()?.indent;
        let mut inside = None;
        loop {
            let before = self.rest;
            let Some(line) = self.next_line() else { break };
            if line.content.is_empty() {
                // Spaces before the first line may say how far that is indented.
                if inside.is_none() && line.indent > 0 {
                    return None;
                }
                continue;
            }
            if line.indent < *inside.get_or_insert(line.indent) || line.indent <= around {
                if line.indent > around {
                    return None;
                }
                self.rest = before;
                break;
            }
        }
        inside.filter(|inside| *inside > around).map(|_| ())
    }
}

/// Whether a line says nothing more.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ') && rest.trim_start_matches(' ').starts_with('#')
}

/// The key that a text begins with, and what stands behind it.
fn key(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let (name, end) = match bytes {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let end =
                rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'\\')).filter(|end| rest[*end] == *quote)?;
            (&text[1..=end], end + 2)
        }
        [first, rest @ ..] if first.is_ascii_alphabetic() || *first == b'_' => {
            let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
            let end = 1 + rest.iter().take_while(in_name).count();
            (&text[..end], end)
        }
        _ => return None,
    };
    match bytes[end..] {
        _ if end > LONGEST_KEY => None,
        [b':'] => Some((name, "")),
        [b':', b' ', ..] => Some((name, text[end + 1..].trim_start_matches(' '))),
        _ => None,
    }
}

fn plain(written: &str) -> Option<Value<'_>> {
    let bytes = written.as_bytes();
    for at in onepane_bytes::find_all_of_2(b':', b'#', bytes) {
        match bytes[at] {
            b':' if matches!(bytes.get(at + 1), None | Some(b' ')) => return None,
            b'#' if bytes[at - 1] == b' ' => return Some(Some((written[..at].trim_end_matches(' '), true))),
            _ => {}
        }
    }
    Some(Some((written, true)))
}

/// What stands behind the quote at its start.
fn double_quoted(rest: &str) -> Option<Value<'_>> {
    let bytes = rest.as_bytes();
    let mut from = 0;
    loop {
        let at = from + onepane_bytes::find_of_2(b'"', b'\\', &bytes[from..])?;
        if bytes[at] == b'"' {
            return is_end(&rest[at + 1..]).then(|| (from == 0).then(|| (&rest[..at], false)));
        }
        if !matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b'n' | b't' | b'/')) {
            return None;
        }
        from = at + 2;
    }
}

/// What stands behind the quote at its start.
fn single_quoted(rest: &str) -> Option<Value<'_>> {
    let bytes = rest.as_bytes();
    let mut from = 0;
    loop {
        let at = from + onepane_bytes::find(b'\'', &bytes[from..])?;
        if bytes.get(at + 1) != Some(&b'\'') {
            return is_end(&rest[at + 1..]).then(|| (from == 0).then(|| (&rest[..at], false)));
        }
        from = at + 2;
    }
}
