//! [`Shape`]: what a text consists of, as far as the styles it can be written in depend on it.

use crate::{Dialect, Style};

/// What a text consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// It has no characters.
    empty: bool,
    /// It has line breaks, those that must be escaped included.
    pub(super) lines: bool,
    /// Outside of brackets it reads back without quotes.
    plain: bool,
    /// Within brackets too.
    plain_in_flow: bool,
    /// It reads back from single quotes.
    single: bool,
    /// It reads back from a block scalar.
    block: bool,
}

/// Where a scalar stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Within brackets.
    Flow,
    /// Before a `:` on the same line.
    SimpleKey,
    /// Anywhere else.
    Block,
}

/// A byte that is nothing but itself wherever it stands.
const WORD: u8 = 0;
/// `-`: means something before a blank where a scalar begins.
const HYPHEN: u8 = 1;
/// `#`, `&`, `*`, quotes and others that mean something where a scalar begins. `#` also behind a blank.
const LEADING: u8 = 2;
/// `,`, `[`, `]`, `{` and `}`: mean something where a scalar begins, and anywhere within brackets.
const BRACKET: u8 = 3;
/// `:` and `?`: mean something before a blank, and anywhere within brackets.
const COLON: u8 = 4;
const BLANK: u8 = 5;
const TAB: u8 = 6;
const FEED: u8 = 7;
/// Must be escaped.
const CONTROL: u8 = 8;
/// Starts a character of several bytes.
const WIDE: u8 = 9;

