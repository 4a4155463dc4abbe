//! Strings whose look must not betray them: [`Emitter::string`] quotes what would read back as something else.

use super::emitter::{Emitter, ScalarNode};
use crate::resolve::{Scalar, is_base_60, old_bool, resolve_plain};
use crate::{Dialect, Style, format_float};

impl Emitter {
    /// Writes a string as the encoders of Go do: plain where it reads back, in double quotes where it would be taken
    /// for another type, as a literal block where it has more than one line.
    pub fn string(&mut self, text: &str) {
        let style = if text.contains('\n') {
            if self.flow_level > 0 && self.dialect == Dialect::V3 { Style::DoubleQuoted } else { Style::Literal }
        } else if reads_as_string(text, self.dialect) {
            Style::Plain
        } else {
            Style::DoubleQuoted
        };
        self.scalar(ScalarNode { text, style, ..ScalarNode::default() });
    }

    /// Writes a scalar that needs no quotes: a number, a boolean.
    pub fn plain(&mut self, text: &str) {
        self.scalar(ScalarNode { text, ..ScalarNode::default() });
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
        if value.fract() != 0.0 {
            return self.float(value);
        }
        if value.abs() < 9_007_199_254_740_992.0 {
            return self.int(value as i64);
        }
        // JSON has the shortest digits that read back, filled up with zeros.
        let digits = format!("{value}");
        if value.abs() < 1e21 && (digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok()) {
            self.plain(&digits);
        } else {
            self.float(value);
        }
    }
}

/// Whether plain `text` would be read as a string by go-yaml, and by readers that know base 60 and more booleans.
fn reads_as_string(text: &str, dialect: Dialect) -> bool {
    match text.as_bytes().first() {
        None => false,
        Some(b'+' | b'-' | b'.' | b'0'..=b'9') => {
            matches!(resolve_plain(text, dialect), Scalar::String(_)) && !is_base_60(text)
        }
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            matches!(resolve_plain(text, dialect), Scalar::String(_)) && old_bool(text).is_none()
        }
        Some(_) => true,
    }
}
