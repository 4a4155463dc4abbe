//! Values by verb: what `%v`, `%d`, `%q` and the others make of each kind.

use super::float::{FloatFormat, format_float};
use super::quote;
use crate::{Data, ElementType, FloatKind, Kind, List, Map, Object, Text, TextBuilder, Value};

/// The flags, width and precision of a directive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

/// Maps that contain themselves are cut here; Go would overflow its stack.
const DEEPEST: usize = 200;

/// So many values are printed: a list that holds one list twice over and over would go on for ever.
const MOST: usize = 1_000_000;

/// What has been printed so far, and the directive at hand.
pub(super) struct Printer {
    out: TextBuilder,
    pub(super) flags: Flags,
    /// `%#v`
    go_syntax: bool,
    /// `%+v`
    field_names: bool,
    depth: usize,
    values: usize,
}

impl Printer {
    pub(super) fn new() -> Self {
        Self {
            out: TextBuilder::new(),
            flags: Flags::default(),
            go_syntax: false,
            field_names: false,
            depth: 0,
            values: 0,
        }
    }

    pub(super) fn finish(self) -> Text {
        self.out.finish()
    }

    /// Forgets the directive at hand.
    pub(super) fn reset(&mut self) {
        self.flags = Flags::default();
        self.go_syntax = false;
        self.field_names = false;
    }

