//! [`Scout`]: which error go-yaml would come upon first.
//!
//! go-yaml cuts the text into lexemes ahead of applying the grammar: as long as what it looks at may turn out to be a
//! key, and for comments two lexemes more. A lexeme that cannot be read there is reported before one that merely has no
//! place. Only when something is wrong already is it worth following that.

use super::block::block;
use super::cursor::Mark;
use super::error::SyntaxError;
use super::lexeme;
use super::lexer::{Lexer, Sign};
use super::plain::plain;
use super::quoted::quoted;

/// What may turn out to be a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) mark: Mark,
    /// Whether nothing but a key may stand there.
    pub(super) required: bool,
    /// Whether go-yaml has given up on it although its `:` may still come.
    pub(super) given_up: bool,
}

/// An open bracket, or the block around them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Level {
    pub(super) candidate: Option<Candidate>,
    /// Where the bracket is.
    pub(super) start: Mark,
    /// Whether anything in it could have been a key.
    pub(super) tried: bool,
}

/// Reads lexemes without a grammar.
pub(super) struct Scout<'a> {
    lexer: Lexer<'a>,
    /// The columns of the block collections around.
    indents: Vec<i32>,
    /// For each open bracket and for the block around them.
    levels: Vec<Level>,
    /// Candidates that begin up to here are waited for.
    first: u32,
    read: usize,
    key: Option<Mark>,
    ended: bool,
}

impl<'a> Scout<'a> {
    /// Starts where the grammar is at a loss, `read` lexemes having been read of those that it looks at.
    pub(super) fn new(lexer: Lexer<'a>, indents: Vec<i32>, mut levels: Vec<Level>, read: usize) -> Self {
        levels.resize(lexer.flow + 1, Level::default());
        let first = lexer.cursor.at as u32;
        Self { lexer, indents, levels, first, read, key: None, ended: false }
    }

    /// Reads as far ahead as go-yaml does, at least `count` lexemes. Gives the candidate before this place that turned
    /// out to be a key.
    pub(super) fn run(mut self, count: usize) -> Result<Option<Mark>, Box<SyntaxError>> {
        // The lexeme looked at has been read, and with it one less than are read ahead.
        let surely = if count > 1 { 2 } else { 1 };
        while self.read < surely || self.is_waiting()? || self.read < count {
            if self.ended {
                self.is_waiting()?;
                break;
            }
            self.lexeme()?;
        }
        Ok(self.key)
    }

    fn is_waiting(&mut self) -> Result<bool, Box<SyntaxError>> {
        let mut waiting = false;
        for Level { candidate, .. } in &mut self.levels {
            if let Some(Candidate { mark, required, given_up }) = *candidate
                && mark.offset <= self.first
            {
                if self.lexer.reaches(mark) && !self.ended {
                    waiting |= !given_up;
                } else if required {
                    return Err(self.lexer.no_colon(mark, self.ended));
                } else {
                    *candidate = None;
                }
            }
        }
        Ok(waiting)
    }

