//! [`evidently_meets`]: values held against plain schemas without a validator, whose building takes longer than to
//! render many a chart.
//!
//! It only ever says that values are fine, and leaves whatever is not evident to the validator, which also words what
//! is wrong. "Fine" includes that all of the schema is one, also the parts that these values don't come across.

use regex_lite::Regex;
use serde_json::{Map, Number, Value as Json};
use std::collections::HashMap;

/// Subschemas, values and names that are looked at: what takes more is worth a validator.
const MOST_STEPS: usize = 20_000;

/// How deep subschemas nest, so that a reference to itself ends.
const DEEPEST: usize = 64;

/// Each is held against all others.
const MOST_NAMES: usize = 64;

/// Keywords of any dialect that are not followed here. Others that are unknown only annotate.
const NOT_PLAIN: &[&str] = &[
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "additionalItems",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "id",
    "if",
    "maxContains",
    "minContains",
    "multipleOf",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Whether `schema` evidently is one, and `values` evidently meet it.
pub(crate) fn evidently_meets(schema: &Json, values: &Json) -> bool {
    // In these two, the keywords that are followed mean the same, but for `format` and what stands beside a reference.
    let asserts_formats = match schema.get("$schema") {
        None => false,
        Some(Json::String(dialect)) if dialect == "https://json-schema.org/draft/2020-12/schema" => false,
        Some(Json::String(dialect)) if dialect == "http://json-schema.org/draft-07/schema#" => true,
        Some(_) => return false,
    };
    let mut check = Check { root: schema, asserts_formats, steps: 0, patterns: HashMap::new() };
    check.is_schema(schema, 0) && check.meets(schema, values, 0)
}

struct Check<'a> {
    root: &'a Json,
    asserts_formats: bool,
    steps: usize,
    patterns: HashMap<&'a str, Option<Regex>>,
}

impl<'a> Check<'a> {
    /// Counts what is looked at next, and says whether it may be.
    fn may_look_at(&mut self, fields: &Map<String, Json>, depth: usize) -> bool {
        let size = |value: &Json| match value {
            Json::Array(list) => list.len(),
            Json::Object(map) => map.len(),
            _ => 1,
        };
        self.steps += 1 + fields.values().map(size).sum::<usize>();
        self.steps <= MOST_STEPS && depth <= DEEPEST
    }

    fn pattern(&mut self, pattern: &'a str) -> Option<&Regex> {
        self.patterns.entry(pattern).or_insert_with(|| plain_pattern(pattern)).as_ref()
    }

    fn is_schema(&mut self, schema: &'a Json, depth: usize) -> bool {
        let Json::Object(fields) = schema else { return schema.is_boolean() };
        self.may_look_at(fields, depth) && fields.iter().all(|(key, value)| self.is_keyword(fields, key, value, depth))
    }

    fn is_keyword(&mut self, fields: &'a Map<String, Json>, key: &str, value: &'a Json, depth: usize) -> bool {
        match key {
            // An inner schema may be of another dialect.
            "$schema" => depth == 0,
            "$ref" => self.referred(value).is_some() && (!self.asserts_formats || fields.len() == 1),
            "title" | "description" | "$comment" => value.is_string(),
            "format" => value.is_string() && !self.asserts_formats,
            "default" | "const" => true,
            "enum" | "examples" => value.is_array(),
            "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => value.is_boolean(),
            "type" => match value {
                Json::String(name) => is_type(name),
                Json::Array(names) => !names.is_empty() && are_different(names, is_type),
                _ => false,
            },
            "required" => value.as_array().is_some_and(|names| are_different(names, |_| true)),
            "properties" | "definitions" | "$defs" => value
                .as_object()
                .is_some_and(|schemas| schemas.values().all(|schema| self.is_schema(schema, depth + 1))),
            "additionalProperties" | "items" | "propertyNames" => self.is_schema(value, depth + 1),
            "allOf" | "anyOf" => value.as_array().is_some_and(|schemas| {
                !schemas.is_empty() && schemas.iter().all(|schema| self.is_schema(schema, depth + 1))
            }),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => value.is_u64(),
            "pattern" => value.as_str().is_some_and(|pattern| self.pattern(pattern).is_some()),
            other => NOT_PLAIN.binary_search(&other).is_err(),
        }
    }

