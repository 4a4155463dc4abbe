//! Selectors of labels and of fields.

use crate::failure::{Failure, Result};
use crate::object;
use serde_json::Value;

/// Which objects are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    More(i64),
    Less(i64),
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector` of a request for a kind.
    pub(crate) fn read(kind: &str, is_namespaced: bool, labels: &str, fields: &str) -> Result<Self> {
        Ok(Self { labels: read_labels(labels)?, fields: read_fields(kind, is_namespaced, fields)? })
    }

    /// The selector of a workload: `matchLabels` and `matchExpressions`. An empty one selects nothing here.
    pub(crate) fn of_workload(selector: &Value) -> Option<Self> {
        let mut labels = Vec::new();
        for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
            let values = vec![value.as_str().unwrap_or_default().to_owned()];
            labels.push(Requirement { key: key.clone(), test: Test::In(values) });
        }
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            let values =
                object::items(expression, &["values"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let test = match object::text(expression, &["operator"]) {
                "In" => Test::In(values),
                "NotIn" => Test::NotIn(values),
                "Exists" => Test::Exists,
                _ => Test::Absent,
            };
            labels.push(Requirement { key: object::text(expression, &["key"]).to_owned(), test });
        }
        (!labels.is_empty()).then_some(Self { labels, fields: Vec::new() })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, of: &Value) -> bool {
        let labels = object::at(of, &["metadata", "labels"]);
        let has = |requirement: &Requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            let is_in = |values: &[String]| value.is_some_and(|value| values.iter().any(|other| other == value));
            let number = value.and_then(|value| value.parse::<i64>().ok());
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => is_in(values),
                Test::NotIn(values) => !is_in(values),
                Test::More(than) => number.is_some_and(|number| number > *than),
                Test::Less(than) => number.is_some_and(|number| number < *than),
            }
        };
        let is = |(field, equal, wanted): &(String, bool, String)| {
            let path: Vec<&str> = field.split('.').collect();
            let value = match object::at(of, &path) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (value == *wanted) == *equal
        };
        self.labels.iter().all(has) && self.fields.iter().all(is)
    }
}

fn read_fields(kind: &str, is_namespaced: bool, text: &str) -> Result<Vec<(String, bool, String)>> {
    let mut fields = Vec::new();
    for term in text.split(',').filter(|term| !term.is_empty()) {
        let (field, equal, value) = match (term.split_once("!="), term.split_once("=="), term.split_once('=')) {
            (Some((field, value)), _, _) => (field, false, value),
            (_, Some((field, value)), _) | (_, _, Some((field, value))) => (field, true, value),
            _ => {
                let why = format!("invalid selector: '{text}'; can't understand '{term}'");
                return Err(Failure::bad_request(why));
            }
        };
        let more: &[&str] = match kind {
            "Pod" => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.podIPs",
                "status.nominatedNodeName",
            ],
            "Event" => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            "Namespace" => &["status.phase"],
            "Secret" => &["type"],
            "Job" => &["status.successful"],
            "Node" => &["spec.unschedulable"],
            "ReplicaSet" | "ReplicationController" => &["status.replicas"],
            _ => &[],
        };
        let is_known =
            field == "metadata.name" || (is_namespaced && field == "metadata.namespace") || more.contains(&field);
        if !is_known {
            let known = if is_namespaced { "\"metadata.name\", \"metadata.namespace\"" } else { "\"metadata.name\"" };
            let why = match more.is_empty() {
                true => format!("{field:?} is not a known field selector: only {known}"),
                false => format!("field label not supported: {field}"),
            };
            return Err(Failure::bad_request(why));
        }
        fields.push((field.to_owned(), equal, value.to_owned()));
    }
    Ok(fields)
}

/// The tokens of a label selector: words and the signs between them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() || "(),=!<>".contains(c) {
            if !word.is_empty() {
                tokens.push(std::mem::take(&mut word));
            }
            if !c.is_whitespace() {
                let mut sign = c.to_string();
                if matches!(c, '=' | '!') && chars.next_if_eq(&'=').is_some() {
                    sign.push('=');
                }
                tokens.push(sign);
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

fn read_labels(text: &str) -> Result<Vec<Requirement>> {
    let tokens = tokens(text);
    let mut rest = tokens.iter().map(String::as_str).peekable();
    let mut requirements = Vec::new();
    let wrong = |found: &str, expected: &str| {
        Failure::bad_request(format!("unable to parse requirement: found '{found}', expected: {expected}"))
    };
    let is_word = |token: &str| !token.starts_with(['(', ')', ',', '=', '!', '<', '>']);
    while let Some(first) = rest.next() {
        let (key, is_absent) = match first {
            "!" => (rest.next().unwrap_or_default(), true),
            key => (key, false),
        };
        if key.is_empty() || !is_word(key) {
            return Err(wrong(key, "identifier"));
        }
        let test = match rest.next() {
            None | Some(",") => {
                let test = if is_absent { Test::Absent } else { Test::Exists };
                requirements.push(Requirement { key: key.to_owned(), test });
                continue;
            }
            Some(sign) if is_absent => return Err(wrong(sign, "','")),
            Some(sign @ ("=" | "==" | "!=")) => {
                let value = rest.next_if(|token| is_word(token)).unwrap_or_default().to_owned();
                if sign == "!=" { Test::NotIn(vec![value]) } else { Test::In(vec![value]) }
            }
            Some(sign @ (">" | "<")) => {
                let number = rest.next().and_then(|value| value.parse().ok()).ok_or_else(|| wrong("", "an integer"))?;
                if sign == ">" { Test::More(number) } else { Test::Less(number) }
            }
            Some(sign @ ("in" | "notin")) => {
                if rest.next() != Some("(") {
                    return Err(wrong(rest.peek().copied().unwrap_or_default(), "'('"));
                }
                let mut values = Vec::new();
                loop {
                    match rest.next() {
                        Some(")") => break,
                        Some(",") => {}
                        Some(value) if is_word(value) => values.push(value.to_owned()),
                        other => return Err(wrong(other.unwrap_or_default(), "',', ')' or identifier")),
                    }
                }
                if sign == "in" { Test::In(values) } else { Test::NotIn(values) }
            }
            Some(other) => return Err(wrong(other, "in, notin, =, ==, !=, gt, lt")),
        };
        requirements.push(Requirement { key: key.to_owned(), test });
        match rest.next() {
            None | Some(",") => {}
            Some(other) => return Err(wrong(other, "',' or 'end of string'")),
        }
    }
    Ok(requirements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_are_selected() {
        let object = json!({"metadata": {"name": "x", "labels": {"app": "web", "size": "3"}}});
        let cases = [
            ("app=web", true),
            ("app==web,size", true),
            ("app!=web", false),
            ("!gone", true),
            ("app in (a, web)", true),
            ("app notin (a,web)", false),
            ("other notin (a)", true),
            ("size>2", true),
            ("size<3", false),
            ("", true),
        ];
        for (text, expected) in cases {
            let selector = Selector::read("ConfigMap", true, text, "").expect(text);
            assert_eq!(selector.matches(&object), expected, "{text}");
        }
        for text in ["app in (", "=a", "a in b", "a b", "!", "a,,b", "(", "a>x"] {
            assert!(Selector::read("ConfigMap", true, text, "").is_err(), "{text}");
        }
        let fields = |text| Selector::read("Pod", true, "", text).map(|selector| selector.matches(&object));
        assert!(fields("metadata.name=x,status.phase!=Running").expect("it is one"));
        assert!(fields("spec.unknown=x").is_err());
    }
}
