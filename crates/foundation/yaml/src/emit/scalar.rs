//! Scalars on their way out.

use super::analyze::{Analysis, is_break, is_printable};
use super::emitter::{Emitter, ScalarNode};
use crate::{Dialect, Style};
use std::fmt::Write;

impl Emitter {
    /// The style that is wished for, or the next that can hold the text.
    pub(super) fn select_style(&self, scalar: ScalarNode<'_>, analysis: Analysis) -> Style {
        let in_flow = self.flow_level > 0;
        let mut style = if scalar.style == Style::Flow { Style::Plain } else { scalar.style };
        if self.simple_key && analysis.multiline {
            style = Style::DoubleQuoted;
        }
        if style == Style::Plain {
            let allowed = if in_flow { analysis.flow_plain } else { analysis.block_plain };
            if !allowed || scalar.text.is_empty() && (in_flow || self.simple_key) {
                style = Style::SingleQuoted;
            }
        }
        if style == Style::SingleQuoted && !analysis.single_quoted {
            style = Style::DoubleQuoted;
        }
        if matches!(style, Style::Literal | Style::Folded) && (!analysis.block || in_flow || self.simple_key) {
            style = Style::DoubleQuoted;
        }
        style
    }

    pub(super) fn write_scalar(&mut self, text: &str, style: Style) {
        let folds = !self.simple_key;
        match style {
            Style::Plain | Style::Flow => self.write_plain(text, folds),
            Style::SingleQuoted => {
                self.write_indicator("'", true, false, false);
                self.write_lines(text, folds, true);
                self.write_indicator("'", false, false, false);
            }
            Style::DoubleQuoted => self.write_double_quoted(text, folds),
            Style::Literal => self.write_literal(text),
            Style::Folded => self.write_folded(text),
        }
    }

    fn write_plain(&mut self, text: &str, folds: bool) {
        if text.is_empty() && self.dialect == Dialect::V3 {
            self.indention = false;
            return;
        }
        if !self.whitespace {
            self.write_run(" ");
        }
        self.write_lines(text, folds, false);
        (self.whitespace, self.indention) = (false, false);
    }

    /// Plain and single-quoted text: folded at single spaces behind the last column, breaks doubled.
    fn write_lines(&mut self, text: &str, folds: bool, quoted: bool) {
        let fits = !folds || self.column.saturating_add(text.len()) <= self.width;
        let quotes = quoted && text.contains('\'');
        if fits && !quotes && !text.contains(is_break) {
            self.write_run(text);
            self.indention &= text.is_empty();
            return;
        }
        let bytes = text.as_bytes();
        let mut after_space = false;
        let mut after_break = false;
        for (at, character) in text.char_indices() {
            let next_is_space = bytes.get(at + 1) == Some(&b' ');
            if character == ' ' {
                let inside = !quoted || at > 0 && at + 1 < bytes.len();
                if folds && !after_space && self.column > self.width && inside && !next_is_space {
                    self.write_indent();
                } else {
                    self.write_character(character);
                }
                after_space = true;
            } else if is_break(character) {
                if !after_break && character == '\n' {
                    self.put_break();
                }
                self.write_break(character);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                if character == '\'' && quoted {
                    self.write_character(character);
                }
                self.write_character(character);
                self.indention = false;
                (after_space, after_break) = (false, false);
            }
        }
    }

    fn write_character(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    /// A line break of the text: a line feed, or another that is kept as it is.
    fn write_break(&mut self, character: char) {
        if character == '\n' {
            self.put_break();
        } else {
            self.out.push(character);
            self.column = 0;
        }
        self.indention = true;
    }

    fn write_double_quoted(&mut self, text: &str, folds: bool) {
        self.write_indicator("\"", true, false, false);
        let bytes = text.as_bytes();
        // go-yaml looks for a byte order mark at the text's beginning whichever character it is at.
        let all_escaped = text.starts_with('\u{FEFF}');
        let mut after_space = false;
        for (at, character) in text.char_indices() {
            let escaped =
                all_escaped || !is_printable(character) || is_break(character) || matches!(character, '"' | '\\');
            if escaped {
                self.write_escape(character);
                after_space = false;
            } else if character == ' ' {
                let inside = at > 0 && at + 1 < bytes.len();
                if folds && !after_space && self.column > self.width && inside {
                    self.write_indent();
                    if bytes.get(at + 1) == Some(&b' ') {
                        self.write_character('\\');
                    }
                } else {
                    self.write_character(character);
                }
                after_space = true;
            } else {
                self.write_character(character);
                after_space = false;
            }
        }
        self.write_indicator("\"", false, false, false);
    }

    fn write_escape(&mut self, character: char) {
        let before = self.out.len();
        let short = match character {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => '\0',
        };
        let code = u32::from(character);
        let _ = match code {
            _ if short != '\0' => write!(self.out, "\\{short}"),
            0..=0xFF => write!(self.out, "\\x{code:02X}"),
            0x100..=0xFFFF => write!(self.out, "\\u{code:04X}"),
            _ => write!(self.out, "\\U{code:08X}"),
        };
        self.column += self.out.len() - before;
    }

    /// The indicators of a block scalar: its indentation where its first line would hide it, its chomping.
    fn write_hints(&mut self, text: &str) {
        if text.starts_with(' ') || text.starts_with(is_break) {
            self.write_indicator("2", false, false, false);
        }
        let mut from_end = text.chars().rev();
        let chomping = match (from_end.next(), from_end.next()) {
            (Some(last), _) if !is_break(last) => "-",
            (None, _) => "-",
            (Some(_), None) => "+",
            (Some(_), Some(before)) if is_break(before) => "+",
            _ => return,
        };
        self.write_indicator(chomping, false, false, false);
    }

    fn write_literal(&mut self, text: &str) {
        self.write_indicator("|", true, false, false);
        self.write_hints(text);
        self.header_comment();
        (self.indention, self.whitespace) = (true, true);
        let mut after_break = true;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if is_break(character) {
                self.write_break(character);
                after_break = true;
                rest = &rest[character.len_utf8()..];
                continue;
            }
            if after_break {
                self.write_indent();
            }
            let end = rest.find(is_break).unwrap_or(rest.len());
            self.write_run(&rest[..end]);
            self.indention = false;
            after_break = false;
            rest = &rest[end..];
        }
    }

    fn write_folded(&mut self, text: &str) {
        self.write_indicator(">", true, false, false);
        self.write_hints(text);
        self.header_comment();
        (self.indention, self.whitespace) = (true, true);
        let bytes = text.as_bytes();
        // go-yaml looks for what follows the text's first breaks, not this one's.
        let first_content = text.find(|character| !is_break(character)).unwrap_or(text.len());
        let blank_first = text[first_content..].chars().next().is_none_or(|first| matches!(first, ' ' | '\t'));
        let mut after_break = true;
        let mut after_indent = true;
        for (at, character) in text.char_indices() {
            if is_break(character) {
                if !after_break && !after_indent && character == '\n' && !blank_first {
                    self.put_break();
                }
                self.write_break(character);
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
                after_indent = matches!(character, ' ' | '\t');
            }
            let next_is_space = bytes.get(at + 1) == Some(&b' ');
            if !after_break && character == ' ' && !next_is_space && self.column > self.width {
                self.write_indent();
            } else {
                self.write_character(character);
            }
            self.indention = false;
            after_break = false;
        }
    }
}
