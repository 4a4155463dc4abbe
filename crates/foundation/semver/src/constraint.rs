//! [`Constraint`]: which versions will do.

use crate::Error;
use crate::version::{Version, compare_prereleases, take_identifiers};
use std::fmt;

const MAX_LENGTH: usize = 512;
const MAX_ALTERNATIVES: usize = 32;

/// Alternatives (`||`), each a list of conditions (spaces or commas) that must all hold.
///
/// A condition is an operator (`=`, `!=`, `>`, `<`, `>=`, `=>`, `<=`, `=<`, `~`, `~>`, `^` or none) and a version in
/// which numbers may be absent or `x`, `X`, `*`; `1.2 - 2` stands for `>= 1.2, <= 2`.
#[derive(Clone, Debug)]
pub struct Constraint {
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
struct Alternative {
    conditions: Vec<Condition>,
    /// Pre-releases are looked at only where one of the conditions names one.
    names_prerelease: bool,
}

#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    /// The version with its wildcards as 0.
    version: Version,
    operator_text: &'static str,
    version_text: Box<str>,
    /// What is a wildcard, if anything.
    open: Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The longer spellings first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads a constraint.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::ConstraintTooLong);
        }
        let text = rewrite_hyphen_ranges(text);
        if text.split("||").count() > MAX_ALTERNATIVES {
            return Err(Error::TooManyConstraintGroups);
        }
        let alternatives = text.split("||").map(Alternative::parse).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether `version` will do.
    pub fn check(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|alternative| {
            (version.prerelease().is_empty() || alternative.names_prerelease)
                && alternative.conditions.iter().all(|condition| condition.holds(version))
        })
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, alternative) in self.alternatives.iter().enumerate() {
            f.write_str(if index > 0 { " || " } else { "" })?;
            for (index, condition) in alternative.conditions.iter().enumerate() {
                f.write_str(if index > 0 { " " } else { "" })?;
                write!(f, "{}{}", condition.operator_text, condition.version_text)?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Constraint {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Alternative {
    fn parse(text: &str) -> Result<Self, Error> {
        let improper = || Error::ImproperConstraint(text.to_owned());
        let mut parts = Vec::new();
        let mut rest = skip_space(text);
        loop {
            let (operator_text, operator) =
                OPERATORS.into_iter().find(|(o, _)| rest.starts_with(o)).unwrap_or(("", Operator::TildeOrEqual));
            rest = skip_space(&rest[operator_text.len()..]);
            let pattern = Pattern::take(&mut rest).ok_or_else(improper)?;
            parts.push((operator_text, operator, pattern));
            let after = skip_space(rest);
            if after.is_empty() {
                break;
            }
            rest = match after.strip_prefix(',') {
                Some(after) => skip_space(after),
                None if after.len() < rest.len() => after,
                None => return Err(improper()),
            };
        }
        // The shape of the whole is looked at before the versions in it, so that the former's error comes first.
        let conditions = parts.into_iter().map(|(text, operator, pattern)| Condition::new(text, operator, pattern));
        let conditions: Vec<Condition> = conditions.collect::<Result<_, _>>()?;
        let names_prerelease = conditions.iter().any(|condition| !condition.version.prerelease().is_empty());
        Ok(Self { conditions, names_prerelease })
    }
}

/// A version with wildcards, as it stands in the text.
struct Pattern<'a> {
    text: &'a str,
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    prerelease: Option<&'a str>,
}

impl<'a> Pattern<'a> {
    /// Takes the longest pattern in front of `rest`.
    fn take(rest: &mut &'a str) -> Option<Self> {
        let start = *rest;
        let mut after = start.strip_prefix('v').unwrap_or(start);
        let major = take_number(&mut after)?;
        let minor = take_dotted_number(&mut after);
        let patch = minor.and_then(|_| take_dotted_number(&mut after));
        let prerelease = take_identifiers(&mut after, '-');
        let _metadata = take_identifiers(&mut after, '+');
        let text = &start[..start.len() - after.len()];
        *rest = after;
        Some(Self { text, major, minor, patch, prerelease })
    }
}

/// Digits and wildcards. The Go library lets `|` pass here too, which matters where `1||2` stands before ` - `.
fn take_number<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|');
    let end = rest.bytes().position(|byte| !is_number(byte)).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    *rest = after;
    (!number.is_empty()).then_some(number)
}

fn take_dotted_number<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let mut after = rest.strip_prefix('.')?;
    let number = take_number(&mut after)?;
    *rest = after;
    Some(number)
}