    /// What a reference to one of the schema's own definitions leads to.
    fn referred(&self, reference: &Json) -> Option<&'a Json> {
        let (kind, name) = reference.as_str()?.strip_prefix("#/")?.split_once('/')?;
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_plain || !matches!(kind, "definitions" | "$defs") {
            return None;
        }
        self.root.get(kind)?.get(name)
    }

    fn meets(&mut self, schema: &'a Json, value: &Json, depth: usize) -> bool {
        let Json::Object(fields) = schema else { return schema == &Json::Bool(true) };
        self.may_look_at(fields, depth)
            && fields.iter().all(|(key, keyword)| self.meets_keyword(fields, key, keyword, value, depth))
    }

    fn meets_keyword(
        &mut self,
        fields: &'a Map<String, Json>,
        key: &str,
        keyword: &'a Json,
        value: &Json,
        depth: usize,
    ) -> bool {
        let all = |schemas: &'a Json| schemas.as_array().into_iter().flatten();
        let names = || keyword.as_array().into_iter().flatten().filter_map(Json::as_str);
        match (key, value) {
            ("$ref", _) => self.referred(keyword).is_some_and(|schema| self.meets(schema, value, depth + 1)),
            ("const", _) => keyword == value,
            ("enum", _) => all(keyword).any(|one| one == value),
            ("type", _) => keyword.as_str().into_iter().chain(names()).any(|name| has_type(value, name)),
            ("allOf", _) => all(keyword).all(|schema| self.meets(schema, value, depth + 1)),
            ("anyOf", _) => all(keyword).any(|schema| self.meets(schema, value, depth + 1)),
            ("required", Json::Object(map)) => names().all(|name| map.contains_key(name)),
            ("properties", Json::Object(map)) => keyword
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, schema)| map.get(name).is_none_or(|value| self.meets(schema, value, depth + 1))),
            ("additionalProperties", Json::Object(map)) => {
                let named = fields.get("properties").and_then(Json::as_object);
                map.iter()
                    .filter(|(name, _)| named.is_none_or(|named| !named.contains_key(*name)))
                    .all(|(_, value)| self.meets(keyword, value, depth + 1))
            }
            ("propertyNames", Json::Object(map)) => {
                map.keys().all(|name| self.meets(keyword, &Json::String(name.clone()), depth + 1))
            }
            ("items", Json::Array(list)) => list.iter().all(|item| self.meets(keyword, item, depth + 1)),
            ("uniqueItems", Json::Array(list)) => keyword == &Json::Bool(false) || list.len() < 2,
            ("minItems", Json::Array(list)) => at_least(list.len(), keyword),
            ("maxItems", Json::Array(list)) => at_most(list.len(), keyword),
            ("minProperties", Json::Object(map)) => at_least(map.len(), keyword),
            ("maxProperties", Json::Object(map)) => at_most(map.len(), keyword),
            ("minLength", Json::String(text)) => at_least(text.chars().count(), keyword),
            ("maxLength", Json::String(text)) => at_most(text.chars().count(), keyword),
            ("pattern", Json::String(text)) => {
                keyword.as_str().and_then(|pattern| self.pattern(pattern)).is_some_and(|pattern| pattern.is_match(text))
            }
            ("minimum", Json::Number(number)) => compares(number, keyword, |number, limit| number >= limit),
            ("maximum", Json::Number(number)) => compares(number, keyword, |number, limit| number <= limit),
            ("exclusiveMinimum", Json::Number(number)) => compares(number, keyword, |number, limit| number > limit),
            ("exclusiveMaximum", Json::Number(number)) => compares(number, keyword, |number, limit| number < limit),
            // It annotates, or is about values of another type.
            _ => true,
        }
    }
}

