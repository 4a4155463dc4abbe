//! What Helmfile's templates can call besides sprig: [`TABLE`].

use crate::{references, yaml};
use onepane_diagnostics::FileId;
use onepane_functions::{HELM, sprig};
use onepane_template::{Context, Function, FunctionError, FunctionTable, Type};
use onepane_value::{Data, ElementType, Kind, List, Map, Text, Value, format, to_yaml_pretty};
use onepane_world::EntryKind;

/// Sprig's functions and Helmfile's own; `include`, `tpl` and `required` are Helm's.
pub(crate) static TABLE: FunctionTable = {
    const OF_HELM: [Function; 4] = [
        HELM.named("include"),
        HELM.named("tpl"),
        HELM.named("required"),
        Function { name: "sprigGet", ..HELM.named("get") },
    ];
    sprig().with(&OF_HELM).with(FUNCTIONS)
};

type Outcome = Result<Value, FunctionError>;

const fn function(
    name: &'static str,
    parameters: &'static [Type],
    call: fn(&mut dyn Context, &[Value]) -> Outcome,
) -> Function {
    Function { name, parameters, variadic: false, call }
}

const FUNCTIONS: &[Function] = &[
    function("env", &[Type::String], env),
    function("requiredEnv", &[Type::String], required_env),
    function("readFile", &[Type::String], read_file),
    function("readDir", &[Type::String], read_dir),
    function("isFile", &[Type::String], is_file),
    function("isDir", &[Type::String], is_dir),
    Function { variadic: true, ..function("get", &[Type::String, Type::Any], get) },
    function("getOrNil", &[Type::String, Type::Any], get_or_nil),
    function("setValueAtPath", &[Type::String, Type::Any, Type::Map], set_value_at_path),
    function("toYaml", &[Type::Any], |context, arguments| {
        let text = to_yaml_pretty(&arguments[0])?;
        context.charge(text.len())?;
        Ok(text.into())
    }),
    function("fromYaml", &[Type::String], |_, arguments| {
        let text = text(&arguments[0]);
        let read = yaml::documents(&text, FileId::new("-")).map(|documents| documents.into_iter().next());
        // Helmfile's error has the text as well; what was read of a secret is to be in none.
        read.map(Option::unwrap_or_default).map_err(|error| format!("yaml: {}", error.message).into())
    }),
    Function { variadic: true, ..function("exec", &[Type::String, Type::Any, Type::String], exec) },
    Function { variadic: true, ..function("envExec", &[Type::Any, Type::String, Type::Any, Type::String], env_exec) },
    function("readDirEntries", &[Type::String], read_dir_entries),
    function("fetchSecretValue", &[Type::String], fetch_secret_value),
    function("expandSecretRefs", &[Type::Any], |context, arguments| expand(context, &arguments[0])),
];

/// What `HELMFILE_DISABLE_INSECURE_FEATURES` forbids.
fn check_insecure(context: &dyn Context) -> Result<(), FunctionError> {
    const VARIABLES: [&str; 2] = ["HELMFILE_DISABLE_INSECURE_FEATURES", "HELMFILE_DISABLE_INSECURE_TEMPLATE_FUNCTIONS"];
    let is_on = |name: &str| {
        context
            .world()
            .env(name)
            .is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
    };
    if VARIABLES.into_iter().any(is_on) {
        let message = format!("{} is active, insecure function calls are disabled", VARIABLES.join(" or "));
        return Err(message.into());
    }
    Ok(())
}

fn exec(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    run(context, &[], arguments)
}

fn env_exec(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut variables = Vec::new();
    if let Some(map) = arguments[0].as_map() {
        for (key, value) in map.entries() {
            let Some(value) = value.as_text() else {
                return Err(format!("unexpected type of env \"{}\" at index {key}", value.type_name()).into());
            };
            variables.push((key.to_string(), value.to_string()));
        }
    }
    run(context, &variables, &arguments[1..])
}

/// `exec PROGRAM ARGUMENTS [INPUT]`
fn run(context: &mut dyn Context, variables: &[(String, String)], arguments: &[Value]) -> Outcome {
    check_insecure(context)?;
    let mut words = Vec::new();
    for (index, word) in arguments[1].as_list().map(|list| list.to_vec()).unwrap_or_default().iter().enumerate() {
        let Some(word) = word.as_text() else {
            return Err(format!("unexpected type of arg \"{}\" at index {index}", word.type_name()).into());
        };
        words.push(word.to_string());
    }
    let input = arguments.get(2).map(text).unwrap_or_default();
    let printed = context.host().run(&text(&arguments[0]), &words, variables, input.as_bytes())?;
    context.charge(printed.len())?;
    Ok(Value::string(&printed[..]))
}

