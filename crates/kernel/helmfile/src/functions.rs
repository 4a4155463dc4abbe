//! What Helmfile's templates can call besides sprig: [`table`].

use onepane_template::{Context, Function, FunctionError, FunctionTable, Type};
use onepane_value::{Value, format};
use onepane_world::EntryKind;

/// Helm's functions and Helmfile's own. `exec` and `envExec` are not among them: rendering runs no program.
pub(crate) fn table() -> FunctionTable {
    let mut table = onepane_functions::helm();
    table.remove("include");
    table.remove("lookup");
    table.extend(FUNCTIONS.iter().copied());
    table
}

type Outcome = Result<Value, FunctionError>;

const FUNCTIONS: &[Function] = &[
    Function { name: "env", parameters: &[Type::String], variadic: false, call: env },
    Function { name: "requiredEnv", parameters: &[Type::String], variadic: false, call: required_env },
    Function { name: "readFile", parameters: &[Type::String], variadic: false, call: read_file },
    Function { name: "isFile", parameters: &[Type::String], variadic: false, call: is_file },
    Function { name: "isDir", parameters: &[Type::String], variadic: false, call: is_dir },
    Function { name: "get", parameters: &[Type::String, Type::Any], variadic: true, call: get },
    Function { name: "getOrNil", parameters: &[Type::String, Type::Any], variadic: false, call: get_or_nil },
];

fn text(value: &Value) -> String {
    value.as_text().map(ToString::to_string).unwrap_or_default()
}

fn env(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(context.world().env(&text(&arguments[0])).unwrap_or_default().into())
}

fn required_env(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let name = text(&arguments[0]);
    match context.world().env(&name).filter(|value| !value.is_empty()) {
        Some(value) => Ok(value.into()),
        None => Err(format!("required env var `{name}` is not set").into()),
    }
}

fn read_file(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let bytes = context.world().read(text(&arguments[0]).as_str().into()).map_err(|error| error.to_string())?;
    context.charge(bytes.len())?;
    Ok(Value::string(&bytes[..]))
}

fn is_file(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok((context.world().kind(text(&arguments[0]).as_str().into()) == Some(EntryKind::File)).into())
}

fn is_dir(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok((context.world().kind(text(&arguments[0]).as_str().into()) == Some(EntryKind::Folder)).into())
}

/// `get "a.b" [default] map`: Helmfile's, which takes a path and is not sprig's.
fn get(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (default, map) = match arguments {
        [_, map] => (None, map),
        [_, default, map] => (Some(default), map),
        _ => return Err("get takes a path, a default if there is one, and a map".into()),
    };
    let path = text(&arguments[0]);
    match (find(&path, map), default) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(default)) => Ok(default.clone()),
        (Err(key), None) => {
            let key = format::quote(key.as_bytes());
            Err(format!("no value exist for key {key} in {}", format::sprint(std::slice::from_ref(map))).into())
        }
    }
}

fn get_or_nil(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(find(&text(&arguments[0]), &arguments[1]).unwrap_or_default())
}

/// The value at a dotted path; the error is the key that is not there.
fn find(path: &str, map: &Value) -> Result<Value, String> {
    path.split('.').filter(|key| !key.is_empty()).try_fold(map.clone(), |value, key| {
        value.as_map().and_then(|map| map.get(key)).ok_or_else(|| key.to_owned())
    })
}
