//! Flags by the rules of spf13/pflag: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-abc`, flags and
//! arguments in any order, `--` ends the flags.

use std::collections::HashMap;

/// A flag as the command line may have it.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) shorthand: Option<char>,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing, or `=true` and `=false`.
    Bool,
    /// One value; the last wins.
    Text,
    /// A value, or the given one if there is no `=`.
    OptionalText(&'static str),
    /// A value each time.
    Array,
    /// Values separated by commas, as CSV, each time.
    Slice,
    /// A Go duration.
    Duration,
    /// An integer.
    Integer,
    /// A number.
    Number,
}

pub(crate) const fn flag(name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag { name, shorthand: None, kind, help }
}

pub(crate) const fn short(shorthand: char, name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag { name, shorthand: Some(shorthand), kind, help }
}

/// `--help`, which every command has.
pub(crate) const HELP: Flag = short('h', "help", Kind::Bool, "this text");

/// A command line taken apart.
#[derive(Default)]
pub(crate) struct Parsed {
    /// What is no flag.
    pub(crate) arguments: Vec<String>,
    /// The flags, as they were given.
    pub(crate) given: Vec<&'static str>,
    values: HashMap<&'static str, Vec<String>>,
}

impl Parsed {
    /// Whether a boolean flag is on.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Whether a flag was given at all.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The last value of a flag.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.last().map(String::as_str)
    }

    /// All values of a flag.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

/// Takes the arguments of a command apart, which has the flags of all `sets`, and `--help`. Errors are pflag's.
pub(crate) fn parse(sets: &[&'static [Flag]], arguments: &[String]) -> Result<Parsed, String> {
    let find = |wanted: &dyn Fn(&Flag) -> bool| {
        sets.iter().copied().flatten().chain(std::iter::once(&HELP)).find(|flag| wanted(flag))
    };
    let mut parsed = Parsed::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parsed.arguments.extend(rest.by_ref().cloned());
        } else if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if name.is_empty() || name.starts_with('-') {
                return Err(format!("bad flag syntax: {argument}"));
            }
            let flag = find(&|flag| flag.name == name).ok_or_else(|| format!("unknown flag: --{name}"))?;
            let value = match (value, flag.kind) {
                (Some(value), _) => value.to_owned(),
                (None, Kind::Bool) => "true".to_owned(),
                (None, Kind::OptionalText(default)) => default.to_owned(),
                (None, _) => rest.next().ok_or_else(|| format!("flag needs an argument: --{name}"))?.clone(),
            };
            parsed.add(flag, &value)?;
        } else if argument.len() > 1 && argument.starts_with('-') {
            let mut letters = argument[1..].chars();
            while let Some(letter) = letters.next() {
                let after = letters.as_str();
                let flag = find(&|flag| flag.shorthand == Some(letter))
                    .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in -{letter}{after}"))?;
                let value = match after.strip_prefix('=') {
                    Some(value) if after.len() > 1 => Some(value.to_owned()),
                    _ if flag.kind == Kind::Bool => None,
                    _ if !after.is_empty() => Some(after.to_owned()),
                    _ => Some(
                        rest.next().ok_or_else(|| format!("flag needs an argument: '{letter}' in -{letter}"))?.clone(),
                    ),
                };
                match value {
                    None => parsed.add(flag, "true")?,
                    Some(value) => {
                        parsed.add(flag, &value)?;
                        break;
                    }
                }
            }
        } else {
            parsed.arguments.push(argument.clone());
        }
    }
    Ok(parsed)
}

/// Where the next word stands that is no flag and no flag's value, before it is known whose flags they are: like cobra,
/// it takes a flag that it does not know for one with a value.
pub(crate) fn next_word(global: &'static [Flag], arguments: &[String]) -> Option<usize> {
    let takes_none = |wanted: &dyn Fn(&Flag) -> bool| {
        let flag = std::iter::once(&HELP).chain(global).find(|flag| wanted(flag));
        flag.is_some_and(|flag| matches!(flag.kind, Kind::Bool | Kind::OptionalText(_)))
    };
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        let has_value_behind = if argument == "--" {
            return None;
        } else if let Some(name) = argument.strip_prefix("--") {
            !name.contains('=') && !takes_none(&|flag| flag.name == name)
        } else if let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            letters.len() == 1 && !takes_none(&|flag| flag.shorthand == letters.chars().next())
        } else {
            return Some(at);
        };
        at += 1 + usize::from(has_value_behind);
    }
    None
}

