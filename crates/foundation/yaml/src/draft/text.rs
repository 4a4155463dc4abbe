//! Changes of a text: [`spliced`].

use super::{Change, Kind, Layout, Place};
use crate::{Content, Node, Style, write_kyaml};

/// The text with a change made; `None` where it is laid out in a way that this does not know. What is given back may
/// read as something else than meant, which the caller finds out.
pub(super) fn spliced(
    text: &str,
    layout: Option<&Layout>,
    root: &Node,
    path: &[Place<'_>],
    change: &Change,
) -> Option<String> {
    let (last, around) = path.split_last()?;
    let page = Page { text, indented: indents_sequences(root) };
    if around.is_empty() && !matches!(root.content, Content::Mapping(_)) {
        // A text without content, of which comments may be all.
        let (Place::Key(key), Change::Set(value)) = (last, change) else { return None };
        return Some(page.appended(&page.entry(key, value)));
    }
    let (mut layout, mut node) = (layout?, root);
    for place in around {
        (layout, node) = child(layout, node, *place)?;
    }
    let there = child(layout, node, *last);
    match (&layout.kind, last, change) {
        (_, _, Change::Set(value)) if there.is_some() => {
            let (old_layout, old) = there?;
            if let Some(text) = page.scalar(old_layout, old, value, in_flow(layout)) {
                return Some(text);
            }
            match (&layout.kind, last) {
                (Kind::Mapping(false, entries), Place::Key(key)) => {
                    let (key_layout, value_layout) = &entries[position(node, key)?];
                    let column = page.column(key_layout.start);
                    let entry = indented(&page.entry(key, value), column);
                    Some(page.replaced(key_layout.start, value_layout.end.max(key_layout.end + 1), entry.trim_end()))
                }
                (Kind::Sequence(false, items), Place::Item(index)) => {
                    let item = indented(&write_kyaml(value), page.column(items[*index].start));
                    Some(page.replaced(items[*index].start, items[*index].end, item.trim_end()))
                }
                _ => None,
            }
        }
        (Kind::Mapping(flow, entries), Place::Key(key), Change::Set(value)) => {
            if *flow {
                let entry = format!("{}: {}", flow_text(&Node::string(*key))?, flow_text(value)?);
                let bounds = |i: usize| (entries[i].0.start, entries[i].1.end);
                return page.flow_insert(layout, entries.len(), bounds, entries.len(), &entry);
            }
            let entry = page.entry(key, value);
            if around.is_empty() {
                return Some(page.appended(&entry));
            }
            let (key_layout, value_layout) = entries.last()?;
            let column = page.column(key_layout.start);
            let entry = format!("{}{}", " ".repeat(column), indented(&entry, column));
            Some(page.below(value_layout.end.max(key_layout.end + 1), &entry))
        }
        (Kind::Sequence(true, items), Place::Item(index), Change::Insert(value)) => {
            let bounds = |i: usize| (items[i].start, items[i].end);
            page.flow_insert(layout, items.len(), bounds, *index, &flow_text(value)?)
        }
        (Kind::Sequence(false, items), Place::Item(index), Change::Insert(value)) => {
            let column = page.column(layout.start);
            let item = write_kyaml(&Node::sequence(vec![value.clone()]));
            let item = format!("{}{}", " ".repeat(column), indented(&item, column));
            match items.get(*index) {
                None => Some(page.below(items.last()?.end.max(layout.start + 1), &item)),
                Some(next) => {
                    let line = page.with_comments(page.dash(next.start)?, column);
                    Some(page.replaced(line, line, &item))
                }
            }
        }
        (Kind::Sequence(true, items), Place::Item(index), Change::Remove) => {
            page.flow_removed(items.len(), |i| (items[i].start, items[i].end), *index)
        }
        (Kind::Mapping(true, entries), Place::Key(key), Change::Remove) => {
            page.flow_removed(entries.len(), |i| (entries[i].0.start, entries[i].1.end), position(node, key)?)
        }
        (Kind::Sequence(false, items), Place::Item(index), Change::Remove) => {
            let item = &items[*index];
            let dash = page.dash(item.start)?;
            Some(page.without_lines(page.with_comments(dash, page.column(layout.start)), item.end.max(dash + 1)))
        }
        (Kind::Mapping(false, entries), Place::Key(key), Change::Remove) => {
            let index = position(node, key)?;
            let (key_layout, value_layout) = &entries[index];
            let end = value_layout.end.max(key_layout.end + 1);
            let line = page.line_start(key_layout.start);
            if !text[line..key_layout.start].trim().is_empty() {
                // Behind the dash of an item: the next entry comes to its place.
                return Some(page.replaced(key_layout.start, entries.get(index + 1)?.0.start, ""));
            }
            // What stands above the first key is the file's.
            let first = around.is_empty() && index == 0;
            let line = if first { line } else { page.with_comments(line, page.column(key_layout.start)) };
            Some(page.without_lines(line, end))
        }
        (Kind::Mapping(_, entries), Place::Key(key), Change::Rename(name)) => {
            let (key_layout, _) = &entries[position(node, key)?];
            Some(page.replaced(key_layout.start, key_layout.end, name))
        }
        _ => None,
    }
}

fn child<'a>(layout: &'a Layout, node: &'a Node, place: Place<'_>) -> Option<(&'a Layout, &'a Node)> {
    match (&layout.kind, place) {
        (Kind::Mapping(_, entries), Place::Key(key)) => {
            let index = position(node, key)?;
            Some((&entries.get(index)?.1, &node.entries()?.get(index)?.1))
        }
        (Kind::Sequence(_, items), Place::Item(index)) => Some((items.get(index)?, node.items()?.get(index)?)),
        _ => None,
    }
}

