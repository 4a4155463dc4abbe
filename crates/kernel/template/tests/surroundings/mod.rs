//! What the recorded cases run in: functions with every kind of parameter, and data written as JSON.
//!
//! `{"$": "int64", "v": 5}` is a value of a type that JSON does not have.

use onepane_template::{Function, FunctionError, FunctionTable, Type};
use onepane_value::{Data, ElementType, FloatKind, IntKind, Kind, List, Map, MapType, Object, Text, Value, format};
use serde_json::Value as Json;
use std::borrow::Cow;

/// Functions with a parameter of every type.
pub(crate) static FUNCTIONS: FunctionTable = FunctionTable::new().with(OWN);

const OWN: &[Function] = &[
    Function {
        name: "str",
        parameters: &[Type::String],
        variadic: false,
        call: |_, arguments| Ok(format!("s:{}", arguments[0].as_text().cloned().unwrap_or_default()).into()),
    },
    identity("int", &[Type::Int]),
    identity("i64", &[Type::Int64]),
    identity("i32", &[Type::Int32]),
    identity("u32", &[Type::Uint32]),
    identity("f64", &[Type::Float64]),
    identity("boolean", &[Type::Bool]),
    identity("any", &[Type::Any]),
    length("mapp", &[Type::Map]),
    length("lst", &[Type::List]),
    length("strs", &[Type::Strings]),
    Function { name: "tm", parameters: &[Type::Time], variadic: false, call: |_, _| Ok("time".into()) },
    Function {
        name: "two",
        parameters: &[Type::Any, Type::Any],
        variadic: false,
        call: |_, arguments| {
            let [a, b] = [0, 1].map(|index| arguments[index].clone());
            Ok(format::sprint(&[a, "/".into(), b]).into())
        },
    },
    Function {
        name: "vstr",
        parameters: &[Type::String, Type::String],
        variadic: true,
        call: |_, arguments| {
            let texts: Vec<String> = arguments.iter().map(|value| value.as_text().unwrap().to_string()).collect();
            Ok(texts[1..].join(&texts[0]).into())
        },
    },
    Function {
        name: "vany",
        parameters: &[Type::Any],
        variadic: true,
        call: |_, arguments| Ok(format::sprint(&[List::new(arguments.to_vec()).into()]).into()),
    },
    Function {
        name: "list",
        parameters: &[Type::Any],
        variadic: true,
        call: |_, arguments| Ok(List::new(arguments.to_vec()).into()),
    },
    Function {
        name: "dict",
        parameters: &[Type::Any],
        variadic: true,
        call: |_, arguments| {
            let pairs = arguments.chunks_exact(2);
            Ok(pairs.map(|pair| (format::sprint(&pair[..1]), pair[1].clone())).collect::<Map>().into())
        },
    },
    Function {
        name: "boom",
        parameters: &[Type::String],
        variadic: false,
        call: |_, arguments| {
            Err(FunctionError::Message(format!("boom {}", arguments[0].as_text().cloned().unwrap_or_default())))
        },
    },
    Function { name: "none", parameters: &[], variadic: false, call: |_, _| Ok(Value::NIL) },
    Function {
        name: "typ",
        parameters: &[Type::Any],
        variadic: false,
        call: |_, arguments| Ok(arguments[0].type_name().into_owned().into()),
    },
    Function { name: "nilm", parameters: &[], variadic: false, call: |_, _| Ok(Map::nil(MapType::Any).into()) },
    Function {
        name: "inc",
        parameters: &[Type::String, Type::Any],
        variadic: false,
        call: |context, arguments| {
            let name = arguments[0].as_text().unwrap().to_string();
            context.include(&name, &arguments[1]).map(Value::from)
        },
    },
];

const fn identity(name: &'static str, parameters: &'static [Type]) -> Function {
    Function { name, parameters, variadic: false, call: |_, arguments| Ok(arguments[0].clone()) }
}

const fn length(name: &'static str, parameters: &'static [Type]) -> Function {
    let call = |_: &mut dyn onepane_template::Context, arguments: &[Value]| {
        let map = arguments[0].as_map().map(Map::len);
        let length = map.or(arguments[0].as_list().map(|list| list.len())).unwrap_or_default();
        Ok(Value::int(length as i64))
    };
    Function { name, parameters, variadic: false, call }
}

