//! Reading metadata from the tree that it is in a file.

use super::{KINDS, Metadata};
use crate::failure::malformed;
use crate::master_key::{KeyGroup, KeyId, MasterKey};
use crate::selection::Selection;
use crate::value::{Entry, Value, get, pairs};
use onepane_diagnostics::Result;
use std::collections::BTreeMap;

/// No file has more keys or groups of them.
const MOST_KEYS: usize = 10_000;

impl Metadata {
    /// Reads it. What is not known is passed over, as SOPS does.
    pub(crate) fn read(tree: &[Entry]) -> Result<Self> {
        let selection = Selection::from_fields(|name| get(tree, name).and_then(text))?.unwrap_or_default();
        let own = group(tree)?;
        let groups = if own.is_empty() {
            list(tree, "key_groups").map(|item| group(branch(item, "key_groups")?)).collect::<Result<Vec<_>>>()?
        } else {
            vec![own]
        };
        if groups.iter().all(Vec::is_empty) {
            return Err(malformed("the file names no key that could decrypt it"));
        }
        let last_modified = field(tree, "lastmodified");
        if !is_time(&last_modified) {
            return Err(malformed("`lastmodified` is no time"));
        }
        Ok(Self {
            groups,
            shamir_threshold: match get(tree, "shamir_threshold") {
                None | Some(Value::Null) => 0,
                Some(value) => text(value)
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| malformed("`shamir_threshold` is no number of groups"))?,
            },
            selection,
            mac_only_encrypted: match get(tree, "mac_only_encrypted") {
                None | Some(Value::Null) => false,
                Some(value) => match text(value).as_deref() {
                    Some("true") => true,
                    Some("false" | "") => false,
                    _ => return Err(malformed("`mac_only_encrypted` is neither `true` nor `false`")),
                },
            },
            last_modified,
            version: field(tree, "version"),
            mac: field(tree, "mac"),
        })
    }
}

/// The keys of a group, or those of a file that has only one.
fn group(tree: &[Entry]) -> Result<KeyGroup> {
    let mut keys = Vec::new();
    for kind in KINDS {
        for item in list(tree, kind) {
            keys.push(key(kind, branch(item, kind)?)?);
            if keys.len() > MOST_KEYS {
                return Err(malformed("the file names too many keys"));
            }
        }
    }
    Ok(keys)
}

fn key(kind: &str, tree: &[Entry]) -> Result<MasterKey> {
    let field = |name| field(tree, name);
    let id = match kind {
        "age" => KeyId::Age { recipient: field("recipient") },
        "pgp" => KeyId::Pgp { fingerprint: field("fp") },
        "kms" => {
            let context = get(tree, "context");
            let context: BTreeMap<String, String> = match context {
                None | Some(Value::Null) => BTreeMap::new(),
                Some(context) => pairs(branch(context, "context")?)
                    .map(|pair| (pair.key.to_string(), text(&pair.value).unwrap_or_default()))
                    .collect(),
            };
            KeyId::Kms { arn: field("arn"), role: field("role"), context, profile: field("aws_profile") }
        }
        "gcp_kms" => KeyId::GcpKms { resource: field("resource_id") },
        "azure_kv" => KeyId::AzureKv { vault_url: field("vault_url"), name: field("name"), version: field("version") },
        "hc_vault" => {
            KeyId::HcVault { address: field("vault_address"), engine: field("engine_path"), name: field("key_name") }
        }
        _ => KeyId::HcKms { id: field("key_id") },
    };
    let created_at = if kind == "age" { String::new() } else { field("created_at") };
    if kind != "age" && !is_time(&created_at) {
        return Err(malformed(format!("`created_at` of the {kind} key `{id}` is no time")));
    }
    Ok(MasterKey { id, created_at, enc: field("enc") })
}

fn list<'t>(tree: &'t [Entry], name: &str) -> impl Iterator<Item = &'t Value> {
    let items: &[Value] = match get(tree, name) {
        Some(Value::List(items)) => items,
        // Where a list has one item, SOPS takes the item for the list.
        Some(item @ Value::Branch(_)) => std::slice::from_ref(item),
        _ => &[],
    };
    items.iter().filter(|item| !matches!(item, Value::Comment(_)))
}

fn branch<'t>(value: &'t Value, name: &str) -> Result<&'t [Entry]> {
    match value {
        Value::Branch(branch) => Ok(branch),
        _ => Err(malformed(format!("an entry of `{name}` is no mapping"))),
    }
}

fn field(tree: &[Entry], name: &str) -> String {
    get(tree, name).and_then(text).unwrap_or_default()
}

/// The text of a scalar; formats without types have nothing else.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => {
            String::from_utf8(value.bytes()?.into_owned()).ok()
        }
        Value::Null | Value::Comment(_) | Value::List(_) | Value::Branch(_) => None,
    }
}

/// Whether a text has the form of RFC 3339.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes[..19].iter().zip(b"0000-00-00T00:00:00").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        });
    shaped
        && match &bytes[19..] {
            b"Z" => true,
            [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_form() {
        for text in ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05+01:00"] {
            assert!(is_time(text), "{text}");
        }
        for text in ["", "2024-01-02", "2024-01-02T03:04:05", "2024-01-02 03:04:05Z", "2024-01-02T03:04:05+0100"] {
            assert!(!is_time(text), "{text}");
        }
    }
}
