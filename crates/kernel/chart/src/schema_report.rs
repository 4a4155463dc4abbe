//! Findings about values, nested by subschema: a schema with several findings is a group, `anyOf` and its kin hold
//! those of their branches.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// All findings as the text below a chart's name.
pub(crate) fn report<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> String {
    let errors: Vec<_> = errors.collect();
    let found = errors.iter().map(Found::new).collect();
    let root = schema(found, 0, Vec::new());
    let mut text = String::new();
    let tops = match root {
        Finding { group: true, causes, .. } => causes,
        single => vec![single],
    };
    for (number, finding) in tops.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        finding.write(&mut text, 0);
    }
    text + "\n"
}

/// An error with its paths taken apart.
struct Found<'a> {
    schema: Vec<String>,
    instance: Vec<String>,
    error: &'a ValidationError<'a>,
}

impl<'a> Found<'a> {
    fn new(error: &'a ValidationError<'a>) -> Self {
        Self {
            schema: tokens(error.evaluation_path().as_str()),
            instance: tokens(error.instance_path().as_str()),
            error,
        }
    }
}

fn tokens(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
}

struct Finding {
    instance: Vec<String>,
    text: String,
    group: bool,
    causes: Vec<Finding>,
}

impl Finding {
    fn write(&self, text: &mut String, indent: usize) {
        let pointer: String =
            self.instance.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
        *text += &format!("{}- at {}: {}", "  ".repeat(indent), quoted(&pointer), self.text);
        for cause in &self.causes {
            text.push('\n');
            cause.write(text, indent + 1);
        }
    }
}

/// The findings of the subschema that lies `depth` tokens down, as one.
fn schema(found: Vec<Found<'_>>, depth: usize, instance: Vec<String>) -> Finding {
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut inner: BTreeMap<(usize, Vec<String>, Vec<String>), Vec<Found<'_>>> = BTreeMap::new();
    for item in found {
        let keyword = item.schema.get(depth).map(String::as_str).unwrap_or_default();
        let steps = match keyword {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies"
            | "prefixItems" | "allOf" => 2,
            "items" if item.schema.get(depth + 1).is_some_and(|token| token.parse::<usize>().is_ok()) => 2,
            _ => 1,
        };
        if item.schema.len() > depth + steps {
            let path = item.schema[depth..depth + steps].to_vec();
            // The same subschema may have been held against several items.
            let at = item.instance[..item.instance.len().min(instance.len() + moves(keyword))].to_vec();
            inner.entry((rank(keyword), path, at)).or_default().push(item);
        } else if let Kind::Required { property } = item.error.kind() {
            missing.push(property.as_str().map_or_else(|| property.to_string(), str::to_owned));
        } else {
            let early = matches!(keyword, "type" | "const" | "enum" | "format");
            let finding = leaf(&item, depth + 1);
            if early {
                // Nothing else of the subschema is looked at then.
                return finding;
            }
            findings.push((rank(keyword), finding));
        }
    }
    if !missing.is_empty() {
        let text = match missing.as_slice() {
            [one] => format!("missing property {}", quoted(one)),
            many => format!("missing properties {}", joined(many)),
        };
        findings.push((rank("required"), Finding { instance: instance.clone(), text, group: false, causes: vec![] }));
    }
    let mut all_of = Vec::new();
    for ((rank, path, at), items) in inner {
        let finding = schema(items, depth + path.len(), at);
        if path[0] == "allOf" { all_of.push(finding) } else { findings.push((rank, finding)) }
    }
    if !all_of.is_empty() {
        let text = "'allOf' failed".to_owned();
        findings.push((rank("allOf"), Finding { instance: instance.clone(), text, group: false, causes: all_of }));
    }
    findings.sort_by_key(|(rank, _)| *rank);
    let mut causes: Vec<Finding> = findings.into_iter().map(|(_, finding)| finding).collect();
    match causes.pop() {
        Some(only) if causes.is_empty() => only,
        last => {
            causes.extend(last);
            Finding { instance, text: "validation failed".to_owned(), group: true, causes }
        }
    }
}

/// How many tokens a keyword's subschema goes down in the instance.
fn moves(keyword: &str) -> usize {
    let down = [
        "properties",
        "patternProperties",
        "additionalProperties",
        "items",
        "prefixItems",
        "additionalItems",
        "unevaluatedProperties",
        "unevaluatedItems",
        "contains",
    ];
    usize::from(down.contains(&keyword))
}

/// The order in which Helm's validator looks at keywords.
fn rank(keyword: &str) -> usize {
    const ORDER: &[&str] = &[
        "$ref",
        "minProperties",
        "maxProperties",
        "required",
        "dependencies",
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "dependentSchemas",
        "dependentRequired",
        "minItems",
        "maxItems",
        "uniqueItems",
        "prefixItems",
        "items",
        "additionalItems",
        "contains",
        "minContains",
        "maxContains",
        "minLength",
        "maxLength",
        "pattern",
        "contentEncoding",
        "contentMediaType",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "not",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "then",
        "else",
    ];
    ORDER.iter().position(|known| *known == keyword).unwrap_or(ORDER.len())
}