    /// Bytes as they are.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        self.out.push(bytes, &crate::Origin::UNKNOWN);
    }

    /// An argument of a directive, whose flags may make `%v` another verb.
    pub(super) fn print_formatted(&mut self, value: &Value, verb: char) {
        if verb == 'v' {
            self.go_syntax = std::mem::take(&mut self.flags.sharp);
            self.field_names = std::mem::take(&mut self.flags.plus);
        }
        self.print(value, verb);
    }

    /// A value by a verb.
    pub(super) fn print(&mut self, value: &Value, verb: char) {
        self.values += 1;
        if self.depth > DEEPEST || self.values > MOST {
            return self.literal(b"...");
        }
        match (&value.data, verb) {
            (Data::Nil, 'v' | 'T') => self.pad(b"<nil>"),
            (_, 'T') => self.pad(value.type_name().as_bytes()),
            (Data::Nil, _) => self.bad_verb(value, verb),
            (Data::Bool(boolean), 'v' | 't') => self.pad(if *boolean { b"true" } else { b"false" }),
            (Data::Int(number, _), _) => self.integer(value, number.unsigned_abs(), *number < 0, true, verb),
            (Data::Uint(number, _), _) => self.integer(value, *number, false, false, verb),
            (Data::Float(number, kind), _) => self.float(value, *number, *kind, verb),
            (Data::String(text), _) => self.string(value, text, verb),
            (Data::List(list), _) => self.list(value, list, verb),
            (Data::Map(map), _) => self.map(map, verb),
            (Data::Object(object), _) => self.object(value, object.as_ref(), verb),
            (Data::Bool(_), _) => self.bad_verb(value, verb),
        }
    }

    /// `%!d(string=x)`
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.literal(format!("%!{verb}(").as_bytes());
        if value.is_nil() {
            self.literal(b"<nil>");
        } else {
            self.literal(value.type_name().as_bytes());
            self.literal(b"=");
            let flags = std::mem::take(&mut self.flags);
            self.print(value, 'v');
            self.flags = flags;
        }
        self.literal(b")");
    }

    /// Text at the width of the directive, which counts characters.
    fn pad(&mut self, bytes: &[u8]) {
        self.pad_text(&Text::from(bytes));
    }

    fn pad_text(&mut self, text: &Text) {
        let length = || text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum();
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(length()));
        if missing > 0 && !self.flags.minus {
            let filling = if self.flags.zero { b"0" } else { b" " };
            self.literal(&filling.repeat(missing));
        }
        self.out.push_text(text);
        if missing > 0 && self.flags.minus {
            self.literal(&b" ".repeat(missing));
        }
    }

    fn string(&mut self, value: &Value, text: &Text, verb: char) {
        let cut = self.cut(text);
        match verb {
            'v' if self.go_syntax => self.quoted(&cut),
            'v' | 's' => self.pad_text(&cut),
            'q' => self.quoted(&cut),
            'x' => self.hexadecimal(text, false),
            'X' => self.hexadecimal(text, true),
            _ => self.bad_verb(value, verb),
        }
    }

    /// At most as many characters as the precision says.
    fn cut(&self, text: &Text) -> Text {
        let Some(precision) = self.flags.precision else { return text.clone() };
        let mut end = 0;
        for _ in 0..precision {
            match super::directive::first_rune(&text[end..]) {
                Some((_, length)) => end += length,
                None => return text.clone(),
            }
        }
        text.slice(0..end)
    }

    fn quoted(&mut self, text: &Text) {
        let backquoted = self.flags.sharp && std::str::from_utf8(text).is_ok_and(quote::can_backquote);
        let quoted = if backquoted {
            format!("`{}`", text.to_str())
        } else if self.flags.plus {
            quote::quote_to_ascii(text)
        } else {
            quote::quote(text)
        };
        self.pad_text(&Text::from(quoted).with_origin(&text.origin_at(0)));
    }

    fn hexadecimal(&mut self, bytes: &[u8], upper: bool) {
        let bytes = &bytes[..self.flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let prefix = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut text = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && self.flags.space {
                text.push(' ');
            }
            if index == 0 || self.flags.space {
                text.push_str(prefix);
            }
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(text.as_bytes());
    }

    fn integer(&mut self, value: &Value, magnitude: u64, negative: bool, signed: bool, verb: char) {
        let (digits, prefix) = match verb {
            'v' if self.go_syntax && !signed => (format!("{magnitude:x}"), "0x"),
            'v' | 'd' => (magnitude.to_string(), ""),
            'b' => (format!("{magnitude:b}"), if self.flags.sharp { "0b" } else { "" }),
            'o' => (format!("{magnitude:o}"), if self.flags.sharp { "0" } else { "" }),
            'O' => (format!("{magnitude:o}"), "0o"),
            'x' => (format!("{magnitude:x}"), if self.flags.sharp { "0x" } else { "" }),
            'X' => (format!("{magnitude:X}"), if self.flags.sharp { "0X" } else { "" }),
            'c' => return self.pad(rune(magnitude, negative).to_string().as_bytes()),
            'q' => return self.pad(quote::quote_rune(rune(magnitude, negative), self.flags.plus).as_bytes()),
            'U' => return self.unicode(magnitude, negative),
            _ => return self.bad_verb(value, verb),
        };
        let sign = if negative {
            "-"
        } else if self.flags.plus {
            "+"
        } else if self.flags.space {
            " "
        } else {
            ""
        };
        let digits = match self.flags.precision {
            // Go prints nothing for zero with precision zero.
            Some(0) if magnitude == 0 => return self.pad_plain(b""),
            Some(precision) => format!("{digits:0>precision$}"),
            None if self.flags.zero && !self.flags.minus => {
                let width = self.flags.width.unwrap_or(0).saturating_sub(sign.len());
                format!("{digits:0>width$}")
            }
            None => digits,
        };
        self.pad_plain(format!("{sign}{prefix}{digits}").as_bytes());
    }

    /// Text at the width of the directive, filled with spaces whatever the flags say.
    fn pad_plain(&mut self, bytes: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.pad(bytes);
        self.flags.zero = zero;
    }

    fn unicode(&mut self, magnitude: u64, negative: bool) {
        let number = if negative { magnitude.wrapping_neg() } else { magnitude };
        let width = self.flags.precision.unwrap_or(4).max(4);
        let shown = match u32::try_from(number).ok().and_then(char::from_u32) {
            Some(rune) if self.flags.sharp && quote::is_printable(rune) => format!(" '{rune}'"),
            _ => String::new(),
        };
        self.pad_plain(format!("U+{number:0>width$X}{shown}").as_bytes());
    }

    fn float(&mut self, value: &Value, number: f64, kind: FloatKind, verb: char) {
        let precision = self.flags.precision;
        let (format, precision) = match verb {
            'v' | 'g' | 'G' => (FloatFormat::General, precision),
            'e' | 'E' => (FloatFormat::Exponent, Some(precision.unwrap_or(6))),
            'f' | 'F' => (FloatFormat::Decimal, Some(precision.unwrap_or(6))),
            'x' | 'X' if number.is_finite() => {
                let text = hexadecimal_float(number);
                let text = if verb == 'X' { text.to_uppercase() } else { text };
                return self.pad_plain(text.as_bytes());
            }
            _ => return self.bad_verb(value, verb),
        };
        let text = format_float(number, format, precision, kind);
        let text = if verb.is_ascii_uppercase() { text.replace('e', "E") } else { text };
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (&text[..1], digits),
            None => ("+", text.as_str()),
        };
        let sign = match sign {
            "-" => "-",
            _ if self.flags.plus => "+",
            _ if self.flags.space => " ",
            // Go writes the sign of infinity always.
            _ if number.is_infinite() && verb != 'v' => "+",
            _ if number.is_infinite() => "+",
            _ => "",
        };
        let finite = number.is_finite();
        if finite && self.flags.zero && !self.flags.minus {
            let width = self.flags.width.unwrap_or(0).saturating_sub(sign.len());
            self.pad_plain(format!("{sign}{digits:0>width$}").as_bytes());
        } else {
            self.pad_plain(format!("{sign}{digits}").as_bytes());
        }
    }

    fn list(&mut self, value: &Value, list: &List, verb: char) {
        if list.element() == ElementType::Byte && matches!(verb, 's' | 'q' | 'x' | 'X') {
            return self.string(value, &list.as_bytes().unwrap_or_default(), verb);
        }
        if self.go_syntax {
            self.literal(list.element().slice_type_name().as_bytes());
            return self.items(list, verb, ["{", ", ", "}"]);
        }
        self.items(list, verb, ["[", " ", "]"]);
    }

    fn items(&mut self, list: &List, verb: char, [open, between, close]: [&str; 3]) {
        self.literal(open.as_bytes());
        self.depth += 1;
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.literal(between.as_bytes());
            }
            self.nested(item, verb);
        }
        self.depth -= 1;
        self.literal(close.as_bytes());
    }

    /// A value within another: nil has a form of its own there.
    fn nested(&mut self, value: &Value, verb: char) {
        match (value.is_nil(), self.go_syntax) {
            (true, true) => self.literal(b"interface {}(nil)"),
            (true, false) => self.literal(b"<nil>"),
            (false, _) => self.print(value, verb),
        }
    }

    fn map(&mut self, map: &Map, verb: char) {
        if self.go_syntax {
            self.literal(map.declared().type_name().as_bytes());
        }
        let [open, between, close] = if self.go_syntax { ["{", ", ", "}"] } else { ["map[", " ", "]"] };
        self.literal(open.as_bytes());
        self.depth += 1;
        for (index, (key, value)) in map.entries().iter().enumerate() {
            if index > 0 {
                self.literal(between.as_bytes());
            }
            self.print(&Value::from(key.clone()), verb);
            self.literal(b":");
            self.nested(value, verb);
        }
        self.depth -= 1;
        self.literal(close.as_bytes());
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) {
        if let (Some(text), 'v' | 's' | 'q' | 'x' | 'X', false) = (object.display(), verb, self.go_syntax) {
            return self.string(value, &text, verb);
        }
        let plain = object.plain();
        let Some(fields) = plain.as_map().filter(|_| matches!(object.kind(), Kind::Struct | Kind::Pointer)) else {
            return self.print(&plain, verb);
        };
        if object.kind() == Kind::Pointer && self.depth == 0 {
            self.literal(b"&");
        }
        if self.go_syntax {
            self.literal(object.type_name().trim_start_matches('*').as_bytes());
        }
        self.literal(b"{");
        self.depth += 1;
        for (index, (name, field)) in fields.entries().iter().enumerate() {
            if index > 0 {
                self.literal(if self.go_syntax { b", " } else { b" " });
            }
            if self.field_names || self.go_syntax {
                self.literal(name);
                self.literal(b":");
            }
            self.nested(field, verb);
        }
        self.depth -= 1;
        self.literal(b"}");
    }
}

/// `0x1.8p+00`: all digits of the mantissa and a power of two, as Go prints floats with `%x`.
fn hexadecimal_float(number: f64) -> String {
    const FRACTION_BITS: u32 = 52;
    let bits = number.to_bits();
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let mut fraction = bits & ((1 << FRACTION_BITS) - 1);
    let mut exponent = ((bits >> FRACTION_BITS) & 0x7ff) as i32 - 1023;
    if number == 0.0 {
        return format!("{sign}0x0p+00");
    }
    if exponent == -1023 {
        // A number too small for a leading one is shifted until it has one.
        let shift = fraction.leading_zeros() - (63 - FRACTION_BITS);
        fraction = (fraction << shift) & ((1 << FRACTION_BITS) - 1);
        exponent = -1022 - shift as i32;
    }
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x1{point}{digits}p{exponent_sign}{:02}", exponent.unsigned_abs())
}

/// The character of a code point; U+FFFD where there is none.
fn rune(magnitude: u64, negative: bool) -> char {
    let code = if negative { None } else { u32::try_from(magnitude).ok() };
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
