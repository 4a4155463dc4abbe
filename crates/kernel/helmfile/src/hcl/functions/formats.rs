//! `format` and `formatlist`: cty's own verbs, like Go's.

use super::super::conversion::convert;
use super::super::number::Number;
use super::super::value::{HEAVIEST, Type, Value};
use super::encodings::to_json;
use super::{ANY_OR_NULL, Fault, Function, Outcome, TEXT, blame, list, text, variadic};
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("format", &[TEXT], ANY_OR_NULL, |arguments| {
        Ok(formatted(text(arguments, 0)?, arguments.get(1..).unwrap_or_default())?.into())
    }),
    variadic("formatlist", &[TEXT], ANY_OR_NULL, format_list),
];

/// No text is made wider, no number longer.
const WIDEST: usize = 10_000;

fn format_list(arguments: &[Value]) -> Outcome {
    let (pattern, arguments) = (text(arguments, 0)?, arguments.get(1..).unwrap_or_default());
    let is_list = |value: &Value| value.kind.is_sequence() && !value.is_null();
    let mut length: Option<usize> = None;
    for (place, argument) in arguments.iter().enumerate().filter(|(_, argument)| is_list(argument)) {
        let count = argument.count();
        if length.is_some_and(|length| length != count) {
            let message = format!("this list has {count} elements, another one {}", length.unwrap_or(0));
            return Err(blame(place + 1, message));
        }
        length = Some(count);
    }
    let length = length.unwrap_or(1);
    let columns: Vec<Vec<Value>> = arguments
        .iter()
        .map(|argument| if is_list(argument) { argument.items().collect() } else { vec![argument.clone(); length] })
        .collect();
    let mut total = 0;
    let mut rows = Vec::new();
    for at in 0..length {
        let row: Vec<Value> = columns.iter().map(|column| column[at].clone()).collect();
        let text = formatted(pattern, &row).map_err(|fault| {
            let argument = if is_list_at(arguments, fault.argument) { None } else { fault.argument };
            Fault { argument, message: format!("for element {at}: {}", fault.message) }
        })?;
        total += text.len() as u64;
        if total > HEAVIEST * 16 {
            return Err("the text is too large".into());
        }
        rows.push(Value::from(text));
    }
    list(&Type::String, rows)
}

/// The element of a list is to blame then, not the whole.
fn is_list_at(arguments: &[Value], place: Option<usize>) -> bool {
    place.and_then(|place| arguments.get(place.wrapping_sub(1))).is_some_and(|value| value.kind.is_sequence())
}

/// A verb with its flags.
#[derive(Default)]
struct Verb {
    sharp: bool,
    zero: bool,
    minus: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
    mode: char,
}

fn formatted(pattern: &str, arguments: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = 1;
    let mut highest = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let mut verb = Verb::default();
        loop {
            match rest.bytes().next() {
                Some(b'#') => verb.sharp = true,
                Some(b'0') => verb.zero = true,
                Some(b'-') => verb.minus = true,
                Some(b'+') => verb.plus = true,
                Some(b' ') => verb.space = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        verb.width = take_number(&mut rest)?;
        if let Some(behind) = rest.strip_prefix('.') {
            rest = behind;
            verb.precision = Some(take_number(&mut rest)?.unwrap_or(0));
        }
        let mut place = next;
        if let Some(behind) = rest.strip_prefix('[') {
            rest = behind;
            let number = if rest.starts_with('0') { None } else { take_number(&mut rest)? };
            place = number.ok_or_else(|| blame(0, "`[` is followed by the number of an argument, from 1"))?;
            rest = rest.strip_prefix(']').ok_or_else(|| blame(0, "a `[` has no partner"))?;
        }
        verb.mode = rest.chars().next().ok_or_else(|| blame(0, "`%` is followed by a verb, and by `%` for itself"))?;
        if !verb.mode.is_ascii_alphabetic() {
            return Err(blame(0, format!("{:?} is no verb", verb.mode)));
        }
        rest = &rest[1..];
        let argument = arguments
            .get(place - 1)
            .ok_or_else(|| Fault::from(format!("`%{}` needs argument {place} of {}", verb.mode, arguments.len())))?;
        let text = verb.format(argument).map_err(|message| blame(place, format!("`%{}`: {message}", verb.mode)))?;
        out.push_str(&text);
        if out.len() as u64 > HEAVIEST * 16 {
            return Err("the text is too large".into());
        }
        highest = highest.max(place);
        next = place + 1;
    }
    out.push_str(rest);
    if highest < arguments.len() {
        return Err(blame(highest + 1, format!("the format uses only {highest} of the arguments")));
    }
    Ok(out)
}

fn take_number(rest: &mut &str) -> Result<Option<usize>, Fault> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, behind) = rest.split_at(length);
    *rest = behind;
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.parse().ok().filter(|number| *number <= WIDEST);
    number.map(Some).ok_or_else(|| blame(0, format!("a number in a format is at most {WIDEST}")))
}

