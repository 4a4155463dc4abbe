//! What a CustomResourceDefinition defines: [`defined_kinds`].

use crate::gvk::GroupVersionKind;
use serde_json::Value;

/// The kinds that a definition asks the server to serve.
pub fn defined_kinds(definition: &Value) -> impl Iterator<Item = GroupVersionKind> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let served = versions.filter(|version| version.get("served") == Some(&Value::Bool(true)));
    let names = served.filter_map(|version| version.get("name")?.as_str());
    names.map(move |version| GroupVersionKind::new(group, version, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_served_is_left_out() {
        let definition = json!({"spec": {"group": "g.example", "names": {"kind": "Thing"}, "versions": [
            {"name": "v1", "served": true}, {"name": "v1beta1", "served": false}]}});
        let kinds: Vec<GroupVersionKind> = defined_kinds(&definition).collect();
        assert_eq!(kinds, [GroupVersionKind::new("g.example", "v1", "Thing")]);
        assert_eq!(defined_kinds(&json!({"spec": []})).count(), 0);
    }
}
