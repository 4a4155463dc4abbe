//! Go's plain values: strings that must read back as strings, numbers, booleans, null, and collections of them.

use super::{CollectionNode, Emitter, ScalarNode};
use crate::number::{Integer, parse_integer};
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

    /// Starts a sequence.
    pub fn begin_sequence(&mut self, empty: bool) {
        self.begin(CollectionNode { is_mapping: false, empty, flow: false, tag: None, anchor: None });
    }

    /// Starts a mapping.
    pub fn begin_mapping(&mut self, empty: bool) {
        self.begin(CollectionNode { is_mapping: true, empty, flow: false, tag: None, anchor: None });
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
        // JSON spells whole numbers with the digits that tell them apart and zeros, 2^63 as 9223372036854776000, and
        // from 1e21 on with an exponent.
        let digits = if value.fract() == 0.0 && value.abs() < 1e21 { format!("{value}") } else { String::new() };
        match parse_integer(digits.as_bytes()) {
            Some(Integer::Signed(value)) => self.int(value),
            Some(Integer::Unsigned(value)) => self.uint(value),
            None => self.float(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_type_on_the_way_through_json() {
        for (number, text) in [
            (1e6, "1000000"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (1e-7, "1e-07"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (-9_223_372_036_854_775_808.0, "-9.223372036854776e+18"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (-137_668_522_871_057.13, "-1.3766852287105712e+14"),
        ] {
            let mut emitter = Emitter::sigs();
            emitter.json_number(number);
            assert_eq!(emitter.finish(), text);
        }
    }

    #[test]
    fn a_node_begins_with_its_indicator() {
        let mut emitter = Emitter::sigs();
        emitter.append_to("x\n".into());
        let mut begins = Vec::new();
        emitter.begin_mapping(false);
        emitter.string("a");
        begins.push(emitter.node_position());
        emitter.begin_sequence(false);
        for item in ["b", "12"] {
            emitter.string(item);
            begins.push(emitter.node_position());
        }
        emitter.end();
        emitter.end();
        assert_eq!(emitter.text(), "x\na:\n- b\n- \"12\"");
        assert_eq!(begins, [2, 5, 9]);
    }
}