impl Verb {
    fn format(&self, value: &Value) -> Result<String, String> {
        if value.is_null() && self.mode != 'v' {
            return Err("a null can't be formatted".to_owned());
        }
        match self.mode {
            'v' => {
                let plain = if self.sharp { None } else { value.as_str().map(str::to_owned) };
                let number = value.as_number().filter(|_| !self.sharp).map(|number| number.formatted('g', None));
                let text = match plain.or(number) {
                    Some(text) => text,
                    None => to_json(value)?,
                };
                Ok(self.padded(&text))
            }
            't' => {
                let value = convert(value, &Type::Bool)?;
                Ok(value.as_bool().unwrap_or_default().to_string())
            }
            'b' | 'd' | 'o' | 'x' | 'X' => self.integer(self.number(value)?.as_number().ok_or("a number is required")?),
            'e' | 'E' | 'f' | 'g' | 'G' => {
                Ok(self.float(self.number(value)?.as_number().ok_or("a number is required")?))
            }
            's' | 'q' => {
                let value = convert(value, &Type::String)?;
                let text = value.as_str().unwrap_or_default();
                let text: String = match self.precision {
                    Some(most) if most > 0 => text.graphemes(true).take(most).collect(),
                    _ => text.to_owned(),
                };
                let text = if self.mode == 'q' { to_json(&text.into())? } else { text };
                Ok(self.padded(&text))
            }
            mode => Err(format!("there is no verb {mode:?}")),
        }
    }

    fn number(&self, value: &Value) -> Result<Value, String> {
        convert(value, &Type::Number)
    }

    fn padded(&self, text: &str) -> String {
        let count = text.graphemes(true).count();
        let pads = if self.zero { "0" } else { " " }.repeat(self.width.unwrap_or(0).saturating_sub(count));
        if self.minus { format!("{text}{pads}") } else { format!("{pads}{text}") }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        }
    }

    /// As Go formats a `big.Int`.
    fn integer(&self, number: &Number) -> Result<String, String> {
        let (negative, whole) = number.to_whole().ok_or("a whole number is required")?;
        let (base, prefix) = match self.mode {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = whole.to_str_radix(base);
        if self.mode == 'X' {
            digits.make_ascii_uppercase();
        }
        let prefix = if self.sharp { prefix } else { "" };
        if self.precision == Some(0) && digits == "0" {
            return Ok(String::new());
        }
        let mut zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let sign = self.sign(negative);
        let length = sign.len() + prefix.len() + zeros + digits.len();
        let missing = self.width.unwrap_or(0).saturating_sub(length);
        let (mut left, mut right) = (0, 0);
        match (self.minus, self.zero && self.precision.is_none()) {
            (true, _) => right = missing,
            (_, true) => zeros = missing,
            _ => left = missing,
        }
        let [left, zeros, right] = [(" ", left), ("0", zeros), (" ", right)].map(|(text, count)| text.repeat(count));
        Ok(format!("{left}{sign}{prefix}{zeros}{digits}{right}"))
    }

    /// As Go formats a `big.Float`.
    fn float(&self, number: &Number) -> String {
        let precision = match self.mode {
            'g' | 'G' => self.precision,
            _ => Some(self.precision.unwrap_or(6)),
        };
        let text = number.formatted(self.mode, precision);
        let (sign, body) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(body), _) => ("-", body),
            (_, Some(body)) => (if self.space { " " } else { "+" }, body),
            _ => (self.sign(false), text.as_str()),
        };
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + body.len());
        match (self.minus, self.zero && number.is_finite()) {
            (true, _) => format!("{sign}{body}{}", " ".repeat(missing)),
            (_, true) => format!("{sign}{}{body}", "0".repeat(missing)),
            _ => format!("{}{sign}{body}", " ".repeat(missing)),
        }
    }
}