/// Past what RE2's `\s` takes for space.
fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r', '\x0c'])
}

/// `a - b` as `>= a, <= b `, wherever it stands. The spaces around go with it, as in the Go library.
fn rewrite_hyphen_ranges(text: &str) -> std::borrow::Cow<'_, str> {
    let mut out = std::borrow::Cow::Borrowed(text);
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let mut after = skip_space(rest);
        match take_hyphen_range(&mut after) {
            Some((from, to)) => {
                let matched = &rest[..rest.len() - after.len()];
                out = out.replacen(matched, &format!(">= {from}, <= {to} "), 1).into();
                at += matched.len();
            }
            None => match rest.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            },
        }
    }
    out
}

fn take_hyphen_range<'a>(rest: &mut &'a str) -> Option<(&'a str, &'a str)> {
    let from = Pattern::take(rest)?.text;
    let behind = skip_space(rest);
    let mut after = behind.strip_prefix('-').filter(|_| behind.len() < rest.len())?;
    let behind = skip_space(after);
    if behind.len() == after.len() {
        return None;
    }
    after = behind;
    let to = Pattern::take(&mut after)?.text;
    *rest = skip_space(after);
    Some((from, to))
}

impl Condition {
    fn new(operator_text: &'static str, operator: Operator, pattern: Pattern<'_>) -> Result<Self, Error> {
        let is_open = |number: Option<&str>| matches!(number, None | Some("x" | "X" | "*"));
        let Pattern { text, major, minor, patch, prerelease } = pattern;
        let prerelease = prerelease.map_or_else(String::new, |prerelease| format!("-{prerelease}"));
        let (open, version) = if is_open(Some(major)) {
            (Open::All, format!("0.0.0{prerelease}"))
        } else if is_open(minor) {
            (Open::Minor, format!("{major}.0.0{prerelease}"))
        } else if is_open(patch) {
            (Open::Patch, format!("{major}.{}.0{prerelease}", minor.unwrap_or("0")))
        } else {
            (Open::Nothing, text.to_owned())
        };
        let version = Version::parse(&version).map_err(|_| Error::ConstraintParser)?;
        Ok(Self { operator, version, operator_text, version_text: text.into(), open })
    }

    /// Whether `version` satisfies it; whether pre-releases are to be looked at at all has been decided before.
    fn holds(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.operator {
            Operator::TildeOrEqual if self.open != Open::Nothing => self.tilde(version),
            Operator::TildeOrEqual => version == wanted,
            Operator::NotEqual => self.not_equal(version),
            Operator::Greater => match self.open {
                Open::Minor => version.major() > wanted.major(),
                Open::Patch => (version.major(), version.minor()) > (wanted.major(), wanted.minor()),
                Open::All => {
                    version.major() > wanted.major() || (version.major() == wanted.major() && version > wanted)
                }
                Open::Nothing => version > wanted,
            },
            Operator::Less => version < wanted,
            Operator::GreaterOrEqual => version >= wanted,
            Operator::LessOrEqual => match self.open {
                Open::Nothing => version <= wanted,
                Open::Minor => version.major() <= wanted.major(),
                Open::Patch | Open::All => (version.major(), version.minor()) <= (wanted.major(), wanted.minor()),
            },
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn not_equal(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if self.open == Open::Nothing {
            return version != wanted;
        }
        if version.major() != wanted.major() {
            return true;
        }
        match self.open {
            Open::Minor => false,
            _ if version.minor() != wanted.minor() => true,
            Open::Patch => compare_prereleases(version.prerelease(), wanted.prerelease()).is_ne(),
            _ => version.patch() != wanted.patch() || version != wanted,
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if version < wanted {
            return false;
        }
        let is_zero = (wanted.major(), wanted.minor(), wanted.patch()) == (0, 0, 0);
        if is_zero && matches!(self.open, Open::Nothing | Open::All) {
            return true;
        }
        version.major() == wanted.major() && (version.minor() == wanted.minor() || self.open == Open::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if version < wanted {
            return false;
        }
        if wanted.major() > 0 || self.open == Open::Minor {
            return version.major() == wanted.major();
        }
        if version.major() > 0 {
            return false;
        }
        if wanted.minor() > 0 || self.open == Open::Patch {
            return version.minor() == wanted.minor();
        }
        version.minor() == 0 && version.patch() == wanted.patch()
    }
}
