//! [`Scanner`] cuts a text into tokens.
//!
//! Block structure is told by indentation, and whether a scalar is a key is known only at the `:` behind it: the
//! scanner remembers where a key may have begun and puts the missing tokens there once it sees the `:`.

use super::characters::{break_width, byte, find_forbidden, is_blank, is_blank_or_end, is_break_or_end, is_word};
use super::comments::CommentQueue;
use super::error::{Stage, SyntaxError};
use super::token::{Mark, Token, TokenKind};
use crate::MAX_DEPTH;
use crate::Style;
use std::collections::VecDeque;

pub(super) type Scanned<T> = Result<T, Box<SyntaxError>>;

/// Cuts a text into tokens; [`Scanner::peek`] and [`Scanner::next`] hand them out.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) line_start: usize,
    /// Line breaks since the last character that is not blank.
    pub(super) newlines: u32,
    pub(super) indent: i32,
    indents: Vec<i32>,
    pub(super) flow_level: usize,
    pub(super) simple_key_allowed: bool,
    /// For each flow level where a key may have begun; their token numbers never fall.
    keys: Vec<SimpleKey>,
    pub(super) tokens: VecDeque<Token<'a>>,
    taken: usize,
    /// Present where comments are wanted.
    pub(super) comments: Option<CommentQueue>,
}

/// Where a key without `?` may have begun.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// It stands where only a key may stand.
    required: bool,
    /// go-yaml has lost sight of it and hands out its tokens: what happens to `[]` and `{}` at their end.
    forgotten: bool,
    token: usize,
    mark: Mark,
}

