//! Helm's flags, by the rules of spf13/pflag: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-abc`, flags and
//! arguments in any order, `--` ends the flags.

use std::collections::HashMap;

/// A flag as the command line may have it.
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) shorthand: Option<char>,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

pub(super) const fn flag(name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag { name, shorthand: None, kind, help }
}

pub(super) const fn short(shorthand: char, name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag { name, shorthand: Some(shorthand), kind, help }
}

/// `--help`, which every command has.
pub(super) const HELP: Flag = short('h', "help", Kind::Bool, "this text");

/// Where values come from besides the chart.
pub(super) const VALUES: &[Flag] = &[
    flag("set", Kind::Array, "set values: key1=val1,key2=val2"),
    flag("set-file", Kind::Array, "set values to the contents of files: key1=path1,key2=path2"),
    flag("set-json", Kind::Array, "set values to JSON: key1=json1,key2=json2 or {\"key1\": …}"),
    flag("set-literal", Kind::Array, "set one value to the text as it stands"),
    flag("set-string", Kind::Array, "set values to strings: key1=val1,key2=val2"),
    short('f', "values", Kind::Slice, "read values from files; later ones win"),
];

/// How a server is talked to.
pub(super) const SERVER: &[Flag] = &[
    flag("ca-file", Kind::Text, "the certificates that servers are checked with"),
    flag("cert-file", Kind::Text, "the certificate to show to the server"),
    flag("insecure-skip-tls-verify", Kind::Bool, "don't check the server's certificate"),
    flag("key-file", Kind::Text, "the key of that certificate"),
    flag("password", Kind::Text, "the password at the server"),
    flag("plain-http", Kind::Bool, "talk HTTP to registries, without encryption"),
    flag("username", Kind::Text, "the user's name at the server"),
];

/// Where a chart comes from: read by [`locate`](super::location::locate), beside [`SERVER`].
pub(super) const CHART_LOCATION: &[Flag] = &[
    flag("keyring", Kind::Text, "the public keys for --verify"),
    flag("pass-credentials", Kind::Bool, "send user and password to other hosts too"),
    flag("repo", Kind::Text, "the URL of a chart repository"),
    flag("verify", Kind::Bool, "check the package's signature before it is used"),
    flag("version", Kind::Text, "the version of the chart, or a range"),
];

/// Whether versions like 1.0.0-alpha count, where charts come from repositories.
pub(super) const DEVELOPMENT: &[Flag] =
    &[flag("devel", Kind::Bool, "take development versions too; the same as --version '>0.0.0-0'")];

/// Flags of every command.
pub(super) const GLOBAL: &[Flag] = &[
    flag("burst-limit", Kind::Integer, "no effect here"),
    flag("color", Kind::Text, "never, auto or always"),
    flag("colour", Kind::Text, "never, auto or always"),
    flag("compat", Kind::Text, "whose results: helm4 (default) or helm3"),
    flag("content-cache", Kind::Text, "no effect here"),
    flag("debug", Kind::Bool, "print what was rendered also where it is no YAML"),
    flag("kube-apiserver", Kind::Text, "the API server's address"),
    flag("kube-as-group", Kind::Array, "a group to act as a member of"),
    flag("kube-as-user", Kind::Text, "the user to act as in the cluster"),
    flag("kube-ca-file", Kind::Text, "the certificates that the API server is checked with"),
    flag("kube-context", Kind::Text, "the context of the kubeconfig to use"),
    flag("kube-insecure-skip-tls-verify", Kind::Bool, "don't check the API server's certificate"),
    flag("kube-tls-server-name", Kind::Text, "the name that the API server's certificate is for"),
    flag("kube-token", Kind::Text, "the bearer token to show to the API server"),
    flag("kubeconfig", Kind::Text, "the kubeconfig to use"),
    short('n', "namespace", Kind::Text, "the release's namespace"),
    flag("qps", Kind::Number, "no effect here"),
    flag("registry-config", Kind::Text, "no effect here"),
    flag("repository-cache", Kind::Text, "no effect here"),
    flag("repository-config", Kind::Text, "no effect here"),
    // Kubernetes' logging library brings these; Helm hides them.
    flag("add-dir-header", Kind::Bool, ""),
    flag("alsologtostderr", Kind::Bool, ""),
    flag("log-backtrace-at", Kind::Text, ""),
    flag("log-dir", Kind::Text, ""),
    flag("log-file", Kind::Text, ""),
    flag("log-file-max-size", Kind::Integer, ""),
    flag("logtostderr", Kind::Bool, ""),
    flag("one-output", Kind::Bool, ""),
    flag("skip-headers", Kind::Bool, ""),
    flag("skip-log-headers", Kind::Bool, ""),
    flag("stderrthreshold", Kind::Text, ""),
    short('v', "v", Kind::Integer, ""),
    flag("vmodule", Kind::Text, ""),
];

const DEPRECATED: [(&str, &str); 5] = [
    ("force", "use --force-replace instead"),
    ("atomic", "use --rollback-on-failure instead"),
    ("hide-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5"),
    ("render-subchart-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5"),
    ("validate", "use '--dry-run=server' instead"),
];

/// A command line taken apart.
#[derive(Default)]
pub(super) struct Parsed {
    /// What is no flag.
    pub(super) arguments: Vec<String>,
    /// What Helm says about deprecated flags.
    pub(super) deprecations: Vec<String>,
    values: HashMap<&'static str, Vec<String>>,
}

impl Parsed {
    /// Whether a boolean flag is on.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Whether a flag was given at all.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The last value of a flag.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.last().map(String::as_str)
    }

    /// All values of a flag.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

/// Takes the arguments of a command apart, which has `own` flags besides those of every command. Errors are pflag's.
pub(super) fn parse(own: &[&'static [Flag]], arguments: &[String]) -> Result<Parsed, String> {
    let find = |wanted: &dyn Fn(&Flag) -> bool| {
        own.iter().copied().flatten().chain(std::iter::once(&HELP)).chain(GLOBAL).find(|flag| wanted(flag))
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
pub(super) fn next_word(arguments: &[String]) -> Option<usize> {
    let takes_none = |wanted: &dyn Fn(&Flag) -> bool| {
        let flag = std::iter::once(&HELP).chain(GLOBAL).find(|flag| wanted(flag));
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

impl Parsed {
    fn add(&mut self, flag: &'static Flag, value: &str) -> Result<(), String> {
        let refuse = |reason: String| {
            let name = match flag.shorthand {
                Some(letter) => format!("-{letter}, --{}", flag.name),
                None => format!("--{}", flag.name),
            };
            format!("invalid argument {value:?} for {name:?} flag: {reason}")
        };
        let syntax = |function: &str| refuse(format!("strconv.{function}: parsing {value:?}: invalid syntax"));
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
        if flag.name == "wait" && !matches!(value, "watcher" | "legacy" | "hookOnly" | "true" | "false") {
            let reason = format!("invalid wait input {value:?}. Valid inputs are watcher, hookOnly, and legacy");
            return Err(refuse(reason));
        }
        if let Some((name, advice)) = DEPRECATED.iter().find(|(name, _)| *name == flag.name) {
            self.deprecations.push(format!("Flag --{name} has been deprecated, {advice}"));
        }
        Ok(())
    }
}

/// Go's `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Option<bool> {
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
        const TIMEOUT: &[Flag] = &[flag("timeout", Kind::Duration, "")];
        parse(&[VALUES, OWN, TIMEOUT], &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
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
