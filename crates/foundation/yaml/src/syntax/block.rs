//! Block scalars: `|` and `>`.

use super::characters::{break_width, is_blank, is_break_or_end};
use super::scanner::{Scanned, Scanner};
use super::token::{Mark, Token, TokenKind};
use crate::Style;
use std::borrow::Cow;

/// What happens to the line breaks at the end.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    /// Scans a literal or folded scalar.
    pub(super) fn scan_block_scalar(&mut self, style: Style) -> Scanned<Token<'a>> {
        let start = self.mark();
        self.skip(1);
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut end = self.mark();
        let mut indent = match increment {
            0 => 0,
            _ if self.indent >= 0 => self.indent as usize + increment,
            _ => increment,
        };
        let mut value = String::new();
        let mut first_break = String::new();
        let mut more_breaks = String::new();
        self.scan_block_breaks(&mut indent, &mut more_breaks, start, &mut end)?;
        let mut after_blank = false;
        while self.column() == indent && !self.at_end() {
            let blank = is_blank(self.byte(0));
            let folds = style == Style::Folded && !after_blank && !blank && first_break == "\n";
            if folds {
                if more_breaks.is_empty() {
                    value.push(' ');
                }
            } else {
                value.push_str(&first_break);
            }
            first_break.clear();
            value.push_str(&more_breaks);
            more_breaks.clear();
            after_blank = blank;
            let line = self.at;
            while !is_break_or_end(self.bytes, self.at) {
                self.at += 1;
            }
            value.push_str(&self.text[line..self.at]);
            if !self.bytes[line..self.at].iter().all(|byte| is_blank(*byte)) {
                self.newlines = 0;
            }
            self.read_break(&mut first_break);
            self.scan_block_breaks(&mut indent, &mut more_breaks, start, &mut end)?;
        }
        if chomping != Chomping::Strip {
            value.push_str(&first_break);
        }
        if chomping == Chomping::Keep {
            value.push_str(&more_breaks);
        }
        Ok(Token { kind: TokenKind::Scalar(Cow::Owned(value), style), start, end })
    }

    /// The indicators behind `|` or `>`, a comment and the line's end.
    fn scan_block_header(&mut self, start: Mark) -> Scanned<(Chomping, usize)> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        // Each indicator at most once, in either order.
        for _ in 0..2 {
            match self.byte(0) {
                b'+' if chomping == Chomping::Clip => chomping = Chomping::Keep,
                b'-' if chomping == Chomping::Clip => chomping = Chomping::Strip,
                b'0' if increment == 0 => {
                    return Err(self.error("this block scalar", start, "found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = usize::from(digit - b'0'),
                _ => break,
            }
            self.skip(1);
        }
        self.skip_blanks();
        if self.byte(0) == b'#' {
            if self.comments.is_some() {
                self.scan_line_comment(start);
            }
            self.skip_rest_of_line();
        }
        if !is_break_or_end(self.bytes, self.at) {
            return Err(self.error("this block scalar", start, "did not find expected comment or line break"));
        }
        self.skip_break();
        Ok((chomping, increment))
    }

    /// Indentation and empty lines; finds out the indentation where `indent` is 0.
    fn scan_block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Scanned<()> {
        *end = self.mark();
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.byte(0) == b' ' {
                self.at += 1;
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(self.error("this block scalar", start, problem));
            }
            if break_width(self.bytes, self.at) == 0 {
                break;
            }
            self.read_break(breaks);
            *end = self.mark();
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(())
    }
}