/// The value that a JSON text describes; nil where there is none.
pub(crate) fn data(text: &str) -> Value {
    if text.is_empty() {
        return Value::NIL;
    }
    value(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::NIL,
        Json::Bool(boolean) => (*boolean).into(),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::int(int),
            None => Value::float(number.as_f64().unwrap()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => List::new(items.iter().map(value).collect::<Vec<_>>()).into(),
        Json::Object(entries) => match entries.get("$").and_then(Json::as_str) {
            Some(kind) => typed(kind, entries.get("v").unwrap_or(&Json::Null)),
            None => entries.iter().map(|(key, entry)| (key.as_str(), value(entry))).collect::<Map>().into(),
        },
    }
}

fn typed(kind: &str, json: &Json) -> Value {
    let inner = value(json);
    let int = match inner.data {
        Data::Int(int, _) => int,
        _ => 0,
    };
    let items = inner.as_list().map(|list| list.to_vec()).unwrap_or_default();
    let map = |declared| {
        let map = Map::of(declared);
        inner.as_map().unwrap().for_each(|key, value| {
            map.insert(key.clone(), value.clone());
        });
        Value::from(map)
    };
    let data = match kind {
        "int64" => Data::Int(int, IntKind::Bits64),
        "int32" => Data::Int(int, IntKind::Bits32),
        "int16" => Data::Int(int, IntKind::Bits16),
        "int8" => Data::Int(int, IntKind::Bits8),
        "uint" => Data::Uint(int as u64, IntKind::Default),
        "uint64" => Data::Uint(int as u64, IntKind::Bits64),
        "uint32" => Data::Uint(int as u32 as u64, IntKind::Bits32),
        "uint8" => Data::Uint(int as u8 as u64, IntKind::Bits8),
        "float32" => Data::Float(json.as_f64().unwrap() as f32 as f64, FloatKind::Bits32),
        "inf" => Data::Float(
            match json.as_str().unwrap() {
                "+" => f64::INFINITY,
                "-" => f64::NEG_INFINITY,
                _ => f64::NAN,
            },
            FloatKind::Bits64,
        ),
        "strings" => Data::List(List::of(ElementType::String, items)),
        "ints" => Data::List(List::of(ElementType::Int, items)),
        "maps" => Data::List(List::of(ElementType::Map, items)),
        "lists" => Data::List(List::of(ElementType::List, items)),
        "bytes" => {
            let byte = |byte: &u8| Value::from(Data::Uint((*byte).into(), IntKind::Bits8));
            let bytes = inner.as_text().unwrap().iter().map(byte).collect::<Vec<_>>();
            Data::List(List::of(ElementType::Byte, bytes))
        }
        "raw" => {
            let byte = |item: &Value| match item.data {
                Data::Int(byte, _) => byte as u8,
                _ => 0,
            };
            Data::String(Text::from(items.iter().map(byte).collect::<Vec<u8>>()))
        }
        "smap" => return map(MapType::String),
        "values" => return map(MapType::Values),
        "nilmap" => Data::Map(Map::nil(MapType::Any)),
        "nillist" => Data::List(List::nil(ElementType::Any)),
        "nilstrings" => Data::List(List::nil(ElementType::String)),
        "thing" => return Value::object(Thing { name: inner.as_text().unwrap().clone() }),
        other => panic!("no type {other}"),
    };
    data.into()
}

/// A pointer to a struct with fields and methods.
#[derive(Debug)]
struct Thing {
    name: Text,
}

impl Object for Thing {
    fn type_name(&self) -> Cow<'static, str> {
        "*main.Thing".into()
    }
    fn kind(&self) -> Kind {
        Kind::Pointer
    }
    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(self.name.clone().into()),
            "Count" => Some(Value::int(3)),
            "Tags" => Some(List::of(ElementType::String, vec!["a".into(), "b".into()]).into()),
            "Any" => Some(Value::NIL),
            _ => None,
        }
    }
    fn has_method(&self, name: &str) -> bool {
        matches!(name, "Hello" | "Fails")
    }
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        if name == "Fails" {
            return Err("thing fails".to_owned());
        }
        let list = Value::from(List::new(arguments.to_vec()));
        Ok(format::sprint(&["hello ".into(), self.name.clone().into(), list]).into())
    }
    fn plain(&self) -> Value {
        Map::from_iter([("Name", Value::from(self.name.clone()))]).into()
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
