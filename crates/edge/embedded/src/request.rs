//! What is asked: [`Request`], and which resource its path names: [`Target`].

use crate::failure::{Failure, Result};
use crate::kinds::{Kind, Kinds, is_served};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// A request as it came, with its body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    pub(crate) accept: String,
    pub(crate) content_type: String,
    pub(crate) user_agent: String,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str, query: &str, body: Bytes) -> Self {
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key, true), unescape(value, true))
        };
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.split('&').filter(|part| !part.is_empty()).map(pair).collect(),
            accept: String::new(),
            content_type: String::new(),
            user_agent: String::new(),
            body,
        }
    }

    /// A parameter, the empty text where there is none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        let given = self.query.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
        given.is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// The media type of the body, without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        self.content_type.split(';').next().unwrap_or_default().trim()
    }

    /// The body, which is JSON, or YAML if its media type says so.
    pub(crate) fn document(&self, kind: &str) -> Result<Value> {
        match self.media_type() {
            "" | "application/json" => self.json(kind),
            "application/yaml" => self.yaml(),
            _ => {
                let accepted = "application/json, application/yaml";
                Err(Failure::unsupported_media_type(accepted))
            }
        }
    }

    pub(crate) fn json(&self, kind: &str) -> Result<Value> {
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| {
            let why = format!("couldn't get version/kind; json parse error: {error}");
            Failure::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why}"))
        })?;
        match value.is_object() {
            true => Ok(value),
            false => Err(Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): it is no object"
            ))),
        }
    }

    pub(crate) fn yaml(&self) -> Result<Value> {
        // JSON is YAML, and read faster as what it is.
        if let Ok(value) = serde_json::from_slice::<Value>(&self.body) {
            return Ok(value);
        }
        let wrong = |why: String| Failure::bad_request(format!("error decoding YAML: {why}"));
        let text = std::str::from_utf8(&self.body).map_err(|error| wrong(error.to_string()))?;
        onepane_resource::json_document(text, &"the body").map_err(|error| wrong(error.message.to_string()))
    }
}

/// The resource that a path names.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: Arc<Kind>,
    /// Empty for all namespaces, and for kinds that are in none.
    pub(crate) namespace: String,
    /// Empty for all.
    pub(crate) name: String,
    /// Empty for the object itself.
    pub(crate) subresource: String,
}

impl Target {
    /// Reads the steps of a path below the group and version.
    pub(crate) fn read(kinds: &Kinds, group: &str, version: &str, steps: &[&str]) -> Result<Self> {
        let (namespace, rest) = match steps {
            ["namespaces", namespace, plural, ..] if !matches!(*plural, "status" | "finalize") => {
                (unescape(namespace, false), steps.get(2..).unwrap_or_default())
            }
            _ => (String::new(), steps),
        };
        let [plural, rest @ ..] = rest else { return Err(Failure::no_resource()) };
        let kind = kinds.by_plural(group, version, plural).ok_or_else(Failure::no_resource)?;
        let (name, subresource) = match rest {
            [] => (String::new(), String::new()),
            [name] => (unescape(name, false), String::new()),
            [name, subresource] if kind.has(subresource) && is_served(subresource) => {
                (unescape(name, false), (*subresource).to_owned())
            }
            _ => return Err(Failure::no_resource()),
        };
        // A namespaced kind has no single objects outside namespaces, and others have nothing inside.
        let is_elsewhere = match kind.is_namespaced {
            true => namespace.is_empty() && !name.is_empty(),
            false => !namespace.is_empty(),
        };
        if is_elsewhere {
            return Err(Failure::no_resource());
        }
        Ok(Self { kind, namespace, name, subresource })
    }

    /// The resource and its subresource, as faults and counts name them.
    pub(crate) fn shown(&self) -> String {
        match &*self.subresource {
            "" => self.kind.plural.clone(),
            subresource => format!("{}/{subresource}", self.kind.plural),
        }
    }
}

/// Percent-decodes; bytes that are no UTF-8 are replaced.
pub(crate) fn unescape(text: &str, plus_is_space: bool) -> String {
    let mut bytes = text.as_bytes().iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next().copied() {
        match byte {
            b'%' => {
                let rest = bytes.as_slice();
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(value) => {
                        decoded.push(value);
                        bytes.nth(1);
                    }
                    None => decoded.push(b'%'),
                }
            }
            b'+' if plus_is_space => decoded.push(b' '),
            other => decoded.push(other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_addresses_are_decoded() {
        assert_eq!(unescape("a%20b+c%2", true), "a b c%2");
        assert_eq!(unescape("a%zz%C3%A4%ff", false), "a%zzä\u{fffd}");
    }
}