fn position(node: &Node, key: &str) -> Option<usize> {
    node.entries()?.iter().position(|(k, _)| k.as_str() == Some(key))
}

fn in_flow(layout: &Layout) -> bool {
    matches!(layout.kind, Kind::Mapping(true, _) | Kind::Sequence(true, _))
}

/// Whether the sequences of a document's keys stand further right than the keys, as most of them do it.
fn indents_sequences(root: &Node) -> bool {
    let Some(entries) = root.entries() else { return false };
    let sequences = entries.iter().filter(|(_, value)| value.items().is_some() && value.style != Style::Flow);
    let indented = |node: &Node| node.span.is_some_and(|span| span.column > 1);
    let (yes, no): (Vec<_>, Vec<_>) = sequences.partition(|(_, value)| indented(value));
    yes.len() > no.len()
}

/// A node on one line, as it can stand between brackets.
fn flow_text(node: &Node) -> Option<String> {
    let mut node = node.clone();
    to_flow(&mut node);
    let mut list = Node::sequence(vec![node]);
    list.style = Style::Flow;
    let written = write_kyaml(&list);
    let inner = written.trim_end().strip_prefix('[')?.strip_suffix(']')?;
    (!inner.contains('\n')).then(|| inner.to_owned())
}

fn to_flow(node: &mut Node) {
    match &mut node.content {
        Content::Scalar(text) if text.contains('\n') => node.style = Style::DoubleQuoted,
        Content::Scalar(_) | Content::Alias(_) => {}
        Content::Sequence(items) => {
            node.style = Style::Flow;
            items.iter_mut().for_each(to_flow);
        }
        Content::Mapping(entries) => {
            node.style = Style::Flow;
            entries.iter_mut().for_each(|(_, value)| to_flow(value));
        }
    }
}

/// Moves all lines but the first to the right.
fn indented(text: &str, by: usize) -> String {
    let mut lines = text.split_inclusive('\n');
    let mut moved = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        if !line.trim().is_empty() {
            moved.extend(std::iter::repeat_n(' ', by));
        }
        moved.push_str(line);
    }
    moved
}

/// A text, and how its author writes.
struct Page<'a> {
    text: &'a str,
    indented: bool,
}

