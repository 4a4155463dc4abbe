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

/// `key:value` or `key:"value"`; a key alone has an empty value.
pub(super) fn pair<'a>(argument: &'a str, what: &str) -> Result<(&'a str, &'a str), Failure> {
    let (key, value) = argument.split_once(':').unwrap_or((argument, ""));
    if key.is_empty() && argument.starts_with(':') {
        return Err(Failure::text(format!("invalid {what}: '{argument}' (need k:v pair where v may be quoted)")));
    }
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Ok((key, quoted.unwrap_or(value)))
}

/// The flags and arguments of a command that has few.
pub(super) struct Given<'a> {
    pub(super) arguments: Vec<&'a str>,
    texts: Vec<(&'static str, String)>,
    switches: Vec<&'static str>,
}

impl<'a> Given<'a> {
    /// Reads flags with values (`texts`) and without (`switches`: the long name and the short one).
    pub(super) fn read(
        arguments: &'a [String],
        texts: &[&'static str],
        switches: &[(&'static str, &'static str)],
    ) -> Result<Self, Failure> {
        let mut flags = Flags::new(arguments);
        let mut given = Self { arguments: Vec::new(), texts: Vec::new(), switches: Vec::new() };
        while let Some(argument) = flags.next()? {
            let name = match argument {
                Argument::Positional(argument) => {
                    given.arguments.push(argument);
                    continue;
                }
                Argument::Flag(name) => name,
            };
            if let Some(text) = texts.iter().find(|text| **text == name) {
                given.texts.push((text, flags.value()?));
            } else if let Some((long, _)) = switches.iter().find(|(long, short)| *long == name || *short == name) {
                given.switches.retain(|given| given != long);
                if flags.switch()? {
                    given.switches.push(long);
                }
            } else if name == "stack-trace" {
                flags.switch()?;
            } else {
                return Err(unknown(name));
            }
        }
        Ok(given)
    }

    /// The values of a flag, in order.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.texts.iter().filter(move |(flag, _)| *flag == name).map(|(_, value)| value.as_str())
    }

    /// The last value of a flag; empty without one.
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts(name).last().unwrap_or_default()
    }

    /// Whether a flag without a value was given.
    pub(super) fn switch(&self, name: &str) -> bool {
        self.switches.contains(&name)
    }
}
