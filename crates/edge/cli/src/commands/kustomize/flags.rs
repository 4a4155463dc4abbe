//! The flags of `kustomize`: [`Flags`].

use super::Failure;

/// Reads flags as Go's pflag does: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, anywhere before `--`.
pub(super) struct Flags<'a> {
    rest: std::slice::Iter<'a, String>,
    current: &'a str,
    value: Option<&'a str>,
    only_positional: bool,
}

pub(super) enum Argument<'a> {
    Flag(&'a str),
    Positional(&'a str),
}

impl<'a> Flags<'a> {
    pub(super) fn new(arguments: &'a [String]) -> Self {
        Self { rest: arguments.iter(), current: "", value: None, only_positional: false }
    }

    pub(super) fn next(&mut self) -> Result<Option<Argument<'a>>, Failure> {
        let Some(argument) = self.rest.next() else { return Ok(None) };
        if self.only_positional || argument == "-" || !argument.starts_with('-') {
            return Ok(Some(Argument::Positional(argument)));
        }
        if argument == "--" {
            self.only_positional = true;
            return self.next();
        }
        let (name, value) = match argument.strip_prefix("--") {
            Some(long) => long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))),
            None => {
                let short = &argument[1..];
                let end = short.chars().next().map_or(0, char::len_utf8);
                let (name, value) = short.split_at(end);
                (name, (!value.is_empty()).then(|| value.strip_prefix('=').unwrap_or(value)))
            }
        };
        (self.current, self.value) = (name, value);
        Ok(Some(Argument::Flag(name)))
    }

    pub(super) fn value(&mut self) -> Result<String, Failure> {
        let next = match self.value.take() {
            Some(value) => Some(value),
            None => self.rest.next().map(String::as_str),
        };
        next.map(str::to_owned).ok_or_else(|| Failure::text(format!("flag needs an argument: --{}", self.current)))
    }

    pub(super) fn switch(&mut self) -> Result<bool, Failure> {
        match self.value.take() {
            None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
            Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
            Some(other) => Err(Failure::text(format!(
                "invalid argument \"{other}\" for \"--{}\" flag: strconv.ParseBool: parsing \"{other}\": invalid syntax",
                self.current
            ))),
        }
    }
}

pub(super) fn unknown(name: &str) -> Failure {
    if name.chars().count() == 1 {
        Failure::text(format!("unknown shorthand flag: '{name}' in -{name}"))
    } else {
        Failure::text(format!("unknown flag: --{name}"))
    }
}