impl<'a> Scanner<'a> {
    /// Starts on `text`. Comments are collected only where `comments` are wanted, which costs time.
    pub(super) fn new(text: &'a str, comments: bool) -> Scanned<Self> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        if text.len() >= i32::MAX as usize {
            return Err(SyntaxError::new(Stage::Reader, "a text of 2 GiB or more is not read", Mark::default()));
        }
        let bytes = text.as_bytes();
        if let Some(at) = find_forbidden(bytes) {
            let before = &bytes[..at];
            let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
            let line = before.iter().filter(|b| **b == b'\n').count() as u32;
            let mark = Mark { offset: at as u32, line, column: (at - line_start) as u32 };
            return Err(SyntaxError::new(Stage::Reader, "control characters are not allowed", mark));
        }
        Ok(Self {
            text,
            bytes,
            at: 0,
            line: 0,
            line_start: 0,
            newlines: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            keys: vec![SimpleKey::default()],
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            comments: comments.then(CommentQueue::default),
        })
    }

    /// The next token, which stays.
    #[inline]
    pub(super) fn peek(&mut self) -> Scanned<&Token<'a>> {
        self.fill()?;
        Ok(self.tokens.front().expect("fill leaves a token"))
    }

    /// The next token, which is taken.
    #[inline]
    pub(super) fn next(&mut self) -> Scanned<Token<'a>> {
        self.fill()?;
        self.taken += 1;
        Ok(self.tokens.pop_front().expect("fill leaves a token"))
    }

    #[inline]
    pub(super) fn mark(&self) -> Mark {
        Mark { offset: self.at as u32, line: self.line, column: (self.at - self.line_start) as u32 }
    }

    #[inline]
    pub(super) fn column(&self) -> usize {
        self.at - self.line_start
    }

    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        byte(self.bytes, self.at + ahead)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Steps over `count` bytes of a line that are not all blank.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
        self.newlines = 0;
    }

    /// Steps over a line break, if there is one; says how wide it was.
    #[inline]
    pub(super) fn skip_break(&mut self) -> usize {
        let width = break_width(self.bytes, self.at);
        if width > 0 {
            self.at += width;
            self.line += 1;
            self.line_start = self.at;
            self.newlines += 1;
        }
        width
    }

    /// Steps over a line break and appends what it stands for: LS and PS themselves, LF for all others.
    pub(super) fn read_break(&mut self, into: &mut String) {
        let start = self.at;
        match self.skip_break() {
            0 => {}
            3 => into.push_str(&self.text[start..self.at]),
            _ => into.push('\n'),
        }
    }

    pub(super) fn error(&self, what: &'static str, start: Mark, problem: &'static str) -> Box<SyntaxError> {
        SyntaxError::new(Stage::Scanner, problem, self.mark()).within(what, start)
    }

    /// Whether `---` or `...` stands here at the start of a line.
    #[inline]
    pub(super) fn at_document_indicator(&self) -> bool {
        self.at == self.line_start
            && (self.bytes[self.at..].starts_with(b"---") || self.bytes[self.at..].starts_with(b"..."))
            && is_blank_or_end(self.bytes, self.at + 3)
    }

    /// Scans until the first token is certain: as long as it may turn out to be a key, more must be read. Comments
    /// are assigned by looking two tokens further.
    fn fill(&mut self) -> Scanned<()> {
        let ahead = if self.comments.is_some() { 2 } else { 0 };
        loop {
            if self.tokens.len() > ahead && !self.head_may_be_key()? {
                return Ok(());
            }
            self.fetch()?;
        }
    }

    fn head_may_be_key(&mut self) -> Scanned<bool> {
        let head = self.taken;
        // Nearly always there is one level only.
        let first = if self.keys.len() == 1 { 0 } else { self.keys.partition_point(|key| key.token < head) };
        for index in first..self.keys.len() {
            let key = self.keys[index];
            if key.token != head {
                break;
            }
            if key.possible && !key.forgotten {
                return self.key_is_valid(index);
            }
        }
        Ok(false)
    }

    /// A key without `?` must end on its line and within 1024 characters.
    fn key_is_valid(&mut self, index: usize) -> Scanned<bool> {
        let key = self.keys[index];
        if !key.possible {
            return Ok(false);
        }
        let start = key.mark.offset as usize;
        let length = self.at.saturating_sub(start);
        let too_long = length > 1024
            && (length > 4096 || self.bytes[start..self.at].iter().filter(|b| **b & 0xC0 != 0x80).count() > 1024);
        if key.mark.line == self.line && !too_long {
            return Ok(true);
        }
        if key.required {
            return Err(self.error("this simple key", key.mark, "could not find expected ':'"));
        }
        self.keys[index].possible = false;
        Ok(false)
    }

    fn save_key(&mut self) -> Scanned<()> {
        if self.simple_key_allowed {
            self.drop_key()?;
            let key = SimpleKey {
                possible: true,
                required: self.flow_level == 0 && self.indent == self.column() as i32,
                forgotten: false,
                token: self.taken + self.tokens.len(),
                mark: self.mark(),
            };
            *self.keys.last_mut().expect("there is a key for each level and one more") = key;
        }
        Ok(())
    }

    fn drop_key(&mut self) -> Scanned<()> {
        let key = *self.keys.last().expect("there is a key for each level and one more");
        if key.possible && key.required {
            return Err(self.error("this simple key", key.mark, "could not find expected ':'"));
        }
        self.keys.last_mut().expect("there is a key for each level and one more").possible = false;
        Ok(())
    }

    fn push(&mut self, kind: TokenKind<'a>, start: Mark) {
        let end = self.mark();
        self.tokens.push_back(Token { kind, start, end });
    }

    /// Opens a block collection where the column is deeper than the last. `token` is the number of the token that it
    /// goes before; without it, it goes behind the last one.
    fn roll(&mut self, mark: Mark, token: Option<usize>, kind: TokenKind<'a>) -> Scanned<()> {
        if self.flow_level > 0 || self.indent >= mark.column as i32 {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = mark.column as i32;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error("here", mark, "exceeded max depth of 1000"));
        }
        let index = token.and_then(|token| token.checked_sub(self.taken)).unwrap_or(self.tokens.len());
        self.tokens.insert(index, Token { kind, start: mark, end: mark });
        Ok(())
    }

    /// Closes the block collections that are deeper than `column`. `scan` is where the blanks before this token
    /// begin: a comment among them that is indented as the closed block is, belongs behind it.
    fn unroll(&mut self, column: i32, scan: Mark) {
        if self.flow_level > 0 || self.indent <= column {
            return;
        }
        let mut mark = Mark { offset: scan.offset.saturating_sub(1), ..scan };
        let without_comments = self.mark();
        while self.indent > column {
            let place = match &self.comments {
                Some(comments) => {
                    comments.before(&mut mark, self.indent);
                    mark
                }
                None => without_comments,
            };
            self.tokens.push_back(Token { kind: TokenKind::BlockEnd, start: place, end: place });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch(&mut self) -> Scanned<()> {
        let scan = self.mark();
        self.skip_to_token(scan);
        self.unroll(self.column() as i32, scan);
        if self.at_end() {
            return self.fetch_stream_end();
        }
        if self.at == self.line_start {
            if self.byte(0) == b'%' {
                return self.fetch_directive();
            }
            if self.at_document_indicator() {
                return self.fetch_document_indicator();
            }
        }
        if self.comments.is_none() {
            return self.fetch_token();
        }
        let mut owner = self.mark();
        if let Some(last) = self.tokens.back() {
            let first = self.byte(0);
            if self.flow_level == 0 && first == b':' || self.flow_level > 0 && first == b',' {
                owner = last.start;
            }
        }
        self.fetch_token()?;
        if !matches!(self.tokens.back(), Some(Token { kind: TokenKind::BlockEntry, .. })) {
            self.scan_line_comment(owner);
        }
        Ok(())
    }

    fn fetch_token(&mut self) -> Scanned<()> {
        let flow = self.flow_level > 0;
        match self.byte(0) {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if is_blank_or_end(self.bytes, self.at + 1) => self.fetch_block_entry(),
            b'?' if flow || is_blank_or_end(self.bytes, self.at + 1) => self.fetch_key(),
            b':' if flow || is_blank_or_end(self.bytes, self.at + 1) => self.fetch_value(),
            b'*' => self.fetch_anchor(TokenKind::Alias, "this alias"),
            b'&' => self.fetch_anchor(TokenKind::Anchor, "this anchor"),
            b'!' => self.fetch_tag(),
            b'|' if !flow => self.fetch_block_scalar(Style::Literal),
            b'>' if !flow => self.fetch_block_scalar(Style::Folded),
            b'\'' => self.fetch_quoted(Style::SingleQuoted),
            b'"' => self.fetch_quoted(Style::DoubleQuoted),
            // Only blanks that may not stand here are left by `skip_to_token`, so this `-` starts a word.
            b'-' => self.fetch_plain(),
            b'?' | b':' if !flow => self.fetch_plain(),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'?' | b':' => {
                let mark = self.mark();
                Err(self.error("here", mark, "found character that cannot start any token"))
            }
            _ => self.fetch_plain(),
        }
    }

    fn fetch_stream_end(&mut self) -> Scanned<()> {
        if self.at != self.line_start {
            self.line_start = self.at;
            self.line += 1;
        }
        self.close_blocks()?;
        let mark = self.mark();
        self.push(TokenKind::StreamEnd, mark);
        Ok(())
    }

    /// What ends all open blocks: a document's end, a directive.
    fn close_blocks(&mut self) -> Scanned<()> {
        self.unroll(-1, self.mark());
        self.drop_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn fetch_document_indicator(&mut self) -> Scanned<()> {
        self.close_blocks()?;
        let start = self.mark();
        let kind = if self.byte(0) == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
        self.skip(3);
        self.push(kind, start);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Scanned<()> {
        self.close_blocks()?;
        let start = self.mark();
        let kind = self.scan_directive(start)?;
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Scanned<()> {
        self.save_key()?;
        let start = self.mark();
        self.keys.push(SimpleKey { token: self.taken + self.tokens.len(), mark: start, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.error("here", start, "exceeded max depth of 1000"));
        }
        self.simple_key_allowed = true;
        self.skip(1);
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Scanned<()> {
        self.drop_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let (Some(inner), Some(outer)) = (self.keys.pop(), self.keys.last_mut())
                && inner.token == outer.token
            {
                outer.forgotten = true;
            }
        }
        self.simple_key_allowed = false;
        let start = self.mark();
        self.skip(1);
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Scanned<()> {
        self.drop_key()?;
        self.simple_key_allowed = true;
        let start = self.mark();
        self.skip(1);
        self.push(TokenKind::FlowEntry, start);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scanned<()> {
        let start = self.mark();
        // In a flow collection it is wrong too, but the parser has the better words for it.
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                let problem = "block sequence entries are not allowed in this context";
                return Err(SyntaxError::new(Stage::Scanner, problem, start));
            }
            self.roll(start, None, TokenKind::BlockSequenceStart)?;
        }
        self.drop_key()?;
        self.simple_key_allowed = true;
        self.skip(1);
        self.push(TokenKind::BlockEntry, start);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scanned<()> {
        let start = self.mark();
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                let problem = "mapping keys are not allowed in this context";
                return Err(SyntaxError::new(Stage::Scanner, problem, start));
            }
            self.roll(start, None, TokenKind::BlockMappingStart)?;
        }
        self.drop_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.skip(1);
        self.push(TokenKind::Key, start);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scanned<()> {
        let start = self.mark();
        let level = self.keys.len() - 1;
        if self.key_is_valid(level)? {
            let key = self.keys[level];
            // Behind everything where its tokens are gone, which the parser then finds out of place.
            let index = key.token.checked_sub(self.taken).unwrap_or(self.tokens.len());
            self.tokens.insert(index, Token { kind: TokenKind::Key, start: key.mark, end: key.mark });
            self.roll(key.mark, Some(key.token), TokenKind::BlockMappingStart)?;
            self.keys[level].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    let problem = "mapping values are not allowed in this context";
                    return Err(SyntaxError::new(Stage::Scanner, problem, start));
                }
                self.roll(start, None, TokenKind::BlockMappingStart)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.skip(1);
        self.push(TokenKind::Value, start);
        Ok(())
    }

    fn fetch_anchor(&mut self, kind: fn(&'a str) -> TokenKind<'a>, what: &'static str) -> Scanned<()> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.mark();
        self.skip(1);
        let name = self.at;
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        let ends = is_blank_or_end(self.bytes, self.at)
            || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if self.at == name || !ends {
            return Err(self.error(what, start, "did not find expected alphabetic or numeric character"));
        }
        self.push(kind(&self.text[name..self.at]), start);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.mark();
        let (handle, suffix) = self.scan_tag(start)?;
        self.push(TokenKind::Tag(Box::new((handle, suffix))), start);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, style: Style) -> Scanned<()> {
        self.drop_key()?;
        self.simple_key_allowed = true;
        let token = self.scan_block_scalar(style)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_quoted(&mut self, style: Style) -> Scanned<()> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_quoted(style)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_plain(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_plain()?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// Steps over blanks, comments and line breaks. A tab may not stand where it could be taken for indentation.
    fn skip_to_token(&mut self, scan: Mark) {
        loop {
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.byte(0) == b' ' || tabs && self.byte(0) == b'\t' {
                self.at += 1;
            }
            self.promote_entry_comment();
            if self.byte(0) == b'#' {
                if self.comments.is_some() {
                    self.scan_comments(scan);
                } else {
                    self.skip_rest_of_line();
                }
            }
            if self.skip_break() == 0 {
                return;
            }
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    pub(super) fn skip_rest_of_line(&mut self) {
        while !is_break_or_end(self.bytes, self.at) {
            self.at += 1;
        }
        self.newlines = 0;
    }

    pub(super) fn skip_blanks(&mut self) {
        while is_blank(self.byte(0)) {
            self.at += 1;
        }
    }
}
