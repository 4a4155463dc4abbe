//! What holds of all patches, tried on random ones.

use onepane_diagnostics::FileId;
use onepane_patch::{
    FieldOptions, FieldSpec, PatchOptions, json_merge, json6902, lookup, parse_json6902, split_path, strategic_merge,
    write_value,
};
use onepane_yaml::{Content, Node, Style};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "5", "true", "null", "~", "80", "TCP", "delete", "replace", "merge", "x y"])
        .prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "name",
        "spec",
        "template",
        "containers",
        "ports",
        "containerPort",
        "protocol",
        "env",
        "metadata",
        "finalizers",
        "kind",
        "apiVersion",
        "$patch",
        "volumes",
        "0",
        "-",
    ])
    .prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Node> {
    let style = prop::sample::select(vec![Style::Plain, Style::DoubleQuoted, Style::Literal]);
    (text(), style).prop_map(|(text, style)| Node { style, ..Node::scalar(text) })
}

/// Any tree; keys may be repeated.
fn tree() -> impl Strategy<Value = Node> {
    scalar().prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::sequence),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (Node::scalar(key), value)).collect())
                .prop_map(Node::mapping),
        ]
    })
}

/// A Pod, so that lists with merge keys come up.
fn pod() -> impl Strategy<Value = Node> {
    let element = prop::collection::vec((key(), tree()), 0..4).prop_map(|entries| {
        Node::mapping(entries.into_iter().map(|(key, value)| (Node::scalar(key), value)).collect())
    });
    let element = prop_oneof![4 => element, 1 => tree()];
    (prop::collection::vec(element.clone(), 0..5), prop::collection::vec(element, 0..5)).prop_map(
        |(containers, volumes)| {
            let spec = Node::mapping(vec![
                (Node::scalar("containers"), Node::sequence(containers)),
                (Node::scalar("volumes"), Node::sequence(volumes)),
            ]);
            Node::mapping(vec![
                (Node::scalar("apiVersion"), Node::scalar("v1")),
                (Node::scalar("kind"), Node::scalar("Pod")),
                (Node::scalar("spec"), spec),
            ])
        },
    )
}

/// A path to some node of a tree and whether it may be taken out.
fn some_pointer(node: &Node, mut choice: usize) -> String {
    let mut pointer = String::new();
    let mut node = node;
    loop {
        let (part, next) = match &node.content {
            Content::Mapping(entries) if !entries.is_empty() => {
                let (key, value) = &entries[choice % entries.len()];
                (key.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1"), value)
            }
            Content::Sequence(items) if !items.is_empty() => {
                let index = choice % items.len();
                (index.to_string(), &items[index])
            }
            _ => return pointer,
        };
        pointer.push('/');
        pointer.push_str(&part);
        if choice.is_multiple_of(3) {
            return pointer;
        }
        node = next;
        choice /= 2;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_never_panics(target in pod(), patch in pod(), other in tree()) {
        for options in [PatchOptions::default(), PatchOptions { origins: true, ..PatchOptions::default() }] {
            let _ = strategic_merge(&mut target.clone(), &patch, &options);
            let _ = strategic_merge(&mut target.clone(), &other, &options);
            let _ = strategic_merge(&mut other.clone(), &patch, &options);
            let _ = json_merge(&mut other.clone(), &patch, &options);
        }
    }

    #[test]
    fn origins_change_nothing(target in pod(), patch in pod()) {
        let results = [true, false].map(|origins| {
            let mut target = target.clone();
            let options = PatchOptions { origins, ..PatchOptions::default() };
            strategic_merge(&mut target, &patch, &options).map(|outcome| (outcome, target)).map_err(|error| error.message)
        });
        prop_assert_eq!(&results[0], &results[1]);
    }

    #[test]
    fn merging_a_merge_again_changes_nothing(target in tree(), patch in tree()) {
        prop_assume!(has_no_repeated_keys(&patch) && has_no_repeated_keys(&target));
        let options = PatchOptions::default();
        let mut once = target;
        json_merge(&mut once, &patch, &options).unwrap();
        let mut twice = once.clone();
        json_merge(&mut twice, &patch, &options).unwrap();
        prop_assert!(same_json(&once, &twice), "{once:?}\n{twice:?}");
    }

    #[test]
    fn what_a_json_patch_takes_out_it_can_put_back(tree in tree(), choice in 0usize..10_000) {
        let pointer = some_pointer(&tree, choice);
        let pointer = serde_json::to_string(&pointer).unwrap();
        let there_and_back = format!(
            r#"[{{"op": "move", "from": {pointer}, "path": "/moved"}}, {{"op": "move", "from": "/moved", "path": {pointer}}}]"#
        );
        let operations = parse_json6902(&there_and_back, FileId::new("patch.json")).unwrap();
        let nothing = parse_json6902("[]", FileId::new("patch.json")).unwrap();
        let (mut moved, mut same) = (tree.clone(), tree);
        json6902(&mut same, &nothing, &PatchOptions::default()).unwrap();
        if same.entries().is_some_and(|entries| has_no_repeated_keys(&same) && !entries.is_empty())
            && json6902(&mut moved, &operations, &PatchOptions::default()).is_ok()
        {
            prop_assert!(same_json(&moved, &same), "{moved:?}\n{same:?}");
        }
    }

    #[test]
    fn paths_never_panic(target in tree(), path in "[a-c0-9.*\\[\\]=/\\\\-]{0,12}", create in any::<bool>()) {
        let parts = split_path(&path);
        let _ = lookup(&target, &parts);
        let options = FieldOptions { create, ..FieldOptions::default() };
        let _ = write_value(&mut target.clone(), &[&path], &Node::scalar("v"), &options, None);
        let create = create.then_some(onepane_patch::Create::Mapping);
        let _ = FieldSpec::parse(&path).visit(&mut target.clone(), create, &mut |_| Ok(()));
    }

    #[test]
    fn what_is_written_by_path_is_found_there(target in tree(), path in "[a-c](\\.[a-c]){0,3}") {
        let options = FieldOptions { create: true, ..FieldOptions::default() };
        let mut target = target;
        if has_no_scalars_on_the_way(&target, &path)
            && write_value(&mut target, &[&path], &Node::scalar("v"), &options, None).is_ok()
        {
            let found = lookup(&target, &split_path(&path)).unwrap().and_then(Node::as_str);
            prop_assert_eq!(found, Some("v"));
        }
    }
}

fn has_no_repeated_keys(node: &Node) -> bool {
    match &node.content {
        Content::Mapping(entries) => {
            let mut keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            keys.windows(2).all(|pair| pair[0] != pair[1])
                && entries.iter().all(|(_, value)| has_no_repeated_keys(value))
        }
        Content::Sequence(items) => items.iter().all(has_no_repeated_keys),
        _ => true,
    }
}

/// Equal but for the order of keys.
fn same_json(a: &Node, b: &Node) -> bool {
    match (&a.content, &b.content) {
        (Content::Mapping(left), Content::Mapping(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    key.as_str().and_then(|key| b.get(key)).is_some_and(|other| same_json(value, other))
                })
        }
        (Content::Sequence(left), Content::Sequence(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same_json(a, b))
        }
        _ => a.content == b.content,
    }
}

/// A path through a scalar is written into the scalar's text.
fn has_no_scalars_on_the_way(node: &Node, path: &str) -> bool {
    let parts = split_path(path);
    (0..parts.len()).all(|length| match lookup(node, &parts[..length]) {
        Ok(found) => found.is_none_or(|found| found.entries().is_some()),
        Err(_) => false,
    })
}
