//! What a manifest says it is: group, version, kind, name. Errors are those of kubectl's validation and of encoding/json.

use crate::discovery::Gvk;
use serde_json::Value as Json;

pub(crate) fn metadata<'a>(json: &'a Json, field: &str) -> &'a str {
    json.get("metadata").and_then(|metadata| metadata.get(field)?.as_str()).unwrap_or_default()
}

/// Group, version and kind as kubectl's validation wants them.
pub(crate) fn object_kind(json: &Json) -> Result<Gvk, Vec<String>> {
    if !json.is_object() {
        return Err(vec!["invalid object to validate".to_owned()]);
    }
    let mut problems = Vec::new();
    let mut gvk = Gvk::default();
    let field = |name: &str| json.get(name).filter(|value| !value.is_null());
    match field("apiVersion") {
        None => problems.push("apiVersion not set".to_owned()),
        Some(Json::String(text)) => match Gvk::new(text, "") {
            Ok(version) => gvk = version,
            Err(problem) => problems.push(problem),
        },
        Some(_) => problems.push("apiVersion isn't string type".to_owned()),
    }
    match field("kind") {
        None => problems.push("kind not set".to_owned()),
        Some(Json::String(kind)) => gvk.kind.clone_from(kind),
        Some(_) => problems.push("kind isn't string type".to_owned()),
    }
    if problems.is_empty() { Ok(gvk) } else { Err(problems) }
}

/// Group, version and kind as they are decoded; an item of a list that says neither has them of the list.
pub(crate) fn kind_of(json: &Json, list: Option<&Gvk>) -> Option<Gvk> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default();
    let gvk = match (text("apiVersion"), text("kind"), list) {
        ("", "", Some(list)) => {
            let kind = list.kind.strip_suffix("List").unwrap_or(&list.kind).to_owned();
            Gvk { kind, ..list.clone() }
        }
        // What is no API version leaves no kind either.
        (api_version, kind, _) => Gvk::new(api_version, kind).unwrap_or_default(),
    };
    (!gvk.kind.is_empty()).then_some(gvk)
}

/// Whether the fields of `metadata` are of their types. The error is encoding/json's of the first that is not.
pub(crate) fn check_metadata(json: &Json) -> Result<(), String> {
    let Some(metadata) = json.get("metadata").filter(|metadata| !metadata.is_null()) else { return Ok(()) };
    let wrong = |value: &Json, field: &str, wanted: &str| {
        let actual = match value {
            Json::Bool(_) => "bool",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) | Json::Null => "object",
        };
        Err(format!("json: cannot unmarshal {actual} into Go struct field {field} of type {wanted}"))
    };
    let Some(fields) = metadata.as_object() else {
        return wrong(metadata, "metadataOnlyObject.metadata", "v1.ObjectMeta");
    };
    // In order of their names, in which they come.
    let texts = ["generateName", "name", "namespace", "resourceVersion", "selfLink"];
    for (field, is_map) in [("annotations", true), (texts[0], false), ("labels", true)]
        .into_iter()
        .chain(texts[1..].iter().map(|text| (*text, false)))
    {
        let Some(value) = fields.get(field).filter(|value| !value.is_null()) else { continue };
        let place = format!("ObjectMeta.metadata.{field}");
        match value {
            Json::String(_) if !is_map => {}
            _ if !is_map => return wrong(value, &place, "string"),
            Json::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                for (_, value) in entries {
                    if !value.is_string() && !value.is_null() {
                        return wrong(value, &place, "string");
                    }
                }
            }
            _ => return wrong(value, &place, "map[string]string"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_has_its_types() {
        let error = |metadata: Json| check_metadata(&json!({ "metadata": metadata })).err();
        assert_eq!(error(json!({"name": "a", "labels": {"a": "b"}, "annotations": null})), None);
        let wanted =
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations of type string";
        assert_eq!(error(json!({"name": 1, "annotations": {"a": 1}})).as_deref(), Some(wanted));
        let wanted = "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string";
        assert_eq!(error(json!({"name": true})).as_deref(), Some(wanted));
    }

    #[test]
    fn items_have_the_kind_of_their_list() {
        let list = Gvk::new("apps/v1", "DeploymentList").expect("it is one");
        let wanted = Gvk::new("apps/v1", "Deployment").ok();
        assert_eq!(kind_of(&json!({}), Some(&list)), wanted);
        assert_eq!(kind_of(&json!({"apiVersion": "a/b/c", "kind": "X"}), None), None);
        assert_eq!(object_kind(&json!({})), Err(vec!["apiVersion not set".to_owned(), "kind not set".to_owned()]));
    }
}
