//! YAML: Helm's `toYaml`, `fromYaml` and their kin.

use crate::arguments::{Outcome, any, derived, fixed, text};
use crate::json::{Wanted, written};
use crate::readings::{self, Format};
use onepane_template::{Context, Function, Type};
use onepane_value::{Data, List, Map, Value, to_yaml_block, to_yaml_pretty};

pub(crate) const HELM_FUNCTIONS: &[Function] = &[
    fixed("toYaml", &[Type::Any], to_yaml_or_nothing),
    fixed("mustToYaml", &[Type::Any], must_to_yaml),
    fixed("toYamlPretty", &[Type::Any], to_pretty_yaml),
    fixed("fromYaml", &[Type::String], |_, arguments| read(arguments, Wanted::Object)),
    fixed("fromYamlArray", &[Type::String], |_, arguments| read(arguments, Wanted::Array)),
];

fn to_yaml_or_nothing(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, |value| Ok(to_yaml_block(value).unwrap_or_default()))
}

fn must_to_yaml(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, to_yaml_block)
}

fn to_pretty_yaml(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, |value| {
        let yaml = to_yaml_pretty(value).unwrap_or_default();
        Ok(yaml.slice(0..yaml.strip_suffix(b"\n").map_or(yaml.len(), <[u8]>::len)))
    })
}

/// Null, an empty document too, leaves the result empty.
fn read(arguments: &[Value], wanted: Wanted) -> Outcome {
    let value = readings::read(Format::Yaml, text(arguments, 0)?);
    let value = value.and_then(|value| match (wanted, &value.data) {
        (Wanted::Object, Data::Nil) => Ok(Map::new().into()),
        (Wanted::Array, Data::Nil) => Ok(List::new([]).into()),
        _ => wanted.check(value).map_err(|error| format!("error unmarshaling JSON: while decoding JSON: {error}")),
    });
    Ok(derived(any(arguments, 0), value.unwrap_or_else(|error| wanted.error(error))))
}
