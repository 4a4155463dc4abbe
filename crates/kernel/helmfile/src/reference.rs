//! One reference: [`Reference`], taken apart as Go's `net/url` takes it, and [`pick`], which follows its keys.

use crate::outside::Found;
use crate::yaml;
use onepane_diagnostics::FileId;
use onepane_value::{Data, IntKind, List, Map, Value};
use onepane_world::World;
use serde_json::Value as Json;

/// What a document that has not the key that is asked for is: an error if this says so, else nothing.
const STRICT: &str = "HELMFILE_VALS_FAIL_ON_MISSING_KEY_IN_MAP";

/// A reference to a secret, such as `vault://secret/db?version=2#/password`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    provider: String,
    path: String,
    parameters: Vec<(String, String)>,
    keys: Option<String>,
}

impl Reference {
    /// Reads what stands behind `ref+`.
    ///
    /// # Errors
    /// What is no address to Go.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("it holds a control character".to_owned());
        }
        let (rest, keys) = text.split_once('#').unwrap_or((text, ""));
        let keys = decoded(keys)?;
        let keys = keys.strip_prefix('#').unwrap_or(&keys);
        let keys = Some(keys.strip_prefix('/').unwrap_or(keys).to_owned()).filter(|keys| !keys.is_empty());
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (scheme, rest) = rest.split_once("://").ok_or("it names no provider")?;
        let is_name = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_name {
            return Err("what stands before `://` is no name of a provider".to_owned());
        }
        // Names of AWS are taken as they are: their colons set no port apart.
        let path = if rest.starts_with("arn:aws:") || rest.starts_with("arn:aws-") {
            rest.to_owned()
        } else {
            let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            // Who asks does not count.
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let (host, path) = (host_name(host)?, decoded(path)?);
            match (host.is_empty(), path.strip_prefix('/').unwrap_or(&path)) {
                (true, _) => path,
                (false, "") => host,
                (false, path) => format!("{host}/{path}"),
            }
        };
        Ok(Self { provider: scheme.to_ascii_lowercase(), path, parameters: parameters(query), keys })
    }

    /// Who keeps it: `vault`, `awssecrets`, ….
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Where the provider has it: host and path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first parameter of a name; it may be empty, and may be secret.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether keys follow, so that a document is wanted and not a text.
    pub fn wants_document(&self) -> bool {
        self.keys.is_some()
    }

    /// The same without the keys: all that a provider has to know.
    #[must_use]
    pub fn document(&self) -> (Self, bool) {
        (Self { keys: None, ..self.clone() }, self.wants_document())
    }
}

/// A reference as errors show it: without its parameters and who asks, which may be secret.
pub(crate) fn shown(reference: &str) -> String {
    let (rest, keys) =
        reference.split_once('#').map_or((reference, String::new()), |(rest, keys)| (rest, format!("#{keys}")));
    let rest = rest.split('?').next().unwrap_or_default();
    let Some((start, rest)) = rest.split_once("://") else { return format!("{rest}{keys}") };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{start}://{host}{path}{keys}")
}

/// A host as Go takes it; ports are numbers.
fn host_name(host: &str) -> Result<String, String> {
    let port_at = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    let port = &host[port_at.unwrap_or(host.len())..];
    if !port.strip_prefix(':').unwrap_or(port).bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("what stands behind the host's colon is no port".to_owned());
    }
    let escapes_letters = host.match_indices('%').any(|(at, _)| {
        let escape = host.get(at + 1..at + 3).unwrap_or_default();
        escape.as_bytes().first().is_none_or(|digit| *digit < b'8') && escape != "25"
    });
    if escapes_letters {
        return Err("its host has an escape that Go does not allow there".to_owned());
    }
    let wrong =
        |byte: u8| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
    match host.bytes().find(|byte| wrong(*byte)) {
        Some(byte) => Err(format!("`{}` can't stand in a host; begin the path with three slashes", char::from(byte))),
        None => decoded(host),
    }
}

/// Without the escapes of addresses.
pub(crate) fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err("it has a `%` that begins no escape".to_owned());
        };
        bytes.push((high * 16 + low) as u8);
        rest = &rest[2..];
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Go leaves out what it can't read.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(&name.replace('+', " ")).ok()?, decoded(&value.replace('+', " ")).ok()?))
        })
        .collect()
}

/// What stands at the keys of a reference in what was found; without keys, the text.
pub(crate) fn pick(reference: &Reference, found: Found, world: &dyn World) -> Result<Value, String> {
    let Some(keys) = &reference.keys else {
        return match found {
            Found::Text(text) => Ok(text.into()),
            Found::Fields(_) => Err("it is a document, of which `#/KEY` names a part".to_owned()),
        };
    };
    let mut map = match found {
        // What is in it is in no message.
        Found::Text(text) => yaml::values(text.as_bytes(), FileId::new("-"))
            .map_err(|_| "what it stands for is no mapping in YAML or JSON, so it has no keys".to_owned())?,
        Found::Fields(fields) => fields.iter().map(|(key, value)| (key.as_str(), of_json(value))).collect(),
    };
    let mut names = keys.split('/').peekable();
    while let Some(name) = names.next() {
        let Some(value) = map.get(name) else {
            return if is_strict(world)? { Err(format!("it has no `{keys}`")) } else { Ok(Value::default()) };
        };
        if names.peek().is_none() {
            return Ok(without_origins(&value));
        }
        let Data::Map(below) = value.data else {
            return Err(format!("`{name}` in `{keys}` is no mapping, so it has no keys"));
        };
        map = below;
    }
    Ok(Value::default())
}

