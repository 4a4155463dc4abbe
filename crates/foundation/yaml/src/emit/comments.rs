//! Comments on their way to the page: [`Remarks`].

use super::Emitter;
use super::page::Ending;

/// The comments that go with a node, or with a collection's end; see [`Emitter::remark`]. `#` is added to lines that
/// have none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remarks<'a> {
    /// The foot comment of the key before, which stands under that one's whole value.
    pub tail: &'a str,
    /// On the lines before the node.
    pub head: &'a str,
    /// Behind it on its line.
    pub line: &'a str,
    /// On the lines under it.
    pub foot: &'a str,
}

/// Comments that wait for a place to be written at. go-yaml keeps one of each sort: one that finds no place on its own
/// node goes to the next that has one, unless a newer one takes its seat.
#[derive(Default)]
pub(super) struct Waiting {
    tail: String,
    head: String,
    line: String,
    foot: String,
    /// The line comment of a key, which stands behind its value or behind the `:`.
    key_line: String,
}

impl Waiting {
    /// Keeps a key's line comment from being written behind the key.
    pub(super) fn set_aside(&mut self) {
        if !self.line.is_empty() {
            self.key_line = std::mem::take(&mut self.line);
        }
    }

    /// Lets the key's line comment be written, unless another waits.
    pub(super) fn take_up(&mut self) {
        if self.line.is_empty() && !self.key_line.is_empty() {
            self.line = std::mem::take(&mut self.key_line);
        }
    }
}

impl Emitter {
    /// What is said around the node that comes next or the collection that ends next. What is empty leaves what
    /// waits already.
    pub fn remark(&mut self, remarks: Remarks<'_>) {
        let seats = [
            (&mut self.waiting.tail, remarks.tail),
            (&mut self.waiting.head, remarks.head),
            (&mut self.waiting.line, remarks.line),
            (&mut self.waiting.foot, remarks.foot),
        ];
        for (seat, remark) in seats {
            if !remark.is_empty() {
                remark.clone_into(seat);
            }
        }
    }

    /// Writes the comment at a document's top and the empty line behind it.
    pub fn document_head(&mut self, head: &str) {
        if !head.is_empty() {
            self.write_lines(head, 0, false);
            self.page.end_line();
            self.page.end_line();
        }
    }

    /// Writes the comment at a document's end, an empty line before it.
    pub(super) fn write_document_foot(&mut self) {
        let foot = std::mem::take(&mut self.waiting.foot);
        if !foot.is_empty() {
            self.page.empty_line();
            self.write_lines(&foot, 0, false);
        }
    }

    /// Writes the comment on the lines before a node.
    pub(super) fn write_head(&mut self) {
        let head = std::mem::take(&mut self.waiting.head);
        if head.is_empty() {
            return;
        }
        let column = self.column();
        if self.page.ending() == Ending::Hook {
            self.page.space();
        } else {
            self.page.start_line(column);
        }
        self.write_lines(&head, column, false);
        self.page.end_line();
    }

    /// Writes the foot comment of the key before.
    pub(super) fn write_tail(&mut self) {
        let tail = std::mem::take(&mut self.waiting.tail);
        self.write_under(&tail);
    }

    /// Writes the comma behind an entry within brackets, which goes before its comments.
    fn write_comma(&mut self) {
        if let Some(level) = self.levels.last_mut()
            && level.kind.is_flow()
            && level.count > 0
            && !std::mem::replace(&mut level.comma, true)
        {
            self.page.push(",");
        }
    }

    /// Writes what waits at the end of a mapping.
    pub(super) fn write_last(&mut self) {
        if !(self.waiting.tail.is_empty() && self.waiting.head.is_empty() && self.waiting.foot.is_empty()) {
            self.write_comma();
        }
        self.write_tail();
        self.write_head();
    }

    /// Writes the comments behind and under an entry.
    pub(super) fn write_behind_entry(&mut self) {
        if !(self.waiting.line.is_empty() && self.waiting.foot.is_empty()) {
            self.write_comma();
            self.write_behind();
        }
    }

    /// Writes the comments behind and under a node.
    pub(super) fn write_behind(&mut self) {
        self.write_line();
        let foot = std::mem::take(&mut self.waiting.foot);
        self.write_under(&foot);
    }

    /// Writes a key's line comment behind the `:`.
    pub(super) fn write_key_line(&mut self) {
        let line = std::mem::take(&mut self.waiting.key_line);
        self.write_on_line(&line);
    }

    /// Writes the comment behind a node, which ends the line.
    fn write_line(&mut self) {
        let line = std::mem::take(&mut self.waiting.line);
        self.write_on_line(&line);
    }

    fn write_on_line(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        let behind = matches!(self.page.ending(), Ending::Hook | Ending::Word);
        self.page.space();
        self.write_lines(line, self.column(), behind);
        self.page.end_line();
    }

    /// Writes the line comment of a block scalar behind its header.
    pub(super) fn write_block_comment(&mut self, column: usize) {
        let line = std::mem::take(&mut self.waiting.line);
        if !line.is_empty() {
            self.page.space();
            self.write_lines(&line, column, false);
            self.page.end_line();
        }
    }

    fn write_under(&mut self, comment: &str) {
        if comment.is_empty() {
            return;
        }
        let column = self.column();
        self.page.start_line(column);
        self.write_lines(comment, column, false);
        self.page.end_line();
        self.page.mark_foot(column);
    }

    /// The column of comments.
    fn column(&self) -> usize {
        self.levels.last().map_or(0, |level| level.column)
    }

    fn write_lines(&mut self, comment: &str, column: usize, behind: bool) {
        for (index, line) in comment.trim_end_matches('\n').split('\n').enumerate() {
            if index > 0 {
                self.page.end_line();
                if index == 1 && behind && column == 0 {
                    self.page.end_line();
                }
            }
            if line.is_empty() {
                continue;
            }
            if index > 0 {
                self.page.start_line(column);
            }
            if !line.starts_with('#') {
                self.page.push("# ");
            }
            self.page.push(line);
        }
    }
}