/// What pflag says of a value that a flag does not take.
pub(crate) fn refusal(flag: &Flag, value: &str, reason: &str) -> String {
    let name = match flag.shorthand {
        Some(letter) => format!("-{letter}, --{}", flag.name),
        None => format!("--{}", flag.name),
    };
    format!("invalid argument {value:?} for {name:?} flag: {reason}")
}

impl Parsed {
    fn add(&mut self, flag: &'static Flag, value: &str) -> Result<(), String> {
        let refuse = |reason: String| refusal(flag, value, &reason);
        let syntax = |function: &str| refuse(format!("strconv.{function}: parsing {value:?}: invalid syntax"));
        self.given.push(flag.name);
        let entry = self.values.entry(flag.name).or_default();
        match flag.kind {
            Kind::Bool => entry.push(boolean(value).ok_or_else(|| syntax("ParseBool"))?.to_string()),
            Kind::Text | Kind::OptionalText(_) | Kind::Array => entry.push(value.to_owned()),
            Kind::Slice => entry.extend(csv(value).map_err(refuse)?),
            Kind::Duration if is_duration(value) => entry.push(value.to_owned()),
            Kind::Duration => return Err(refuse(format!("time: invalid duration {value:?}"))),
            Kind::Integer => entry.push(value.parse::<i64>().map_err(|_| syntax("ParseInt"))?.to_string()),
            Kind::Number => entry.push(value.parse::<f32>().map_err(|_| syntax("ParseFloat"))?.to_string()),
        }
        Ok(())
    }
}

/// Go's `strconv.ParseBool`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// One line of CSV, as pflag's slices are read.
fn csv(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    if line.is_empty() {
        return Ok(fields);
    }
    let mut rest = line;
    loop {
        let field;
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut body = quoted;
            loop {
                let end = body.find('"').ok_or("parse error on line 1: extraneous or missing \" in quoted-field")?;
                text.push_str(&body[..end]);
                body = &body[end + 1..];
                match body.strip_prefix('"') {
                    Some(after) => {
                        text.push('"');
                        body = after;
                    }
                    None => break,
                }
            }
            if !body.is_empty() && !body.starts_with(',') {
                return Err("parse error on line 1: extraneous or missing \" in quoted-field".to_owned());
            }
            field = text;
            rest = body;
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            if rest[..end].contains('"') {
                return Err("parse error on line 1: bare \" in non-quoted-field".to_owned());
            }
            field = rest[..end].to_owned();
            rest = &rest[end..];
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// Whether Go's `time.ParseDuration` would take it.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        if !digits.contains(|c: char| c.is_ascii_digit()) || digits.matches('.').count() > 1 {
            return false;
        }
        if !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&unit) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Parsed, String> {
        const OWN: &[Flag] = &[short('g', "generate-name", Kind::Bool, ""), short('s', "show-only", Kind::Array, "")];
        const MORE: &[Flag] = &[
            flag("timeout", Kind::Duration, ""),
            flag("debug", Kind::Bool, ""),
            flag("set", Kind::Array, ""),
            short('f', "values", Kind::Slice, ""),
            short('n', "namespace", Kind::Text, ""),
        ];
        parse(&[OWN, MORE], &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        let flags =
            parsed("template r --set a=b c --set=c=d -n ns -fx,y -f z -gs a --debug=false -- --set").expect("good");
        assert_eq!(flags.arguments, ["template", "r", "c", "--set"]);
        assert_eq!(flags.all("set"), ["a=b", "c=d"]);
        assert_eq!(flags.all("values"), ["x", "y", "z"]);
        assert_eq!(flags.all("show-only"), ["a"]);
        assert_eq!(flags.text("namespace"), Some("ns"));
        assert!(flags.is_set("generate-name") && !flags.is_set("debug") && flags.is_given("debug"));
    }

    #[test]
    fn wrong_flags_get_pflags_errors() {
        let cases = [
            ("--nosuch", "unknown flag: --nosuch"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("--set", "flag needs an argument: --set"),
            ("-n", "flag needs an argument: 'n' in -n"),
            (
                "--debug=x",
                "invalid argument \"x\" for \"--debug\" flag: strconv.ParseBool: parsing \"x\": invalid syntax",
            ),
            ("--timeout=5", "invalid argument \"5\" for \"--timeout\" flag: time: invalid duration \"5\""),
        ];
        for (line, wanted) in cases {
            assert_eq!(parsed(line).err().as_deref(), Some(wanted), "{line}");
        }
    }
}
