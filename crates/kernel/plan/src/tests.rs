//! Changes and what follows from them, on manifests as they are built.

use crate::difference::field_changes;
use crate::{Action, Change, Manifest, Name, changes};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Manifests of documents that `---` separates.
fn manifests(text: &str) -> Vec<Manifest> {
    text.split("\n---\n")
        .filter(|document| !document.trim().is_empty())
        .map(|yaml| {
            let value = onepane_value::from_yaml(yaml, None).expect("it is YAML");
            let json: Value =
                serde_json::from_slice(&onepane_value::to_json(&value).expect("it is JSON")).expect("it is JSON");
            let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            let name = Name {
                api_version: text("/apiVersion"),
                kind: text("/kind"),
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name"),
            };
            Manifest { name, yaml: yaml.to_owned() }
        })
        .collect()
}

fn compared(before: &str, after: &str) -> Vec<Change> {
    changes(&manifests(before), &manifests(after)).expect("they can be compared")
}

/// `~ Deployment n/a: field, field | kind: text`
fn shown(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| {
            let sign = match &change.action {
                Action::Added => "+".to_owned(),
                Action::Removed => "-".to_owned(),
                Action::Changed => "~".to_owned(),
                Action::Replaced { from } => format!("{from} ~"),
                Action::Affected => "!".to_owned(),
            };
            let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
            let consequences: Vec<String> =
                change.consequences.iter().map(|one| format!("{}: {}", one.kind.name(), one.text)).collect();
            format!("{sign} {}: {} | {}", change.name, fields.join(", "), consequences.join("; "))
        })
        .collect()
}

const API: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: 'api:1', envFrom: [{configMapRef: {name: settings}}]}
";

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80}]}
";

const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {A: '1'}
";

#[test]
fn an_image_is_a_restart_and_replicas_are_none() {
    let after = API.replace("api:1", "api:2");
    assert_eq!(
        shown(&compared(API, &after)),
        [
            "~ Deployment shop/api: spec.template.spec.containers[name=api].image | restart: its 2 pods are replaced, new \
          ones first; image: api: api:1 → api:2"
        ]
    );
    let after = API.replace("replicas: 2", "replicas: 0");
    assert_eq!(
        shown(&compared(API, &after)),
        ["~ Deployment shop/api: spec.replicas | scale: replicas 2 → 0: no pod is left"]
    );
    assert_eq!(compared(API, API), []);
    // Style and order of keys are no change.
    let reordered = API.replace("{app: api}}\n    spec", "{'app': \"api\"}}\n    spec");
    assert_eq!(compared(API, &reordered), []);
}

#[test]
fn what_the_api_server_refuses_is_said() {
    let statefulset = |size: &str, image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db}}\nspec:\n  serviceName: db\n  template: {{spec: \
             {{containers: [{{name: db, image: {image}}}]}}}}\n  volumeClaimTemplates:\n  - {{metadata: {{name: data}}, spec: \
             {{resources: {{requests: {{storage: {size}}}}}}}}}\n"
        )
    };
    for (before, after, wanted) in [
        (API.to_owned(), API.replace("matchLabels: {app: api}", "matchLabels: {app: b}"), "immutable: spec.selector"),
        (statefulset("1Gi", "a"), statefulset("2Gi", "a"), "immutable: spec.volumeClaimTemplates[0]"),
        (statefulset("1Gi", "a"), statefulset("1Gi", "b"), "restart: its pods are replaced, one after the other"),
        (
            format!("{SETTINGS}immutable: true\n"),
            format!("{SETTINGS}immutable: true\n").replace("'1'", "'2'"),
            "immutable: data.A can't be changed in place",
        ),
        (SETTINGS.to_owned(), SETTINGS.replace("'1'", "'2'"), "~ ConfigMap shop/settings: data.A | "),
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: a, image: \
             x}]}}}\n"
                .to_owned(),
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: a, image: \
             y}]}}}\n"
                .to_owned(),
            "immutable: spec.template.spec.containers[name=a].image",
        ),
    ] {
        let shown = shown(&compared(&before, &after)).join("\n");
        assert!(shown.contains(wanted), "{shown}\nlacks {wanted}");
        assert!(!shown.contains("immutable") || !shown.contains("restart"), "{shown}");
    }
}

#[test]
fn what_is_removed_takes_others_with_it() {
    let all = format!("{API}\n---\n{SERVICE}\n---\n{SETTINGS}");
    let without = |gone: &str| all.replace(&format!("\n---\n{gone}"), "").replace(&format!("{gone}\n---\n"), "");
    assert_eq!(
        shown(&compared(&all, &without(API))),
        [
            "- Deployment shop/api:  | ",
            "! Service shop/api:  | no-backends: no pod of this repository is selected by it any more: it has no backends"
        ]
    );
    assert_eq!(
        shown(&compared(&all, &without(SETTINGS))),
        [
            "- ConfigMap shop/settings:  | ",
            "! Deployment shop/api:  | dangling: its pods need ConfigMap settings, which is removed"
        ]
    );
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {}\n";
    assert!(shown(&compared(claim, ""))[0].starts_with("- PersistentVolumeClaim data:  | deletion: its data goes"));
}