fn is_strict(world: &dyn World) -> Result<bool, String> {
    match world.env(STRICT).unwrap_or_default().trim() {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        _ => Err(format!("{STRICT} is neither true nor false")),
    }
}

/// The value without the places of a text that nobody sees.
fn without_origins(value: &Value) -> Value {
    match &value.data {
        Data::List(list) => list.iter().map(without_origins).collect::<List>().into(),
        Data::Map(map) => {
            map.entries().into_iter().map(|(key, value)| (key, without_origins(&value))).collect::<Map>().into()
        }
        other => other.clone().into(),
    }
}

fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::default(),
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Data::Int(number, IntKind::Default).into(),
            (None, Some(number)) => Data::Uint(number, IntKind::Bits64).into(),
            (None, None) => Value::float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(of_json).collect::<List>().into(),
        Json::Object(fields) => {
            fields.iter().map(|(key, value)| (key.as_str(), of_json(value))).collect::<Map>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;
    use serde_json::json;

    fn parse(text: &str) -> Result<Reference, String> {
        Reference::parse(text)
    }

    /// What vals 0.46.1 in Helmfile 1.8.0 prints for `ref+echo://…`, asked with these.
    #[test]
    fn paths_are_those_that_go_reads() {
        for (text, path) in [
            ("echo://foo/bar", "foo/bar"),
            ("ECHO://foo/bar", "foo/bar"),
            ("echo://user:pw@foo/bar", "foo/bar"),
            ("echo://foo/b%2Far/b%20c", "foo/b/ar/b c"),
            ("echo:///foo", "/foo"),
            ("echo://$FOO/x", "$FOO/x"),
            ("echo://foo:80/x?a=b", "foo:80/x"),
            (
                "awssecrets://arn:aws:secretsmanager:r:1:secret:s%2f-x?region=r",
                "arn:aws:secretsmanager:r:1:secret:s%2f-x",
            ),
        ] {
            assert_eq!(parse(text).map(|found| found.path), Ok(path.to_owned()), "{text}");
        }
        for text in
            ["echo://foo:bar/bar", "echo://foo%20x/b", "echo://foo/c%zz", "echo://${FOO}", "a b://c", "echo://a\tb"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_and_keys_are_read() {
        let found = parse("vault://a/b?x=1&x=2&y&z=%zz&w=a%20b#/c/d").expect("it is one");
        assert_eq!(["x", "y", "z", "w"].map(|name| found.parameter(name)), [Some("1"), Some(""), None, Some("a b")]);
        assert_eq!(found.keys.as_deref(), Some("c/d"));
        assert!(!parse("vault://a/b#/").expect("it is one").wants_document());
        let (document, wanted) = found.document();
        assert!(wanted && document == parse("vault://a/b?x=1&x=2&y&w=a%20b").expect("it is one"));
        assert_eq!(shown("vault://u:hush@a/b?secret_id=hush#/c"), "vault://a/b#/c");
    }

    #[test]
    fn keys_lead_into_documents() {
        let world = MemoryWorld::new();
        let strict = MemoryWorld::new().with_env(STRICT, " TRUE ");
        let picked = |keys: &str, found: Found, world: &MemoryWorld| {
            let value = pick(&parse(&format!("file://f#/{keys}")).expect("it is one"), found, world)?;
            onepane_value::to_json(&value).map(|text| text.to_string()).map_err(|error| error.to_string())
        };
        let text = || Found::Text("a: {b: hush, n: 12345678, y: yes, l: [x, y], \"1\": one}\n".to_owned());
        let fields =
            || Found::Fields(json!({"a": {"b": "hush", "n": 12345678}}).as_object().expect("it is one").clone());
        for (keys, found, wanted) in [
            ("a/b", text(), "\"hush\""),
            ("a/n", text(), "12345678"),
            ("a/y", text(), "\"yes\""),
            ("a/l", text(), "[\"x\",\"y\"]"),
            ("a/1", text(), "\"one\""),
            ("a/none/x", text(), "null"),
            ("a/b", fields(), "\"hush\""),
            ("a", fields(), "{\"b\":\"hush\",\"n\":12345678}"),
        ] {
            assert_eq!(picked(keys, found, &world).as_deref(), Ok(wanted), "{keys}");
        }
        assert_eq!(picked("a/none", text(), &strict), Err("it has no `a/none`".to_owned()));
        for (keys, found) in [
            ("a/b/c", text()),
            ("a/l/0", text()),
            ("a", Found::Text("hush".to_owned())),
            ("a", Found::Text("a: [hush".to_owned())),
        ] {
            let error = picked(keys, found, &world).expect_err("it is none");
            assert!(error.contains("mapping") && !error.contains("hush"), "{error}");
        }
    }
}