    fn lexeme(&mut self) -> Result<(), Box<SyntaxError>> {
        self.lexer.skip();
        let sign = self.lexer.sign();
        if self.lexer.flow == 0 {
            let column = self.lexer.structure_column(sign);
            while self.lexer.indent > column {
                self.indents.pop();
                self.lexer.indent = self.indents.last().copied().unwrap_or(-1);
                self.read += 1;
            }
        }
        self.read += 1;
        let flow = self.lexer.flow > 0;
        match sign {
            Sign::End => {
                self.ended = true;
                self.forget()?;
            }
            Sign::DocumentStart | Sign::DocumentEnd => {
                self.forget()?;
                self.lexer.cursor.at += 3;
                self.lexer.key_allowed = false;
            }
            Sign::Directive => {
                self.forget()?;
                self.lexer.key_allowed = false;
                lexeme::directive(&mut self.lexer.cursor)?;
            }
            Sign::Entry | Sign::Key => {
                if !flow {
                    self.indent_for(sign, self.lexer.cursor.column())?;
                }
                self.forget()?;
                self.lexer.cursor.at += 1;
                self.lexer.key_allowed = !flow || sign == Sign::Entry;
            }
            Sign::Value => self.value()?,
            Sign::Comma => {
                self.forget()?;
                self.lexer.cursor.at += 1;
                self.lexer.key_allowed = true;
            }
            Sign::Open => {
                self.remember()?;
                let bracket = self.lexer.cursor.mark();
                self.lexer.cursor.at += 1;
                self.lexer.flow += 1;
                self.levels.push(Level { start: bracket, ..Level::default() });
                self.lexer.key_allowed = true;
            }
            Sign::Close => {
                self.forget()?;
                if flow {
                    let level = self.levels.pop();
                    self.lexer.flow -= 1;
                    if let Some(Level { start, tried: false, .. }) = level
                        && let Some(Level { candidate: Some(candidate), .. }) = self.levels.last_mut()
                    {
                        candidate.given_up |= candidate.mark == start;
                    }
                }
                self.lexer.cursor.at += 1;
                self.lexer.key_allowed = false;
            }
            Sign::Block => {
                self.forget()?;
                block(&mut self.lexer.cursor, self.lexer.indent)?;
                self.lexer.key_allowed = true;
            }
            Sign::Alias | Sign::Anchor | Sign::Tag | Sign::Quoted | Sign::Plain => {
                self.remember()?;
                self.lexer.key_allowed = false;
                self.lexer.read_past(sign)?;
            }
            Sign::Unknown => return Err(self.lexer.unknown()),
        }
        Ok(())
    }

    fn value(&mut self) -> Result<(), Box<SyntaxError>> {
        let flow = self.lexer.flow > 0;
        match self.take() {
            Some(Candidate { mark, given_up, .. }) if self.lexer.reaches(mark) => {
                let read = self.read;
                if !flow && self.lexer.indent < mark.column as i32 {
                    self.push_indent(mark.column as i32);
                }
                self.read += 1;
                if mark.offset < self.first && !given_up {
                    // That it is a key is said before it, so before what is looked at.
                    self.read = read;
                    self.key = Some(mark);
                }
                self.lexer.key_allowed = false;
            }
            Some(Candidate { mark, required: true, .. }) => return Err(self.lexer.no_colon(mark, self.ended)),
            _ => {
                if !flow {
                    self.indent_for(Sign::Value, self.lexer.cursor.column())?;
                }
                self.lexer.key_allowed = !flow;
            }
        }
        self.lexer.cursor.at += 1;
        Ok(())
    }

    /// An indicator of a block collection: it may begin one.
    fn indent_for(&mut self, sign: Sign, column: usize) -> Result<(), Box<SyntaxError>> {
        if !self.lexer.key_allowed {
            return Err(self.lexer.misplaced(sign));
        }
        if self.lexer.indent < column as i32 {
            self.push_indent(column as i32);
        }
        Ok(())
    }

    fn push_indent(&mut self, column: i32) {
        self.indents.push(column);
        self.lexer.indent = column;
        self.read += 1;
    }

    fn remember(&mut self) -> Result<(), Box<SyntaxError>> {
        if self.lexer.key_allowed {
            self.forget()?;
            let mark = self.lexer.cursor.mark();
            let required = self.lexer.flow == 0 && self.lexer.indent == mark.column as i32;
            if let Some(level) = self.levels.last_mut() {
                level.candidate = Some(Candidate { mark, required, given_up: false });
                level.tried = true;
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Option<Candidate> {
        self.levels.last_mut().and_then(|level| level.candidate.take())
    }

    fn forget(&mut self) -> Result<(), Box<SyntaxError>> {
        match self.take() {
            Some(Candidate { mark, required: true, .. }) => Err(self.lexer.no_colon(mark, self.ended)),
            _ => Ok(()),
        }
    }
}

impl Lexer<'_> {
    /// Reads a lexeme for nothing but its errors.
    fn read_past(&mut self, sign: Sign) -> Result<(), Box<SyntaxError>> {
        match sign {
            Sign::Alias | Sign::Anchor => _ = lexeme::name(&mut self.cursor)?,
            Sign::Tag => _ = lexeme::tag(&mut self.cursor)?,
            Sign::Quoted => _ = quoted(&mut self.cursor)?,
            _ => {
                let end = plain(&mut self.cursor, self.flow > 0, self.indent)?.end;
                self.key_allowed |= self.flow == 0 && self.cursor.line() != end.line;
            }
        }
        Ok(())
    }
}
