//! Comments, and the tokens that they belong to, as go-yaml v3 assigns them.
//!
//! A comment behind something on its line is that thing's line comment. Comments on lines of their own are the head of
//! what follows, unless an empty line parts them from it and none from what stands before (then they are that one's
//! foot), or their indentation says that they belong to a block that ends here.

use super::characters::{break_width, byte, is_blank};
use super::scanner::Scanner;
use super::token::{Mark, TokenKind};

/// The comments read so far that no event has taken.
#[derive(Default)]
pub(super) struct CommentQueue {
    pub(super) waiting: std::collections::VecDeque<Comment>,
}

/// A comment of one or more lines.
pub(super) struct Comment {
    pub(super) place: Place,
    pub(super) text: String,
    /// Where the blanks before it begin.
    scan: Mark,
    /// The token that it belongs to begins here or before.
    pub(super) owner: Mark,
    start: Mark,
    end: Mark,
}

/// Where a comment stands beside its owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Head,
    Line,
    Foot,
}

/// How far go-yaml looks ahead for a comment.
const LOOKAHEAD: usize = 512;

impl CommentQueue {
    /// Moves the mark of a block's end before the comments that are indented as the block that ends.
    pub(super) fn before(&self, mark: &mut Mark, indent: i32) {
        let mut stop = mark.offset;
        for comment in self.waiting.iter().rev() {
            if comment.end.offset < stop {
                break;
            }
            if comment.start.column as i32 == indent + 1 {
                *mark = comment.start;
            }
            stop = comment.scan.offset;
        }
    }
}

impl Scanner<'_> {
    fn add_comment(&mut self, comment: Comment) {
        if let Some(comments) = &mut self.comments {
            comments.waiting.push_back(comment);
        }
    }

    /// Reads the comment behind a token on its line.
    pub(super) fn scan_line_comment(&mut self, owner: Mark) {
        if self.newlines > 0 {
            return;
        }
        let blanks = (0..LOOKAHEAD).find(|ahead| !is_blank(self.byte(*ahead)));
        let Some(blanks) = blanks.filter(|ahead| self.byte(*ahead) == b'#') else { return };
        self.at += blanks;
        let start = self.mark();
        self.skip_rest_of_line();
        let text = self.text[start.offset as usize..self.at].to_owned();
        let none = Mark::default();
        self.add_comment(Comment { place: Place::Line, text, scan: none, owner, start, end: none });
    }

    /// A comment behind a first `-` with more content under it on the next line is the head of that content.
    pub(super) fn promote_entry_comment(&mut self) {
        let mark = self.mark();
        let Some(comments) = &mut self.comments else { return };
        let Some(comment) = comments.waiting.back_mut() else { return };
        let Some([before, last]) = self.tokens.len().checked_sub(2).map(|at| [&self.tokens[at], &self.tokens[at + 1]])
        else {
            return;
        };
        if comment.place == Place::Line
            && matches!(before.kind, TokenKind::BlockSequenceStart)
            && matches!(last.kind, TokenKind::BlockEntry)
            && break_width(self.bytes, self.at) == 0
        {
            comment.place = Place::Head;
            if comment.start.line + 1 == mark.line {
                comment.owner = mark;
            }
        }
    }

    /// Reads comments on lines of their own, starting at a `#`.
    pub(super) fn scan_comments(&mut self, mut scan: Mark) {
        let Some(mut token) = self.tokens.back() else {
            self.scan_comments_after(&mut scan, Mark::default(), false);
            return;
        };
        if matches!(token.kind, TokenKind::FlowEntry) && self.tokens.len() > 1 {
            token = &self.tokens[self.tokens.len() - 2];
        }
        let (owner, is_value) = (token.start, matches!(token.kind, TokenKind::Value));
        self.scan_comments_after(&mut scan, owner, is_value);
    }

    fn scan_comments_after(&mut self, scan: &mut Mark, mut owner: Mark, after_value: bool) {
        let next_indent = self.indent.max(0);
        let mut text = String::new();
        let mut start = Mark::default();
        let mut recent_empty = false;
        let mut first_empty = self.newlines <= 1;
        let mut line = self.line;
        let mut column = self.column() as u32;
        // The line on which a comment must begin to be the foot of what stands before it.
        let mut foot_line = None;
        if scan.line > 0 {
            let below = i64::from(self.line) - i64::from(self.newlines) + 1;
            foot_line = Some(below + i64::from(self.newlines == 0 && self.column() > 1));
        }
        // The first comment's `#` stands here; the lines behind it are looked at without being consumed, because they
        // are only if another comment follows.
        let mut ahead = 0;
        while ahead < LOOKAHEAD {
            let at = self.at + ahead;
            column += 1;
            let first = byte(self.bytes, at);
            if is_blank(first) {
                ahead += 1;
                continue;
            }
            let here = Mark { offset: at as u32, line, column };
            let closes_flow = self.flow_level > 0 && matches!(first, b']' | b'}');
            let break_width = break_width(self.bytes, at);
            if closes_flow || break_width > 0 || at >= self.bytes.len() {
                if closes_flow || !recent_empty {
                    let dedented = start.column as i32 - 1 < next_indent;
                    let below = foot_line == Some(i64::from(start.line)) && !after_value;
                    if closes_flow || first_empty && (below || dedented) {
                        if !text.is_empty() {
                            if dedented {
                                owner = start;
                            }
                            let text = std::mem::take(&mut text);
                            self.add_comment(Comment {
                                place: Place::Foot,
                                text,
                                scan: *scan,
                                owner,
                                start,
                                end: here,
                            });
                            *scan = here;
                            owner = here;
                        }
                    } else if !text.is_empty() && at < self.bytes.len() {
                        text.push('\n');
                    }
                }
                if break_width == 0 {
                    break;
                }
                first_empty = false;
                recent_empty = true;
                column = 0;
                line += 1;
                ahead += 1;
                continue;
            }
            if !text.is_empty() && (column as i32 - 1) < next_indent && column != start.column {
                let text = std::mem::take(&mut text);
                self.add_comment(Comment { place: Place::Foot, text, scan: *scan, owner, start, end: here });
                *scan = here;
                owner = here;
            }
            if first != b'#' {
                break;
            }
            if text.is_empty() {
                start = here;
            } else {
                text.push('\n');
            }
            recent_empty = false;
            while self.at < at {
                if self.skip_break() == 0 {
                    self.at += 1;
                }
            }
            self.skip_rest_of_line();
            text.push_str(&self.text[at..self.at]);
            line = self.line;
            column = 0;
            // go-yaml steps over the line break's first byte before it looks again.
            ahead = 1;
        }
        if !text.is_empty() {
            let end = Mark { offset: (self.at + ahead).saturating_sub(1) as u32, line, column };
            self.add_comment(Comment { place: Place::Head, text, scan: *scan, owner: start, start, end });
        }
    }
}
