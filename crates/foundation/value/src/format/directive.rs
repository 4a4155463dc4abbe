//! The format string of `Sprintf`: flags, width, precision, argument indexes, verbs.

use super::printer::{Flags, Printer};
use crate::{Data, Value};

/// Widths and precisions beyond this are errors, as in Go.
const LARGEST: i64 = 1_000_000;

/// Prints `arguments` by `format`.
pub(super) fn print(printer: &mut Printer, format: &[u8], arguments: &[Value]) {
    let mut state = State { format, at: 0, arguments, next: 0, reordered: false, good_index: true };
    let mut ever_reordered = false;
    while state.at < format.len() {
        let rest = &format[state.at..];
        let literal = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
        printer.literal(&rest[..literal]);
        state.at += literal;
        if state.at < format.len() {
            state.at += 1;
            state.reordered = false;
            state.directive(printer);
            ever_reordered |= state.reordered;
        }
    }
    // Go reports what no directive used, unless indexes made that a matter of taste.
    if !ever_reordered && state.next < arguments.len() {
        printer.reset();
        printer.literal(b"%!(EXTRA ");
        for (index, argument) in arguments[state.next..].iter().enumerate() {
            if index > 0 {
                printer.literal(b", ");
            }
            if argument.is_nil() {
                printer.literal(b"<nil>");
            } else {
                printer.literal(argument.type_name().as_bytes());
                printer.literal(b"=");
                printer.print(argument, 'v');
            }
        }
        printer.literal(b")");
    }
}

struct State<'a> {
    format: &'a [u8],
    at: usize,
    arguments: &'a [Value],
    next: usize,
    /// Whether the directive at hand names an argument by its index.
    reordered: bool,
    /// Whether the indexes of the directive at hand exist.
    good_index: bool,
}

impl State<'_> {
    /// One directive, from behind its `%`.
    fn directive(&mut self, printer: &mut Printer) {
        let mut flags = Flags::default();
        self.good_index = true;
        let mut after_index = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        self.index(&mut after_index);
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.star() {
                None => printer.literal(b"%!(BADWIDTH)"),
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.width = Some(width.unsigned_abs() as usize);
                }
            }
            after_index = false;
        } else {
            flags.width = self.number();
            // `%[3]2d` is no directive: the index belongs before the verb or a star.
            self.good_index &= !(after_index && flags.width.is_some());
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.good_index &= !after_index;
            self.index(&mut after_index);
            if self.peek() == Some(b'*') {
                self.at += 1;
                match self.star() {
                    Some(precision) if precision >= 0 => flags.precision = Some(precision as usize),
                    // A negative precision is as none.
                    Some(_) => {}
                    None => printer.literal(b"%!(BADPREC)"),
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index(&mut after_index);
        }
        let Some((verb, length)) = first_rune(&self.format[self.at..]) else {
            printer.literal(b"%!(NOVERB)");
            return;
        };
        self.at += length;
        printer.flags = flags;
        if verb == '%' {
            printer.literal(b"%");
        } else if !self.good_index {
            printer.literal(format!("%!{verb}(BADINDEX)").as_bytes());
        } else if let Some(argument) = self.arguments.get(self.next) {
            self.next += 1;
            printer.print_formatted(argument, verb);
        } else {
            printer.literal(format!("%!{verb}(MISSING)").as_bytes());
        }
        printer.reset();
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Digits, if there are any; a number that is too large is as none.
    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.format[start..self.at]).ok()?;
        digits.parse::<i64>().ok().filter(|number| *number <= LARGEST).map(|number| number as usize)
    }

    /// `[3]`: which argument is next.
    fn index(&mut self, after_index: &mut bool) {
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        *after_index = true;
        let rest = &self.format[self.at + 1..];
        let Some(close) = rest.iter().position(|byte| *byte == b']') else {
            self.good_index = false;
            self.at += 1;
            return;
        };
        let number = std::str::from_utf8(&rest[..close]).ok().and_then(|digits| digits.parse::<usize>().ok());
        self.at += close + 2;
        match number {
            Some(number) if (1..=self.arguments.len()).contains(&number) => self.next = number - 1,
            _ => self.good_index = false,
        }
    }

    /// The value of a `*`.
    fn star(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument.data {
            Data::Int(number, _) if number.abs() <= LARGEST => Some(number),
            Data::Uint(number, _) => i64::try_from(number).ok().filter(|number| *number <= LARGEST),
            _ => None,
        }
    }
}

/// The first character and its length; U+FFFD for a byte that starts none.
pub(super) fn first_rune(bytes: &[u8]) -> Option<(char, usize)> {
    let chunk = bytes.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(rune) => Some((rune, rune.len_utf8())),
        None => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}
