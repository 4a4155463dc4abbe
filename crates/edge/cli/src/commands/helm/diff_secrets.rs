//! Secrets in differences: that their values differ is shown, and how long they are, but not what they are. [`redact`].

use super::diff_manifests::Spec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_value::{from_yaml, to_yaml};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What of Secrets' values is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// How long they are.
    Redacted,
    /// What the manifests say.
    AsTheyAre,
    /// What is encoded in them.
    Decoded,
}

/// A Secret taken apart.
struct Secret {
    /// What is said of it besides values.
    fields: Map<String, Json>,
    values: BTreeMap<String, Vec<u8>>,
}

/// Takes values out of both sides, if they are Secrets.
pub(super) fn redact(old: Option<&mut Spec>, new: Option<&mut Spec>, values: Values) {
    let is_secret = |spec: &Option<&mut Spec>| spec.as_ref().is_none_or(|spec| spec.kind == "Secret");
    if values == Values::AsTheyAre || !is_secret(&old) || !is_secret(&new) {
        return;
    }
    let read = |spec: &Option<&mut Spec>| spec.as_ref().map(|spec| Secret::read(&spec.text));
    let (old_secret, new_secret) = (read(&old), read(&new));
    let side = |spec: Option<&mut Spec>, own: &Option<Result<Secret, String>>, other, mark, name| {
        let (Some(spec), Some(own)) = (spec, own) else { return };
        spec.text = match own {
            Ok(secret) => secret.written(&spec.text, other, mark, values),
            Err(problem) => format!("Error parsing {name} secret: {problem}"),
        };
    };
    let values_of = |secret: &Option<Result<Secret, String>>| match secret {
        Some(Ok(secret)) => secret.values.clone(),
        _ => BTreeMap::new(),
    };
    side(old, &old_secret, new_secret.is_some().then(|| values_of(&new_secret)), "--------", "old");
    side(new, &new_secret, old_secret.is_some().then(|| values_of(&old_secret)), "++++++++", "new");
}

impl Secret {
    /// Errors do not quote it.
    fn read(text: &str) -> Result<Self, String> {
        let value = from_yaml(text, None).map_err(|_| "it is no YAML")?;
        let json = onepane_value::to_json(&value)?;
        let json = serde_json::from_slice(json.as_bytes()).map_err(|_| "it can't be read")?;
        let Json::Object(mut fields) = json else { return Err("it is no mapping".to_owned()) };
        let mut values = BTreeMap::new();
        let entries = |map: Option<Json>, name: &str| match map {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(map)) => Ok(map),
            Some(_) => Err(format!("{name} is no mapping")),
        };
        let text_of = |key: &str, value: Json| match value {
            Json::String(text) => Ok(text),
            Json::Null => Ok(String::new()),
            _ => Err(format!("the value of {key} is no string")),
        };
        for (key, value) in entries(fields.remove("data"), "data")? {
            let encoded = text_of(&key, value)?.replace(['\n', '\r'], "");
            let decoded = STANDARD.decode(encoded).map_err(|_| format!("the value of {key} is no base64"))?;
            values.insert(key, decoded);
        }
        for (key, value) in entries(fields.remove("stringData"), "stringData")? {
            let text = text_of(&key, value)?;
            values.insert(key, text.into_bytes());
        }
        // What a Secret does not have is not read; comments and order are lost.
        fields.retain(|key, _| ["apiVersion", "kind", "metadata", "immutable", "type"].contains(&key.as_str()));
        Ok(Self { fields, values })
    }

    fn written(&self, text: &str, other: Option<BTreeMap<String, Vec<u8>>>, mark: &str, values: Values) -> String {
        let mut fields = self.fields.clone();
        let shown = |(key, value): (&String, &Vec<u8>)| {
            let is_same = other.as_ref().is_some_and(|other| {
                // A key that the other side lacks is as good as an empty one.
                other.get(key).map_or(value.is_empty(), |other| other == value)
            });
            let shown = match values {
                Values::Decoded => String::from_utf8_lossy(value).into_owned(),
                _ => format!("{} # ({} bytes)", if is_same { "REDACTED" } else { mark }, value.len()),
            };
            (key.clone(), Json::from(shown))
        };
        if !self.values.is_empty() {
            fields.insert("stringData".to_owned(), Json::Object(self.values.iter().map(shown).collect()));
        }
        let yaml = from_yaml(&Json::Object(fields).to_string(), None).map_err(|_| String::new());
        let yaml = yaml.and_then(|value| to_yaml(&value)).map(|text| text.to_str().into_owned()).unwrap_or_default();
        let yaml = if values == Values::Decoded { yaml } else { yaml.replacen("stringData", "data", 1) };
        // The line that says which template it is from.
        let comment = text.split_inclusive('\n').next().filter(|line| line.starts_with('#') && line.ends_with('\n'));
        format!("{}{yaml}", comment.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Spec {
        Spec { kind: "Secret".to_owned(), text: text.to_owned(), is_kept: false }
    }

    const OLD: &str = "# Source: c/s.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\ndata: {a: aHVudGVy, b: YQ==}\n";
    const NEW: &str = "# Source: c/s.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\nstringData: {a: hunter, b: bb}\n";

    #[test]
    fn values_are_not_shown_but_that_they_differ() {
        let (mut old, mut new) = (secret(OLD), secret(NEW));
        redact(Some(&mut old), Some(&mut new), Values::Redacted);
        let head = "# Source: c/s.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  a: 'REDACTED # (6 bytes)'\n";
        assert_eq!(old.text, format!("{head}  b: '-------- # (1 bytes)'\ntype: Opaque\n"));
        assert_eq!(new.text, format!("{head}  b: '++++++++ # (2 bytes)'\ntype: Opaque\n"));
        let mut new = secret(NEW);
        redact(None, Some(&mut new), Values::Redacted);
        assert!(new.text.contains("a: '++++++++ # (6 bytes)'"), "{}", new.text);
        let mut new = secret(OLD);
        redact(None, Some(&mut new), Values::Decoded);
        assert!(new.text.contains("a: hunter\n"), "{}", new.text);
    }

    #[test]
    fn what_can_t_be_read_is_not_quoted() {
        for text in ["kind: Secret\ndata: {a: 'hunter2!'}", "kind: Secret\nstringData: {a: [hunter2]}", "data: hunter2"]
        {
            let mut broken = secret(text);
            redact(None, Some(&mut broken), Values::Redacted);
            assert!(broken.text.starts_with("Error parsing new secret: "), "{}", broken.text);
            assert!(!broken.text.contains("hunter2"), "{}", broken.text);
        }
    }
}
