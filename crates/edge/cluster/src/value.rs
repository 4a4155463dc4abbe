//! JSON of the API server as templates get it: integers are `int64`, other numbers `float64`, as apimachinery has it.

use onepane_value::{List, Map, Value};

pub(crate) fn to_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::NIL,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::int64(integer),
            None => Value::float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::string(text.as_str()),
        serde_json::Value::Array(items) => List::new(items.iter().map(to_value).collect::<Vec<_>>()).into(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.as_str(), to_value(value))).collect::<Map>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_kinds() {
        let json = serde_json::json!({"replicas": 3, "ratio": 0.5, "items": [null, true]});
        let value = to_value(&json);
        let field = |name: &str| value.as_map().and_then(|map| map.get(name)).unwrap_or_default();
        assert_eq!(field("replicas").type_name(), "int64");
        assert_eq!(field("ratio").type_name(), "float64");
        assert_eq!(field("items").as_list().map(|list| list.len()), Some(2));
    }
}
