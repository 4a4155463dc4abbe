//! Go's package fmt, and the parts of strconv that templates and their functions show through.
//!
//! [`sprintf`], [`sprint`] and [`sprintln`] print values as Go does, down to `%!d(string=x)` for a verb that does not
//! fit. Numbers become text in [`format_float`], text becomes numbers in [`parse_int`] and its siblings, and strings
//! are quoted by [`quote`].

mod directive;
mod float;
mod parse;
mod printer;
mod quote;

pub use float::{FloatFormat, format_float};
pub use parse::{parse_bool, parse_float, parse_int, parse_uint};
pub use quote::{is_plain, quote, quote_to_ascii, unquote};

use crate::{Data, Text, Value};
use printer::Printer;

/// `fmt.Sprintf`, with Go's `%!verb(type=value)` for what does not fit.
///
/// Where the format is nothing but `%s` or `%v` around texts, their marks are kept.
pub fn sprintf(format: &[u8], arguments: &[Value]) -> Text {
    let mut printer = Printer::new();
    directive::print(&mut printer, format, arguments);
    printer.finish()
}

/// `fmt.Sprint`: spaces between operands where neither is a string.
pub fn sprint(arguments: &[Value]) -> Text {
    if let [Value { data: Data::String(text), .. }] = arguments {
        return text.clone();
    }
    let mut printer = Printer::new();
    for (index, argument) in arguments.iter().enumerate() {
        let is_string = |value: &Value| matches!(value.data, Data::String(_));
        if index > 0 && !is_string(argument) && !is_string(&arguments[index - 1]) {
            printer.literal(b" ");
        }
        printer.print(argument, b'v' as char);
    }
    printer.finish()
}

/// `fmt.Sprintln`: spaces between all operands, and a newline.
pub fn sprintln(arguments: &[Value]) -> Text {
    let mut printer = Printer::new();
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            printer.literal(b" ");
        }
        printer.print(argument, 'v');
    }
    printer.literal(b"\n");
    printer.finish()
}

#[cfg(test)]
mod tests;
