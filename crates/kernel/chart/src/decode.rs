//! Reading YAML into Go structs, as sigs.k8s.io/yaml and encoding/json do together: field names match in any letter
//! case, null leaves a field as it is, and a number or boolean where a string is wanted becomes its text.

use onepane_value::{Data, Map, Value};

/// What a value is decoded for: the names that Go's error would show.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The struct that has the field: `Metadata`.
    pub structure: &'a str,
    /// The path of field names from the document's root: `dependencies.name`.
    pub field: &'a str,
    /// The Go type of the field.
    pub go_type: &'a str,
}

impl Target<'_> {
    /// Go's error for a value of the wrong kind.
    pub fn mismatch(&self, value: &Value) -> String {
        let kind = json_kind(value);
        let Self { structure, field, go_type } = self;
        if field.is_empty() {
            format!("{DECODING}json: cannot unmarshal {kind} into Go value of type {go_type}")
        } else {
            format!(
                "{DECODING}json: cannot unmarshal {kind} into Go struct field {structure}.{field} of type {go_type}"
            )
        }
    }
}

/// What sigs.k8s.io/yaml puts before encoding/json's errors.
pub const DECODING: &str = "error unmarshaling JSON: while decoding JSON: ";

/// JSON's name for what `value` is.
pub fn json_kind(value: &Value) -> &'static str {
    match &value.data {
        Data::Nil => "null",
        Data::Bool(_) => "bool",
        Data::Int(..) | Data::Uint(..) | Data::Float(..) => "number",
        Data::String(_) => "string",
        Data::List(_) => "array",
        Data::Map(_) | Data::Object(_) => "object",
    }
}

/// A string field; `None` for null.
pub fn string(value: &Value, target: Target<'_>) -> Result<Option<String>, String> {
    match &value.data {
        Data::Nil => Ok(None),
        Data::String(text) => Ok(Some(text.to_str().into_owned())),
        Data::Bool(value) => Ok(Some(value.to_string())),
        Data::Int(value, _) => Ok(Some(value.to_string())),
        Data::Uint(value, _) => Ok(Some(value.to_string())),
        // YAML integers arrive as floats; Go would have kept them apart, and prints them without an exponent.
        Data::Float(value, _) if value.fract() == 0.0 && value.abs() < 1e18 => Ok(Some(format!("{value:.0}"))),
        Data::Float(value, _) => Ok(Some(shortest(*value))),
        _ => Err(target.mismatch(value)),
    }
}

/// A boolean field; `None` for null.
pub fn boolean(value: &Value, target: Target<'_>) -> Result<Option<bool>, String> {
    match value.data {
        Data::Nil => Ok(None),
        Data::Bool(value) => Ok(Some(value)),
        _ => Err(target.mismatch(value)),
    }
}

/// The items of a slice; none for null.
pub fn list<'v>(value: &'v Value, target: Target<'_>) -> Result<&'v [Value], String> {
    match &value.data {
        Data::Nil => Ok(&[]),
        Data::List(items) => Ok(items),
        _ => Err(target.mismatch(value)),
    }
}

/// A `[]string`; null items are empty strings.
pub fn strings(value: &Value, target: Target<'_>) -> Result<Vec<String>, String> {
    let item_target = Target { go_type: "string", ..target };
    list(value, target)?.iter().map(|item| Ok(string(item, item_target)?.unwrap_or_default())).collect()
}

/// The entries of a struct or map; none for null.
pub fn entries<'v>(value: &'v Value, target: Target<'_>) -> Result<Option<&'v Map>, String> {
    match &value.data {
        Data::Nil => Ok(None),
        Data::Map(map) => Ok(Some(map)),
        _ => Err(target.mismatch(value)),
    }
}

/// Calls `decode` for each entry with the one of `fields` that it belongs to, in whatever letter case it is written.
pub fn fields(
    map: &Map,
    fields: &'static [&'static str],
    mut decode: impl FnMut(&'static str, &Value) -> Result<(), String>,
) -> Result<(), String> {
    map.try_for_each(|key, value| {
        let field = fields.iter().find(|field| key.eq_ignore_ascii_case(field.as_bytes()));
        field.map_or(Ok(()), |field| decode(field, value))
    })
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`.
fn shortest(value: f64) -> String {
    if !value.is_finite() {
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return text.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..21).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}