fn is_type(name: &str) -> bool {
    ["array", "boolean", "integer", "null", "number", "object", "string"].contains(&name)
}

fn has_type(value: &Json, name: &str) -> bool {
    match value {
        Json::Null => name == "null",
        Json::Bool(_) => name == "boolean",
        Json::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
        Json::String(_) => name == "string",
        Json::Array(_) => name == "array",
        Json::Object(_) => name == "object",
    }
}

fn are_different(names: &[Json], fits: impl Fn(&str) -> bool) -> bool {
    names.len() <= MOST_NAMES
        && names
            .iter()
            .enumerate()
            .all(|(index, name)| name.as_str().is_some_and(&fits) && !names[..index].contains(name))
}

fn at_least(length: usize, limit: &Json) -> bool {
    limit.as_u64().is_some_and(|limit| length as u64 >= limit)
}

fn at_most(length: usize, limit: &Json) -> bool {
    limit.as_u64().is_some_and(|limit| length as u64 <= limit)
}

/// Numbers that floats may not hold exactly are not compared.
fn compares(number: &Number, limit: &Json, how: impl Fn(f64, f64) -> bool) -> bool {
    let exact = |number: &Number| number.as_f64().filter(|float| float.abs() < 9e15);
    exact(number).zip(limit.as_number().and_then(exact)).is_some_and(|(number, limit)| how(number, limit))
}