static CLASSES: [u8; 256] = {
    let mut classes = [WORD; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@' | b'`' => LEADING,
            b',' | b'[' | b']' | b'{' | b'}' => BRACKET,
            b'-' => HYPHEN,
            b':' | b'?' => COLON,
            b' ' => BLANK,
            b'\t' => TAB,
            b'\n' => FEED,
            0..0x20 | 0x7F => CONTROL,
            0x80.. => WIDE,
            _ => WORD,
        };
        byte += 1;
    }
    classes
};

impl Shape {
    /// Looks once at each character.
    pub(super) fn of(text: &str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        let Some(&first) = bytes.first() else { return Self { empty: true, single: true, ..Self::default() } };
        let class = |byte: &u8| CLASSES[usize::from(*byte)];
        if class(&first) != WORD || bytes.starts_with(b"...") {
            return Survey::new(bytes).run(text, 0, dialect);
        }
        match bytes.iter().position(|byte| class(byte) > HYPHEN) {
            Some(from) => Survey::new(bytes).run(text, from, dialect),
            None => Self { empty: false, lines: false, plain: true, plain_in_flow: true, single: true, block: true },
        }
    }

    /// The style to write the text in where `wish` is wished for.
    pub(super) fn style(self, wish: Style, place: Place) -> Style {
        let possible = match wish {
            Style::Plain | Style::Flow => match place {
                Place::Flow => self.plain_in_flow,
                Place::SimpleKey => self.plain,
                Place::Block => self.plain || self.empty,
            },
            Style::SingleQuoted => self.single,
            Style::DoubleQuoted => true,
            Style::Literal | Style::Folded => self.block && place == Place::Block,
        };
        match wish {
            Style::Flow if possible => Style::Plain,
            _ if possible => wish,
            Style::Plain | Style::Flow if self.single => Style::SingleQuoted,
            _ => Style::DoubleQuoted,
        }
    }
}

/// What stands before a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Blank,
    Break,
    Other,
}

/// What is found on the way through a text.
struct Survey {
    before: Before,
    /// Something of the text means something outside of brackets.
    meaning: bool,
    /// Something means something within brackets.
    meaning_in_flow: bool,
    /// The text has line breaks.
    lines: bool,
    /// It has characters that only an escape can write:
    escapes: bool,
    /// tabs,
    tabs: bool,
    /// a blank at its start
    blank_start: bool,
    /// or its end,
    blank_end: bool,
    /// blanks before a break
    blank_break: bool,
    /// or behind one.
    break_blank: bool,
}

impl Survey {
    fn new(bytes: &[u8]) -> Self {
        let marker = bytes.starts_with(b"---") || bytes.starts_with(b"...");
        Self {
            before: Before::Start,
            meaning: marker,
            meaning_in_flow: marker,
            lines: false,
            escapes: false,
            tabs: false,
            blank_start: bytes.first() == Some(&b' '),
            blank_end: bytes.last() == Some(&b' '),
            blank_break: false,
            break_blank: false,
        }
    }

    /// `from` is where the first byte stands that may mean something.
    fn run(mut self, text: &str, from: usize, dialect: Dialect) -> Shape {
        let bytes = text.as_bytes();
        let mut at = from;
        if from > 0 {
            self.before = Before::Other;
        }
        while let Some(&byte) = bytes.get(at) {
            let class = CLASSES[usize::from(byte)];
            let mut width = 1;
            let mut before = Before::Other;
            match class {
                // Breaks would count as blanks here, but no text that has one is written plain.
                LEADING if self.before == Before::Start || byte == b'#' && self.before == Before::Blank => self.means(),
                BRACKET if self.before == Before::Start => self.means(),
                BRACKET => self.meaning_in_flow = true,
                HYPHEN | COLON => {
                    let parted = matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'));
                    if parted && (byte == b':' || self.before == Before::Start) {
                        self.means();
                    }
                    self.meaning_in_flow |= class == COLON;
                }
                BLANK => {
                    self.break_blank |= self.before == Before::Break;
                    before = Before::Blank;
                }
                TAB => self.tabs = true,
                FEED => before = self.line_break(),
                CONTROL => {
                    self.escapes = true;
                    if byte == b'\r' {
                        before = self.line_break();
                    }
                }
                WIDE => {
                    let character = text[at..].chars().next().unwrap_or('\u{FFFD}');
                    width = character.len_utf8();
                    self.escapes |= !is_printable(character);
                    if matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}') {
                        before = self.line_break();
                    }
                }
                _ => {}
            }
            self.before = before;
            at += width;
        }
        self.shape(bytes, dialect)
    }

    fn means(&mut self) {
        self.meaning = true;
        self.meaning_in_flow = true;
    }

    fn line_break(&mut self) -> Before {
        self.lines = true;
        self.blank_break |= self.before == Before::Blank;
        Before::Break
    }

    fn shape(self, bytes: &[u8], dialect: Dialect) -> Shape {
        let escapes = self.escapes || self.blank_break || self.tabs && dialect == Dialect::V2;
        let whole = !(escapes || self.tabs || self.blank_start || self.blank_end || self.lines);
        Shape {
            empty: bytes.is_empty(),
            lines: self.lines,
            plain: whole && !self.meaning,
            plain_in_flow: whole && !self.meaning_in_flow,
            single: !(escapes || self.tabs || self.break_blank),
            block: !(escapes || self.blank_end),
        }
    }
}

/// Whether a character breaks lines within quotes and blocks. Carriage returns and NEL break lines too, but are always
/// escaped.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\u{2028}' | '\u{2029}')
}

/// Whether a character is written as it is. To go-yaml those beyond the first plane are not printable.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_possible_style_is_taken() {
        use Style::{DoubleQuoted as Double, Literal, Plain, SingleQuoted as Single};
        for (text, block, key, flow) in [
            ("a", Plain, Plain, Plain),
            ("", Plain, Single, Single),
            ("a-b/c.d", Plain, Plain, Plain),
            ("a, [b]", Plain, Plain, Single),
            ("a:b?", Plain, Plain, Single),
            ("a: b", Single, Single, Single),
            ("a #b", Single, Single, Single),
            ("a#b", Plain, Plain, Plain),
            ("- a", Single, Single, Single),
            ("-a", Plain, Plain, Plain),
            ("---a", Single, Single, Single),
            (" a", Single, Single, Single),
            ("a\tb", Double, Double, Double),
            ("\u{1F600}", Double, Double, Double),
            ("a\u{2028}b", Single, Single, Single),
        ] {
            let shape = Shape::of(text, Dialect::V3);
            let styles = [Place::Block, Place::SimpleKey, Place::Flow].map(|place| shape.style(Plain, place));
            assert_eq!(styles, [block, key, flow], "{text:?}");
        }
        for (text, v2, v3) in [
            ("a\nb", Literal, Literal),
            (" a\nb", Literal, Literal),
            ("a \nb", Double, Double),
            ("a\nb ", Double, Double),
            ("a\n\tb", Double, Literal),
            ("a\rb", Double, Double),
        ] {
            let style = |dialect| Shape::of(text, dialect).style(Literal, Place::Block);
            assert_eq!((style(Dialect::V2), style(Dialect::V3)), (v2, v3), "{text:?}");
        }
    }
}
