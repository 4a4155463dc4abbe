//! What is wrong with a version or a constraint, in the Go library's words: [`Error`].

use std::fmt;

/// Why a text is no version or no constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text has not the shape of a version.
    Invalid,
    /// A strict version is empty.
    Empty,
    /// A strict version has something other than digits in a number.
    InvalidCharacters,
    /// A number of a strict version or of a pre-release has a leading zero.
    SegmentStartsZero,
    /// A strict version's build metadata has an empty or odd part.
    InvalidMetadata,
    /// A strict version's pre-release has an empty or odd part.
    InvalidPrerelease,
    /// A number does not fit into 64 bits.
    SegmentOutOfRange(String),
    /// A number of a strict version does not fit into 64 bits, or is missing.
    StrictSegment(String),
    /// The version is longer than 256 bytes.
    VersionTooLong,
    /// A part of a constraint has not the shape of one.
    ImproperConstraint(String),
    /// A part of a constraint has the shape of one, but its version is none.
    ConstraintParser,
    /// The constraint is longer than 512 bytes.
    ConstraintTooLong,
    /// The constraint has more than 32 alternatives.
    TooManyConstraintGroups,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("invalid semantic version"),
            Self::Empty => f.write_str("version string empty"),
            Self::InvalidCharacters => f.write_str("invalid characters in version"),
            Self::SegmentStartsZero => f.write_str("version segment starts with 0"),
            Self::InvalidMetadata => f.write_str("invalid metadata string"),
            Self::InvalidPrerelease => f.write_str("invalid prerelease string"),
            Self::SegmentOutOfRange(digits) => {
                write!(f, "error parsing version segment: strconv.ParseUint: parsing \"{digits}\": value out of range")
            }
            Self::StrictSegment(digits) if digits.is_empty() => {
                f.write_str("strconv.ParseUint: parsing \"\": invalid syntax")
            }
            Self::StrictSegment(digits) => {
                write!(f, "strconv.ParseUint: parsing \"{digits}\": value out of range")
            }
            Self::VersionTooLong => f.write_str("version string is too long (max 256 bytes)"),
            Self::ImproperConstraint(text) => write!(f, "improper constraint: {}", quoted(text)),
            Self::ConstraintParser => f.write_str("constraint parser error"),
            Self::ConstraintTooLong => f.write_str("constraint string is too long (max 512 bytes)"),
            Self::TooManyConstraintGroups => f.write_str("too many constraint groups (max 32)"),
        }
    }
}

impl std::error::Error for Error {}

/// The text as Go's `%q` prints it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            c if c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.escape_debug().len() == 1 => out.push(c),
            c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
