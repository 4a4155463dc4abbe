//! Whether JSON has the types that a Go struct wants: encoding/json's errors, which tell places and never values.

use serde_json::Value as Json;

/// A Go struct: its name, and its fields by the names that JSON has for them.
pub(crate) struct Struct {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [(&'static str, Type)],
}

/// What a field holds.
pub(crate) enum Type {
    Text,
    Bool,
    /// base64.
    Bytes,
    Texts,
    /// `map[string]string`
    TextMap,
    /// `map[string][]string`
    TextsMap,
    Struct(&'static Struct),
    Structs(&'static Struct),
}

/// What apimachinery looks for first, which has no name.
const HEAD: Struct = Struct {
    name: r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#,
    fields: &[("apiVersion", Type::Text), ("kind", Type::Text)],
};

/// The first thing about `json`, which has a version and a kind, that does not fit; fields come in order of their names.
/// `nil` fits everything.
pub(crate) fn misfit(json: &Json, wanted: &Struct) -> Option<String> {
    let in_head = match json {
        Json::Null => return None,
        Json::Object(_) => in_fields(json, &HEAD, ""),
        other => Some(format!("json: cannot unmarshal {} into Go value of type {}", name(other), HEAD.name)),
    };
    match in_head {
        Some(problem) => Some(format!("couldn't get version/kind; json parse error: {problem}")),
        None => in_fields(json, wanted, ""),
    }
}

fn in_fields(json: &Json, of: &Struct, path: &str) -> Option<String> {
    let mut fields: Vec<_> = json.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields.into_iter().find_map(|(name, value)| {
        let (_, wanted) = of.fields.iter().find(|(field, _)| field == name)?;
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        in_field(value, wanted, of, &path)
    })
}

fn in_field(value: &Json, wanted: &Type, of: &Struct, path: &str) -> Option<String> {
    let short = of.name.rsplit_once('.').map_or("", |(_, short)| short);
    let refuse = |value: &Json, wanted: &str| {
        Some(format!("json: cannot unmarshal {} into Go struct field {short}.{path} of type {wanted}", name(value)))
    };
    let text = |value: &Json| if value.is_string() || value.is_null() { None } else { refuse(value, "string") };
    let texts = |value: &Json| match value {
        Json::Null => None,
        Json::Array(items) => items.iter().find_map(text),
        other => refuse(other, "[]string"),
    };
    match (wanted, value) {
        (_, Json::Null) | (Type::Bool, Json::Bool(_)) => None,
        (Type::Text, value) => text(value),
        (Type::Texts, value) => texts(value),
        (Type::Bool, other) => refuse(other, "bool"),
        (Type::Bytes, Json::String(text)) => {
            corrupt_base64(text).map(|at| format!("illegal base64 data at input byte {at}"))
        }
        (Type::Bytes, other) => refuse(other, "[]uint8"),
        (Type::TextMap, Json::Object(entries)) => entries.values().find_map(text),
        (Type::TextMap, other) => refuse(other, "map[string]string"),
        (Type::TextsMap, Json::Object(entries)) => entries.values().find_map(texts),
        (Type::TextsMap, other) => refuse(other, "map[string][]string"),
        (Type::Struct(inner), Json::Object(_)) => in_fields(value, inner, path),
        (Type::Struct(inner), other) => refuse(other, inner.name),
        (Type::Structs(inner), Json::Array(items)) => {
            items.iter().find_map(|item| in_field(item, &Type::Struct(inner), of, path))
        }
        (Type::Structs(inner), other) => refuse(other, &format!("[]{}", inner.name)),
    }
}

/// Where base64 goes wrong; line ends don't count.
fn corrupt_base64(text: &str) -> Option<usize> {
    let symbols: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let end = symbols.iter().position(|(_, byte)| !is_symbol(*byte)).unwrap_or(symbols.len());
    let at = |index: usize| symbols.get(index).map(|(at, _)| *at);
    let is_padding = |index: usize| symbols.get(index).is_some_and(|(_, byte)| *byte == b'=');
    match end % 4 {
        0 => at(end),
        odd if at(end).is_none() => at(end - odd),
        2 if is_padding(end) => match at(end + 1) {
            None => Some(text.len()),
            Some(_) if is_padding(end + 1) => at(end + 2),
            Some(_) => at(end),
        },
        3 if is_padding(end) => at(end + 1),
        _ => at(end),
    }
}

/// What encoding/json calls a value.
fn name(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INNER: Struct = Struct {
        name: "v1.Inner",
        fields: &[("text", Type::Text), ("on", Type::Bool), ("data", Type::Bytes), ("many", Type::TextsMap)],
    };
    const OUTER: Struct = Struct { name: "v1.Outer", fields: &[("all", Type::Structs(&INNER)), ("list", Type::Texts)] };

    #[test]
    fn places_are_told_and_values_are_not() {
        let refused = |json: Json| misfit(&json, &OUTER).unwrap_or_default();
        assert_eq!(refused(json!({"all": [{"text": "a", "on": true, "data": "YQ==", "more": 1}], "list": null})), "");
        let said = |what: &str, place: &str, wanted: &str| {
            format!("json: cannot unmarshal {what} into Go struct field {place} of type {wanted}")
        };
        assert_eq!(refused(json!({"all": "secret"})), said("string", "Outer.all", "[]v1.Inner"));
        assert_eq!(refused(json!({"all": ["secret"]})), said("string", "Outer.all", "v1.Inner"));
        assert_eq!(refused(json!({"all": [{"text": 1}]})), said("number", "Inner.all.text", "string"));
        assert_eq!(refused(json!({"all": [{"many": {"a": ["b", 1]}}]})), said("number", "Inner.all.many", "string"));
        assert_eq!(refused(json!({"list": {}, "all": [{"on": "y"}]})), said("string", "Inner.all.on", "bool"));
        let head = "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type ";
        assert_eq!(refused(json!("secret")), format!("{head}{}", HEAD.name));
        assert!(refused(json!({"kind": []})).ends_with("array into Go struct field .kind of type string"));
        assert_eq!(refused(json!({"all": [{"data": "secret!"}]})), "illegal base64 data at input byte 6");
    }

    #[test]
    fn base64_goes_wrong_where_go_says() {
        for (text, wanted) in [
            ("", None),
            ("YQ==", None),
            ("YW\nJj\r\n", None),
            ("YWI=", None),
            ("a!", Some(1)),
            ("YQ", Some(0)),
            ("YWJjYQ", Some(4)),
            ("YQ=", Some(3)),
            ("YQ==YQ==", Some(4)),
            ("=", Some(0)),
            ("YQ=x", Some(2)),
            ("YWI=x", Some(4)),
            ("Y", Some(0)),
            ("Y=", Some(1)),
        ] {
            assert_eq!(corrupt_base64(text), wanted, "{text:?}");
        }
    }
}
