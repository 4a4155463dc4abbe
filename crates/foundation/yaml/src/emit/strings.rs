//! Go's plain values: strings that must read back as strings, numbers, booleans and null.

use super::{Emitter, ScalarNode};
use crate::resolve::{is_base_60, old_bool};
use crate::{Scalar, Style, format_float, resolve_plain};

impl Emitter {
    /// Writes a string as the encoders of Go do: plain where it reads back, in double quotes where it would be taken
    /// for another type, as a literal block where it has more than one line.
    pub fn string(&mut self, text: &str) {
        let style = if !matches!(resolve_plain(text, self.format.dialect), Scalar::String(_))
            || old_bool(text).is_some()
            || is_base_60(text)
        {
            Style::DoubleQuoted
        } else if text.contains('\n') {
            Style::Literal
        } else {
            Style::Plain
        };
        self.styled(text, style);
    }

    /// Writes a scalar that needs no quotes: a number, a boolean.
    pub fn plain(&mut self, text: &str) {
        self.styled(text, Style::Plain);
    }

    fn styled(&mut self, text: &str, style: Style) {
        self.scalar(ScalarNode { text, style, tag: None, anchor: None });
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.plain("null");
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        self.plain(if value { "true" } else { "false" });
    }

    /// Writes an integer.
    pub fn int(&mut self, value: i64) {
        self.plain(&value.to_string());
    }

    /// Writes an unsigned integer.
    pub fn uint(&mut self, value: u64) {
        self.plain(&value.to_string());
    }

    /// Writes a float as it is; see [`Emitter::json_number`] for one that goes through JSON.
    pub fn float(&mut self, value: f64) {
        self.plain(&format_float(value));
    }

    /// Writes a finite number that goes through JSON on its way, where whole numbers lose their type: those that fit
    /// 64 bits come out as integers.
    pub fn json_number(&mut self, value: f64) {
        // JSON writes them without an exponent below 1e21; beyond 64 bits YAML reads a float again.
        let whole = value.fract() == 0.0;
        if whole && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
            self.int(value as i64);
        } else if whole && (0.0..18_446_744_073_709_551_616.0).contains(&value) {
            self.uint(value as u64);
        } else {
            self.float(value);
        }
    }
}