impl Page<'_> {
    /// The start of the line of a byte.
    fn line_start(&self, at: usize) -> usize {
        self.text[..self.text.floor_char_boundary(at)].rfind('\n').map_or(0, |at| at + 1)
    }

    /// The byte behind the line, its break included.
    fn line_end(&self, at: usize) -> usize {
        let at = self.text.floor_char_boundary(at);
        self.text[at..].find('\n').map_or(self.text.len(), |length| at + length + 1)
    }

    /// How many characters stand before a byte on its line.
    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }

    fn replaced(&self, from: usize, to: usize, by: &str) -> String {
        // Behind a key without a value may be nothing, or half of a character.
        let [from, to] = [from, to].map(|at| self.text.floor_char_boundary(at));
        let by = if self.text.contains("\r\n") { by.replace('\n', "\r\n") } else { by.to_owned() };
        [&self.text[..from], &by, &self.text[to..]].concat()
    }

    /// Puts whole lines below the line of the byte before `end`.
    fn below(&self, end: usize, lines: &str) -> String {
        let at = self.line_end(end - 1);
        if self.text[..at].ends_with('\n') {
            return self.replaced(at, at, lines);
        }
        self.replaced(at, at, &format!("\n{lines}"))
    }

    /// Puts whole lines at the end of the text.
    fn appended(&self, lines: &str) -> String {
        let at = self.text.len();
        let gap = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { "\n" };
        self.replaced(at, at, &format!("{gap}{lines}"))
    }

    /// The lines of an entry of a block mapping.
    fn entry(&self, key: &str, value: &Node) -> String {
        let text = write_kyaml(&Node::mapping(vec![(Node::string(key), value.clone())]));
        let sequence = matches!(&value.content, Content::Sequence(items) if !items.is_empty());
        if !self.indented || !sequence || value.style == Style::Flow {
            return text;
        }
        indented(&text, 2)
    }

    /// The line of the dash before an item; `None` where something else stands on that line before it.
    fn dash(&self, item: usize) -> Option<usize> {
        let dash = self.text[..item].rfind('-')?;
        let line = self.line_start(dash);
        let parted = self.text[dash + 1..item].trim().is_empty() && self.text[line..dash].trim().is_empty();
        // An item that is null is its dash.
        parted.then_some(line)
    }

    /// The start of the comments that stand right above a line, in this column.
    fn with_comments(&self, line: usize, column: usize) -> usize {
        let mut start = line;
        while start > 0 {
            let above = self.line_start(start - 1);
            let written = self.text[above..start].trim_end();
            if !written.trim_start().starts_with('#') || written.chars().take_while(|c| *c == ' ').count() != column {
                break;
            }
            start = above;
        }
        start
    }

    /// Without the lines from `line` to that of the byte before `end`; of two empty lines that then meet, one stays.
    fn without_lines(&self, line: usize, end: usize) -> String {
        let mut to = self.line_end(end - 1);
        let empty_above = line == 0 || self.text[..line].ends_with("\n\n");
        if empty_above && self.text[to..].starts_with('\n') {
            to += 1;
        }
        self.replaced(line, to, "")
    }

    /// One scalar in place of another, in its quotes.
    fn scalar(&self, layout: &Layout, old: &Node, new: &Node, flow: bool) -> Option<String> {
        if !matches!(layout.kind, Kind::Line) || old.anchor.is_some() || old.tag.is_some() || layout.start == layout.end
        {
            return None;
        }
        let Content::Scalar(_) = new.content else { return None };
        let mut new = new.clone();
        if new.style == Style::Plain && new.tag.is_some() {
            new.style = old.style;
        }
        let written = if flow {
            flow_text(&new)?
        } else {
            let text = write_kyaml(&Node::mapping(vec![(Node::scalar("k"), new)]));
            text.strip_prefix("k: ")?.trim_end().to_owned()
        };
        (!written.contains('\n')).then(|| self.replaced(layout.start, layout.end, &written))
    }

    /// An item or entry of a collection in brackets, put before the one with this index or at the end.
    fn flow_insert(
        &self,
        collection: &Layout,
        count: usize,
        bounds: impl Fn(usize) -> (usize, usize),
        index: usize,
        written: &str,
    ) -> Option<String> {
        if count == 0 {
            return Some(self.replaced(collection.start + 1, collection.end - 1, written));
        }
        let own_line = |at: usize| {
            let line = self.line_start(at);
            let space = &self.text[line..at];
            if line > 0 && space.trim().is_empty() { format!(",\n{space}") } else { ", ".to_owned() }
        };
        if index < count {
            let (start, _) = bounds(index);
            return Some(self.replaced(start, start, &format!("{written}{}", own_line(start))));
        }
        let (start, end) = bounds(count - 1);
        Some(self.replaced(end, end, &format!("{}{written}", own_line(start))))
    }

    fn flow_removed(&self, count: usize, bounds: impl Fn(usize) -> (usize, usize), index: usize) -> Option<String> {
        let (start, end) = bounds(index);
        let (from, to) = match index {
            0 if count > 1 => (start, bounds(1).0),
            0 => (start, end),
            _ => (bounds(index - 1).1, end),
        };
        Some(self.replaced(from, to, ""))
    }
}