/// An expression that all dialects of expressions read alike, of which the validator's is another one.
fn plain_pattern(pattern: &str) -> Option<Regex> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"^$*+?[]()|-_/:,@=. ".contains(&byte);
    let unescaped = ["\\.", "\\-", "\\/"].iter().fold(pattern.to_owned(), |rest, escape| rest.replace(escape, "_"));
    // They mean something in one dialect or other.
    let special = ["(?", "[[", "--", "**", "*+", "+*", "++", "?*", "?+", "??", "^?", "^*", "^+", "$?", "$*", "$+"];
    let is_plain = pattern.len() <= 256
        && unescaped.bytes().all(is_plain)
        && !special.iter().any(|special| unescaped.contains(special));
    is_plain.then(|| Regex::new(pattern).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::check_evident_and_all;
    use proptest::prelude::*;

    #[test]
    fn what_is_evident() {
        let cases = [
            (r#"{"type": "object", "required": ["a"], "properties": {"a": {"minimum": 1}}}"#, r#"{"a": 1.5}"#, true),
            (r#"{"properties": {"a": {"type": "integer"}}, "additionalProperties": false}"#, r#"{"a": 1}"#, true),
            (r#"{"properties": {"a": {}}, "additionalProperties": false}"#, r#"{"b": 1}"#, false),
            (r#"{"propertyNames": {"pattern": "^[A-Z]+$"}}"#, r#"{"AB": 1}"#, true),
            (r#"{"propertyNames": {"pattern": "^[A-Z]+$"}}"#, r#"{"aB": 1}"#, false),
            (r##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": ["null", "object"]}}}"##, "{}", true),
            (r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}"##, "{}", false),
            (r#"{"properties": {"a": {"pattern": "^[a-z]+\\.x$"}}}"#, r#"{"a": "b.x"}"#, true),
            (r#"{"properties": {"a": {"pattern": "^\\d$"}}}"#, r#"{"a": "1"}"#, false),
            (r#"{"properties": {"a": {"anyOf": [{"const": 1}, {"enum": ["x"]}]}}}"#, r#"{"a": "x"}"#, true),
            // Not all of them is a schema, which these values don't come across.
            (r#"{"properties": {"a": {"required": "a"}}}"#, "{}", false),
            (r#"{"anyOf": [{}, {"type": "text"}]}"#, "{}", false),
            (r#"{"not": {"type": "null"}}"#, "{}", false),
            (r#"{"$schema": "http://json-schema.org/draft-04/schema#"}"#, "{}", false),
        ];
        for (schema, values, expected) in cases {
            let parse = |text| serde_json::from_str::<Json>(text).expect("it is JSON");
            assert_eq!(evidently_meets(&parse(schema), &parse(values)), expected, "{schema} {values}");
        }
    }

    #[test]
    fn keywords_are_in_the_order_that_they_are_searched_in() {
        assert!(NOT_PLAIN.is_sorted());
    }

    fn scalar() -> BoxedStrategy<Json> {
        prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-3i64..4).prop_map(Json::from),
            (-3i64..4).prop_map(|number| Json::from(number as f64 / 2.0)),
            "[abc.]{0,3}".prop_map(Json::from),
        ]
        .boxed()
    }

    fn object(inner: BoxedStrategy<Json>, key: &'static str) -> BoxedStrategy<Json> {
        prop::collection::vec((key, inner), 0..4).prop_map(|fields| Json::Object(fields.into_iter().collect())).boxed()
    }

    fn value() -> BoxedStrategy<Json> {
        let inner = |inner: BoxedStrategy<Json>| {
            prop_oneof![prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from), object(inner, "[abc]")]
        };
        scalar().prop_recursive(3, 12, 3, inner).boxed()
    }

    /// Mostly schemas, with keywords of which few fit their values.
    fn schema() -> BoxedStrategy<Json> {
        let types = || prop::sample::select(vec!["object", "array", "string", "integer", "number", "null", "text"]);
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::from),
            types().prop_map(|name| serde_json::json!({ "type": name })),
            (types(), types()).prop_map(|(one, other)| serde_json::json!({ "type": [one, other] })),
            ("(min|max)(imum|Length|Items|Properties)|exclusive(Min|Max)imum|uniqueItems|enum|const|pattern", value())
                .prop_map(|(key, value)| serde_json::json!({ key: value })),
            prop::collection::vec(scalar(), 1..4).prop_map(|list| serde_json::json!({ "enum": list })),
            "[abc^$.*+?]{0,4}".prop_map(|pattern| serde_json::json!({ "pattern": pattern })),
            prop::collection::vec("[abc]", 0..3).prop_map(|names| serde_json::json!({ "required": names })),
            "[$a](defs|ref|b)".prop_map(|name| serde_json::json!({ "$ref": format!("#/$defs/{name}") })),
        ];
        let inner = |inner: BoxedStrategy<Json>| {
            prop_oneof![
                (object(inner.clone(), "[abc]"), inner.clone()).prop_map(
                    |(named, other)| serde_json::json!({ "properties": named, "additionalProperties": other })
                ),
                (inner.clone(), inner.clone())
                    .prop_map(|(items, not)| serde_json::json!({ "items": items, "not": not })),
                inner.clone().prop_map(|items| serde_json::json!({ "items": items, "title": "items" })),
                inner.clone().prop_map(|names| serde_json::json!({ "propertyNames": names })),
                (prop::collection::vec(inner.clone(), 0..3), "(all|any|one)Of")
                    .prop_map(|(list, key)| serde_json::json!({ key: list })),
                (inner.clone(), inner).prop_map(|(one, other)| match (one, other) {
                    (Json::Object(mut one), Json::Object(other)) => {
                        one.extend(other);
                        Json::Object(one)
                    }
                    (one, _) => one,
                }),
            ]
        };
        leaf.prop_recursive(4, 16, 3, inner).boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_is_evident_is_so(schema in schema(), values in value(), dialect in prop::sample::select(vec!["", "draft-07", "draft/2020-12"])) {
            let mut schema = schema;
            if let (Json::Object(fields), false) = (&mut schema, dialect.is_empty()) {
                fields.insert("$schema".to_owned(), format!("http://json-schema.org/{dialect}/schema#").into());
            }
            let (evident, valid) = check_evident_and_all(&schema, &values);
            prop_assert!(valid || !evident);
        }
    }
}