/// The entries of a folder, each with `.Name` and `.IsDir`.
fn read_dir_entries(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    check_insecure(context)?;
    let path = text(&arguments[0]);
    let entries = context.world().list(path.as_str().into()).map_err(|error| error.to_string())?;
    let described = entries.into_iter().map(|entry| {
        let is_folder = entry.kind == EntryKind::Folder && !entry.link;
        Value::from(Map::from_iter([("Name", Value::from(entry.name)), ("IsDir", is_folder.into())]))
    });
    Ok(described.collect::<List>().into())
}

fn fetch_secret_value(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = expand(context, &arguments[0])?;
    if value.as_text().is_none() {
        return Err("expected the secret to be string".into());
    }
    Ok(value)
}

/// References to secrets, resolved.
fn expand(context: &mut dyn Context, value: &Value) -> Outcome {
    let host = context.host();
    references::expand(value, &|reference| host.secret(reference)).map_err(|unresolved| String::from(unresolved).into())
}

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
    check_insecure(context)?;
    let bytes = context.world().read(text(&arguments[0]).as_str().into()).map_err(|error| error.to_string())?;
    context.charge(bytes.len())?;
    Ok(Value::string(&bytes[..]))
}

/// The paths of the files of a folder.
fn read_dir(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    check_insecure(context)?;
    let path = text(&arguments[0]);
    let entries = context.world().list(path.as_str().into()).map_err(|error| error.to_string())?;
    let files = entries.iter().filter(|entry| entry.kind != EntryKind::Folder);
    let paths = files.map(|entry| onepane_world::normalize(&camino::Utf8Path::new(&path).join(&entry.name)));
    let paths: Vec<Value> = paths.map(|path| path.into_string().into()).collect();
    Ok(List::of(ElementType::String, paths).into())
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
        _ => {
            let count = arguments.len().saturating_sub(1);
            let message = "unexpected number of args passed to the template function get(path, [def, ]obj)";
            return Err(format!("{message}: expected 1 or 2, got {count}").into());
        }
    };
    match (find(&text(&arguments[0]), map), default) {
        (Ok(value), _) => Ok(value),
        (Err(Absent::Key(_)), Some(default)) => Ok(default.clone()),
        (Err(Absent::Key(message) | Absent::NoMap(message)), _) => Err(message.into()),
    }
}

fn get_or_nil(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(find(&text(&arguments[0]), &arguments[1]).unwrap_or_default())
}

/// Why there is nothing at a path; Helmfile's text.
enum Absent {
    /// A map has not the key: a default helps.
    Key(String),
    /// What should have the key is no map: it does not.
    NoMap(String),
}

/// The value at a dotted path.
fn find(path: &str, map: &Value) -> Result<Value, Absent> {
    if path.is_empty() {
        return Ok(map.clone());
    }
    path.split('.').try_fold(map.clone(), |value, key| match &value.data {
        Data::Map(map) => map.get(key).ok_or_else(|| {
            // Helmfile's error has the mapping as well, which may hold secrets.
            Absent::Key(format!("no value exist for key {}", quoted(key)))
        }),
        Data::Object(object) if object.kind() == Kind::Struct => {
            object.field(key).ok_or_else(|| Absent::Key(format!("no field named {} exist in it", quoted(key))))
        }
        _ => Err(Absent::NoMap(format!(
            "unexpected type({}) of value for key {}: it must be either map[string]any or any struct",
            value.type_name(),
            quoted(key)
        ))),
    })
}

fn quoted(text: &str) -> Text {
    format::sprintf(b"\"%s\"", &[text.into()])
}

/// Sets the value at a dotted path of a map, in place, and gives the map.
fn set_value_at_path(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let path = text(&arguments[0]);
    let failed = |key: &str, why: &str| {
        FunctionError::Message(format!("failed to set value at path \"{path}\": value for key \"{key}\" {why}"))
    };
    let (keys, last) = path.rsplit_once('.').map_or((None, path.as_str()), |(keys, last)| (Some(keys), last));
    let mut current = arguments[2].as_map().cloned().unwrap_or_default();
    for key in keys.iter().flat_map(|keys| keys.split('.')) {
        current = match current.get(key).map(|value| value.data) {
            Some(Data::Map(map)) => map,
            Some(_) => return Err(failed(key, "was not a map")),
            None => return Err(failed(key, "does not exist")),
        };
    }
    current.insert(last, arguments[1].clone());
    Ok(arguments[2].clone())
}