fn leaf(found: &Found<'_>, depth: usize) -> Finding {
    let got = found.error.instance();
    let number = |value: &Json| value.as_f64().map_or_else(|| value.to_string(), |value| value.to_string());
    let length = got.as_array().map(Vec::len).or(got.as_object().map(serde_json::Map::len));
    let length = length.or(got.as_str().map(|text| text.chars().count())).unwrap_or_default();
    // A branch's errors name their way from the root too: `…/anyOf/0/…`.
    let branches = |context: &[Vec<ValidationError<'static>>]| -> Vec<Finding> {
        let branch = |errors: &Vec<ValidationError<'static>>| {
            let found_here = errors.iter().map(Found::new).collect();
            schema(found_here, depth + 1, found.instance.clone())
        };
        context.iter().map(branch).collect()
    };
    let mut causes = Vec::new();
    let text = match found.error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            format!("additional properties {} not allowed", joined(unexpected))
        }
        Kind::AnyOf { context } => {
            causes = branches(context);
            "'anyOf' failed".to_owned()
        }
        Kind::OneOfNotValid { context } => {
            causes = branches(context);
            "'oneOf' failed, none matched".to_owned()
        }
        Kind::OneOfMultipleValid { context } => {
            let matched: Vec<String> = (0..context.len())
                .filter(|index| context[*index].is_empty())
                .take(2)
                .map(|index| index.to_string())
                .collect();
            format!("'oneOf' failed, subschemas {} matched", matched.join(", "))
        }
        Kind::Constant { expected_value } if !expected_value.is_array() && !expected_value.is_object() => {
            format!("value must be {}", shown(expected_value))
        }
        Kind::Constant { .. } => "'const' failed".to_owned(),
        Kind::Contains => "no items match contains schema".to_owned(),
        Kind::Enum { options } => match options.as_array().map(Vec::as_slice) {
            Some(options) if options.iter().any(|option| option.is_array() || option.is_object()) => {
                "'enum' failed".to_owned()
            }
            Some([one]) => format!("value must be {}", shown(one)),
            Some(options) => {
                format!("value must be one of {}", options.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            None => "'enum' failed".to_owned(),
        },
        Kind::ExclusiveMaximum { limit } => format!("exclusiveMaximum: got {}, want {}", number(got), number(limit)),
        Kind::ExclusiveMinimum { limit } => format!("exclusiveMinimum: got {}, want {}", number(got), number(limit)),
        Kind::Maximum { limit } => format!("maximum: got {}, want {}", number(got), number(limit)),
        Kind::Minimum { limit } => format!("minimum: got {}, want {}", number(got), number(limit)),
        Kind::MultipleOf { multiple_of } => format!("multipleOf: got {}, want {multiple_of}", number(got)),
        Kind::MaxItems { limit } => format!("maxItems: got {length}, want {limit}"),
        Kind::MinItems { limit } => format!("minItems: got {length}, want {limit}"),
        Kind::MaxLength { limit } => format!("maxLength: got {length}, want {limit}"),
        Kind::MinLength { limit } => format!("minLength: got {length}, want {limit}"),
        Kind::MaxProperties { limit } => format!("maxProperties: got {length}, want {limit}"),
        Kind::MinProperties { limit } => format!("minProperties: got {length}, want {limit}"),
        Kind::FalseSchema => "false schema".to_owned(),
        Kind::Format { format } => {
            // Helm's validator gives a reason; of those, only the commonest is told.
            let no_at = format == "email" && got.as_str().is_some_and(|text| !text.contains('@'));
            format!("{} is not valid {format}{}", shown(got), if no_at { ": missing @" } else { "" })
        }
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::Pattern { pattern } => format!("{} does not match pattern {}", shown(got), quoted(pattern)),
        Kind::PropertyNames { error } => {
            causes = vec![leaf(&Found::new(error), depth + 1)];
            format!("invalid propertyName {}", shown(error.instance()))
        }
        Kind::Type { kind } => {
            let mut wanted = match kind {
                TypeKind::Single(kind) => vec![type_name(*kind)],
                TypeKind::Multiple(kinds) => kinds.iter().map(type_name).collect(),
            };
            wanted.sort_unstable();
            format!("got {}, want {}", kind_of(got), wanted.join(" or "))
        }
        Kind::UniqueItems => match got.as_array().and_then(|items| equal_pair(items)) {
            Some((first, second)) => format!("items at {first} and {second} are equal"),
            None => found.error.to_string(),
        },
        _ => found.error.to_string(),
    };
    Finding { instance: found.instance.clone(), text, group: false, causes }
}

fn equal_pair(items: &[Json]) -> Option<(usize, usize)> {
    (1..items.len())
        .find_map(|second| (0..second).find(|first| items[*first] == items[second]).map(|first| (first, second)))
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "array",
        JsonType::Boolean => "boolean",
        JsonType::Integer => "integer",
        JsonType::Null => "null",
        JsonType::Number => "number",
        JsonType::Object => "object",
        JsonType::String => "string",
    }
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(_) | Json::Object(_) => "value".to_owned(),
        Json::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// In single quotes, the way Helm's validator quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '"' => out.push('"'),
            c => {
                out.extend(c.escape_default().filter(|_| !c.is_alphanumeric()).chain(c.is_alphanumeric().then_some(c)))
            }
        }
    }
    out.push('\'');
    out
}

fn joined(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}
