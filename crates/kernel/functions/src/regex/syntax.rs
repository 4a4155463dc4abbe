//! Go's regular expression syntax, read into the engine's own tree: [`read`].
//!
//! The dialects of Go and of the Rust engine differ in what they accept and in what classes mean (`\d` is ASCII in
//! Go), so the pattern is never shown to the engine's reader. Errors are those of Go's regexp/syntax, to the letter.

use super::class;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Look, Repetition};

/// Go's own bound on the height of the tree; the engine walks it by recursion.
const MAX_HEIGHT: usize = 1000;
/// Go's own bound on how many copies repetitions inside each other may ask for.
const MAX_COPIES: u32 = 1000;

/// A pattern that was read.
pub(super) struct Pattern {
    /// What to match.
    pub(super) hir: Hir,
    /// The names of the groups; the first is the whole match.
    pub(super) names: Vec<Option<Box<str>>>,
}

/// Why a pattern can't be read: a code in Go's words, and the part that is at fault.
#[derive(Debug)]
pub(super) struct SyntaxError(pub(super) &'static str, pub(super) String);

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error parsing regexp: {}: `{}`", self.0, self.1)
    }
}

/// Reads a pattern in Go's default (Perl) dialect.
pub(super) fn read(pattern: &str) -> Result<Pattern, SyntaxError> {
    let mut reader = Reader {
        whole: pattern,
        rest: pattern,
        flags: Flags::default(),
        open: Vec::new(),
        frame: Frame::default(),
        names: vec![None],
    };
    let hir = reader.read()?;
    Ok(Pattern { hir, names: reader.names })
}

#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`
    pub(super) fold: bool,
    /// `m`
    lines: bool,
    /// `s`
    dot_takes_newline: bool,
    /// `U`
    ungreedy: bool,
}

/// A piece of the pattern with what Go's limits are about.
struct Piece {
    hir: Hir,
    height: usize,
    /// How many copies of its innermost part its repetitions ask for.
    copies: u32,
}

/// A group that is being read; the outermost is the pattern.
#[derive(Default)]
struct Frame {
    alternatives: Vec<Piece>,
    current: Vec<Piece>,
    /// The index of a group that captures.
    capture: Option<u32>,
    /// The flags to go back to behind it.
    flags: Flags,
}

struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    flags: Flags,
    open: Vec<Frame>,
    frame: Frame,
    names: Vec<Option<Box<str>>>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<Hir, SyntaxError> {
        // The text from the last repetition operator on, where one has just been read.
        let mut last_repeat: Option<&'a str> = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = None;
            match c {
                '(' if before.starts_with("(?") => self.flags_or_group()?,
                '(' => {
                    self.advance(1);
                    self.open_group(true, None)?;
                }
                '|' => {
                    self.advance(1);
                    let alternative = self.frame.close_alternative();
                    self.frame.alternatives.push(alternative);
                }
                ')' => {
                    self.close_group()?;
                    self.advance(1);
                }
                '^' => self.look(1, if self.flags.lines { Look::StartLF } else { Look::Start }),
                '$' => self.look(1, if self.flags.lines { Look::EndLF } else { Look::End }),
                '.' => {
                    self.advance(1);
                    let dot = if self.flags.dot_takes_newline { Dot::AnyChar } else { Dot::AnyCharExceptLF };
                    self.push(Hir::dot(dot));
                }
                '[' => {
                    let class = class::read(&mut self.rest, self.flags.fold)?;
                    self.push(Hir::class(Class::Unicode(class)));
                }
                '*' | '+' | '?' => {
                    self.advance(1);
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(min, max, before, last_repeat, false)?;
                    repeat = Some(before);
                }
                '{' => match read_counts(before) {
                    None => {
                        self.advance(1);
                        self.literal('{');
                    }
                    Some((counts, after)) => {
                        self.rest = after;
                        let Some((min, max)) = counts else {
                            return Err(SyntaxError("invalid repeat count", self.since(before)));
                        };
                        self.repeat(min, max, before, last_repeat, min >= 2 || max.is_some_and(|max| max >= 2))?;
                        repeat = Some(before);
                    }
                },
                '\\' => self.escape()?,
                c => {
                    self.advance(c.len_utf8());
                    self.literal(c);
                }
            }
            last_repeat = repeat;
        }
        if !self.open.is_empty() {
            return Err(SyntaxError("missing closing )", self.whole.to_owned()));
        }
        let piece = self.frame.close();
        self.check_height(&piece)?;
        Ok(piece.hir)
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// The text from `start`, which is a rest of an earlier time, up to here.
    fn since(&self, start: &str) -> String {
        start[..start.len() - self.rest.len()].to_owned()
    }

    fn push(&mut self, hir: Hir) {
        self.frame.current.push(Piece { hir, height: 1, copies: 0 });
    }

    fn look(&mut self, bytes: usize, look: Look) {
        self.advance(bytes);
        self.push(Hir::look(look));
    }

    fn literal(&mut self, c: char) {
        if self.flags.fold {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            class.case_fold_simple();
            self.push(Hir::class(Class::Unicode(class)));
        } else {
            self.push(Hir::literal(c.encode_utf8(&mut [0; 4]).as_bytes().to_vec()));
        }
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        before: &'a str,
        last_repeat: Option<&'a str>,
        counted: bool,
    ) -> Result<(), SyntaxError> {
        let mut greedy = !self.flags.ungreedy;
        if self.rest.starts_with('?') {
            self.advance(1);
            greedy = !greedy;
        }
        if let Some(last) = last_repeat {
            return Err(SyntaxError("invalid nested repetition operator", self.since(last)));
        }
        let Some(sub) = self.frame.current.pop() else {
            return Err(SyntaxError("missing argument to repetition operator", self.since(before)));
        };
        let is_star = !before.starts_with('{');
        let copies = match max.unwrap_or(min) {
            _ if is_star => sub.copies,
            0 => 0,
            count => count.saturating_mul(sub.copies.max(1)),
        };
        let hir = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(sub.hir) });
        let piece = Piece { hir, height: sub.height + 1, copies };
        self.check_height(&piece)?;
        if counted && piece.copies > MAX_COPIES {
            return Err(SyntaxError("invalid repeat count", self.since(before)));
        }
        self.frame.current.push(piece);
        Ok(())
    }

    fn check_height(&self, piece: &Piece) -> Result<(), SyntaxError> {
        if piece.height > MAX_HEIGHT {
            return Err(SyntaxError("expression nests too deeply", self.whole.to_owned()));
        }
        Ok(())
    }

    fn open_group(&mut self, captures: bool, name: Option<&str>) -> Result<(), SyntaxError> {
        let capture = captures.then(|| {
            self.names.push(name.map(Box::from));
            (self.names.len() - 1) as u32
        });
        let frame = Frame { capture, flags: self.flags, ..Frame::default() };
        self.open.push(std::mem::replace(&mut self.frame, frame));
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), SyntaxError> {
        let Some(outer) = self.open.pop() else {
            return Err(SyntaxError("unexpected )", self.whole.to_owned()));
        };
        let mut frame = std::mem::replace(&mut self.frame, outer);
        self.flags = frame.flags;
        let mut piece = frame.close();
        if let Some(index) = frame.capture {
            let hir = Hir::capture(Capture { index, name: None, sub: Box::new(piece.hir) });
            piece = Piece { hir, height: piece.height + 1, copies: piece.copies };
        }
        self.check_height(&piece)?;
        self.frame.current.push(piece);
        Ok(())
    }

    /// What stands behind `(?`: a named group, flags, or flags and a group.
    fn flags_or_group(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        let named = match start.strip_prefix("(?P<") {
            Some(after) if !after.is_empty() => Some(after),
            _ => start.strip_prefix("(?<").filter(|after| !after.is_empty()),
        };
        if let Some(after) = named {
            let Some(end) = after.find('>') else {
                return Err(SyntaxError("invalid named capture", start.to_owned()));
            };
            let name = &after[..end];
            self.rest = &after[end + 1..];
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(SyntaxError("invalid named capture", self.since(start)));
            }
            return self.open_group(true, Some(name));
        }
        self.advance(2);
        let mut flags = self.flags;
        let mut value = true;
        let mut saw_flag = false;
        while let Some(c) = self.rest.chars().next() {
            self.advance(c.len_utf8());
            match c {
                'i' => flags.fold = value,
                'm' => flags.lines = value,
                's' => flags.dot_takes_newline = value,
                'U' => flags.ungreedy = value,
                '-' if value => {
                    value = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if value || saw_flag => {
                    if c == ':' {
                        self.open_group(false, None)?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(SyntaxError("invalid or unsupported Perl syntax", self.since(start)))
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let start = self.rest;
        match start.as_bytes().get(1) {
            Some(b'A') => self.look(2, Look::Start),
            Some(b'b') => self.look(2, Look::WordAscii),
            Some(b'B') => self.look(2, Look::WordAsciiNegate),
            Some(b'z') => self.look(2, Look::End),
            Some(b'C') => return Err(SyntaxError("invalid escape sequence", r"\C".to_owned())),
            Some(b'Q') => {
                let (literal, after) = start[2..].split_once(r"\E").unwrap_or((&start[2..], ""));
                literal.chars().for_each(|c| self.literal(c));
                self.rest = after;
            }
            _ => match class::read_escape(&mut self.rest, self.flags.fold)? {
                Some(class) => self.push(Hir::class(Class::Unicode(class))),
                None => {
                    let c = class::read_char_escape(&mut self.rest)?;
                    self.literal(c);
                }
            },
        }
        Ok(())
    }
}

impl Frame {
    fn close_alternative(&mut self) -> Piece {
        join(std::mem::take(&mut self.current), Hir::concat)
    }

    fn close(&mut self) -> Piece {
        let last = self.close_alternative();
        self.alternatives.push(last);
        join(std::mem::take(&mut self.alternatives), Hir::alternation)
    }
}

fn join(pieces: Vec<Piece>, how: fn(Vec<Hir>) -> Hir) -> Piece {
    let height = pieces.iter().map(|piece| piece.height).max().unwrap_or(0);
    let copies = pieces.iter().map(|piece| piece.copies).max().unwrap_or(0);
    let height = if pieces.len() == 1 { height } else { height + 1 };
    Piece { hir: how(pieces.into_iter().map(|piece| piece.hir).collect()), height, copies }
}

/// The smallest and the largest number of a repetition.
type Counts = (u32, Option<u32>);

/// `{2}`, `{2,}` or `{2,5}` and what stands behind it; `None` where the brace is an ordinary character. The numbers
/// are `None` where they are out of bounds.
fn read_counts(text: &str) -> Option<(Option<Counts>, &str)> {
    let (min, rest) = read_int(&text[1..])?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => read_int(rest).map(|(max, rest)| (Some(max), rest))?,
    };
    let rest = rest.strip_prefix('}')?;
    let in_bounds = min <= MAX_COPIES && max.is_none_or(|max| max <= MAX_COPIES && min <= max);
    Some((in_bounds.then_some((min, max)), rest))
}

/// Digits without leading zeros; what is too large becomes the largest number.
fn read_int(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