#[test]
fn pods_that_read_settings_once_are_named() {
    let all = format!("{API}\n---\n{SETTINGS}");
    let after = all.replace("A: '1'", "A: '2'");
    assert_eq!(
        shown(&compared(&all, &after)),
        [
            "~ ConfigMap shop/settings: data.A | ",
            "! Deployment shop/api:  | stale: its pods have ConfigMap settings in their environment, and see the change when \
             they restart"
        ]
    );
    // A new hash in the name makes new pods.
    let hashed = |text: &str, hash: &str| text.replace("name: settings", &format!("name: settings-{hash}"));
    let (before, after) = (hashed(&all, "b2c4d6f8g9"), hashed(&after, "mmkk5566tt"));
    assert_eq!(
        shown(&compared(&before, &after)),
        [
            "settings-b2c4d6f8g9 ~ ConfigMap shop/settings-mmkk5566tt: data.A, metadata.name | ",
            "~ Deployment shop/api: spec.template.spec.containers[name=api].envFrom[0].configMapRef.name | restart: its 2 \
             pods are replaced, new ones first"
        ]
    );
}

#[test]
fn secrets_are_told_to_differ_and_not_shown() {
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, labels: {{a: {value}}}}}\nstringData: {{p: {value}}}\n"
        )
    };
    let changes = compared(&secret("before"), &secret("after"));
    let fields = &changes[0].fields;
    assert_eq!((fields[0].path.as_str(), &fields[0].before), ("metadata.labels.a", &Some(json!("before"))));
    assert_eq!((fields[1].path.as_str(), fields[1].is_hidden), ("stringData.p", true));
    assert_eq!((&fields[1].before, &fields[1].after), (&Some(Value::Null), &Some(Value::Null)));
}

#[test]
fn permissions_and_versions_are_compared() {
    let role = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: r}}\nrules:\n- {{apiGroups: [''], \
             resources: [secrets], verbs: [{verbs}]}}\n"
        )
    };
    assert_eq!(
        shown(&compared(&role("get"), &role("list")))[0],
        "~ ClusterRole r: rules[0].verbs[0] | permissions: allows list secrets; permissions: allows no more get secrets"
    );
    assert!(shown(&compared("", &role("'*'")))[0].contains("permissions: allows * secrets"));
    let crd = |versions: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: c}}\nspec: {{versions: \
             [{versions}]}}\n"
        )
    };
    let both = crd("{name: v1, served: true}, {name: v1beta1, served: true}");
    assert!(shown(&compared(&both, &crd("{name: v1, served: true}")))[0].contains("version-dropped: v1beta1 is not"));
    assert!(
        shown(&compared(&both, &crd("{name: v1, served: true}, {name: v1beta1, served: false}")))[0]
            .contains("version-dropped: v1beta1 is not")
    );
}

#[test]
fn fields_of_lists_are_found_by_what_names_them() {
    let before = json!({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "s": ["x", "y", "z"], "k": {"a.b": 1}});
    for (after, wanted) in [
        (json!({"l": [{"name": "b", "v": 2}, {"name": "a", "v": 1}], "s": ["x", "y", "z"], "k": {"a.b": 1}}), "l"),
        (json!({"l": [{"name": "b", "v": 3}], "s": ["x", "y", "z"], "k": {"a.b": 1}}), "l[name=a] l[name=b].v"),
        (json!({"l": before["l"], "s": ["x", "z"], "k": {"a.b": 1}}), "s[1]"),
        (json!({"l": before["l"], "s": ["x", "y", "q", "z"], "k": {"a.b": 2}}), "k[\"a.b\"] s[2]"),
    ] {
        let paths: Vec<String> = field_changes(&before, &after).into_iter().map(|change| change.path).collect();
        assert_eq!(paths.join(" "), wanted);
    }
}

/// Small documents, so that two of them often have something in common.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[ab]".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(name|a|b\\.c)", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn differences_are_none_if_documents_are_the_same_and_only_then(before in document(), after in document()) {
        prop_assert_eq!(field_changes(&before, &after).is_empty(), before == after);
        prop_assert!(field_changes(&before, &before).is_empty());
        // Turned around, the same fields differ.
        let paths = |a: &Value, b: &Value| {
            let mut paths: Vec<String> = field_changes(a, b).into_iter().map(|change| change.path).collect();
            paths.sort();
            paths
        };
        prop_assert_eq!(paths(&before, &after), paths(&after, &before));
    }
}
