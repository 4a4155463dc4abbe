//! Comments on their way out. Only go-yaml v3 has them.

use super::emitter::{Emitter, Upcoming};
use crate::Comments;

/// Comments that are to be written with the nodes around them.
pub(super) struct Pending {
    head: Box<str>,
    line: Box<str>,
    foot: Box<str>,
    /// The foot of the key before.
    tail: Box<str>,
    /// The line comment of a key whose value does not stand on its line.
    key_line: Box<str>,
    /// The indentation of the last foot comment: an empty line parts it from what follows there.
    pub(super) foot_indent: i32,
}

impl Default for Pending {
    fn default() -> Self {
        let [head, line, foot, tail, key_line] = Default::default();
        Self { head, line, foot, tail, key_line, foot_indent: -1 }
    }
}

impl Pending {
    pub(super) fn none_behind(&self) -> bool {
        self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty()
    }
}

impl Emitter {
    /// The comments of the scalar or alias that comes next.
    pub fn comment(&mut self, comments: &Comments) {
        self.comment_head(&comments.head);
        self.comment_behind(&comments.line, &comments.foot);
    }

    /// The comment before the node that comes next.
    pub fn comment_head(&mut self, head: &str) {
        if !head.is_empty() {
            self.comments.head = head.into();
        }
    }

    /// The comments on the line and under the end of the collection that ends next.
    pub fn comment_behind(&mut self, line: &str, foot: &str) {
        if !line.is_empty() {
            self.comments.line = line.into();
        }
        if !foot.is_empty() {
            self.comments.foot = foot.into();
        }
    }

    /// The foot comment of the key before the next event.
    pub fn comment_tail(&mut self, tail: &str) {
        if !tail.is_empty() {
            self.comments.tail = tail.into();
        }
    }

    /// Writes the comment at a document's top and the empty line behind it.
    pub fn document_head(&mut self, head: &str) {
        if !head.is_empty() {
            self.comments.head = head.into();
            self.head_comment();
            self.put_break();
        }
    }

    /// The comment at the document's end; [`Emitter::end_document`] writes it.
    pub fn document_foot(&mut self, foot: &str) {
        if !foot.is_empty() {
            self.comments.foot = foot.into();
        }
    }

    pub(super) fn end_document_comments(&mut self) {
        self.comments.foot_indent = 0;
        self.foot_comment();
        self.comments.foot_indent = -1;
    }

    pub(super) fn head_comment(&mut self) {
        if !self.comments.tail.is_empty() {
            let tail = std::mem::take(&mut self.comments.tail);
            self.write_indent();
            self.write_comment(&tail);
            self.comments.foot_indent = self.indent.max(0);
        }
        if !self.comments.head.is_empty() {
            let head = std::mem::take(&mut self.comments.head);
            self.write_indent();
            self.write_comment(&head);
        }
    }

    pub(super) fn line_comment(&mut self) {
        if self.comments.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.comments.line);
        if !self.whitespace {
            self.write_run(" ");
        }
        self.write_comment(&line);
    }

    fn foot_comment(&mut self) {
        if self.comments.foot.is_empty() {
            return;
        }
        let foot = std::mem::take(&mut self.comments.foot);
        self.write_indent();
        self.write_comment(&foot);
        self.comments.foot_indent = self.indent.max(0);
    }

    pub(super) fn line_and_foot_comments(&mut self) {
        self.line_comment();
        self.foot_comment();
    }

    /// The line comment under a block scalar's header, or the line's end.
    pub(super) fn header_comment(&mut self) {
        if self.comments.line.is_empty() {
            self.put_break();
        } else {
            self.line_comment();
        }
    }

    pub(super) fn save_key_comment(&mut self) {
        if !self.comments.line.is_empty() {
            self.comments.key_line = std::mem::take(&mut self.comments.line);
        }
    }

    /// The line comment of a key goes behind a scalar that follows it, or before a block that does.
    pub(super) fn key_comment_before(&mut self, upcoming: Upcoming) {
        if self.comments.key_line.is_empty() {
            return;
        }
        match upcoming {
            Upcoming::Scalar if self.comments.line.is_empty() => {
                self.comments.line = std::mem::take(&mut self.comments.key_line);
            }
            Upcoming::BlockCollection => {
                std::mem::swap(&mut self.comments.line, &mut self.comments.key_line);
                self.line_comment();
                std::mem::swap(&mut self.comments.line, &mut self.comments.key_line);
            }
            _ => {}
        }
    }

    /// The comments before the bracket that ends a flow mapping.
    pub(super) fn comments_before_flow_end(&mut self, comma_written: bool) {
        let some = !(self.comments.head.is_empty() && self.comments.foot.is_empty() && self.comments.tail.is_empty());
        if some && !comma_written {
            self.write_indicator(",", false, false, false);
        }
        self.head_comment();
    }

    fn write_comment(&mut self, comment: &str) {
        for (index, line) in comment.lines().enumerate() {
            if index > 0 {
                self.put_break();
            }
            if line.is_empty() {
                continue;
            }
            if index > 0 {
                self.write_indent();
            }
            if !line.starts_with('#') {
                self.write_run("# ");
            }
            self.write_run(line);
            self.indention = false;
        }
        self.put_break();
        self.whitespace = true;
    }
}
