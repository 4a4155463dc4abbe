//! Applying a JSON patch: [`json6902`].

use super::normal::as_json;
use super::operation::Operation;
use super::pointer::{Pointer, atoi, child_mut, dead_end, index, resolve_index};
use crate::PatchOptions;
use crate::shape::{is_null, is_null_or_empty};
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Dialect, Node, Scalar, resolve};

/// Applies the operations in their order, as Kustomize 5.8 does, whose library departs from RFC 6902 in this:
/// `replace` of a key that a mapping lacks adds it, `copy` of one adds null, an operation without a value writes null,
/// negative indices count from the end, and nothing can be below a null.
///
/// # Errors
/// `json-patch` with upstream's words. The target may then be half patched.
pub fn json6902(target: &mut Node, operations: &[Operation], options: &PatchOptions<'_>) -> Result<()> {
    for operation in operations {
        let applied = match &*operation.kind {
            "add" => add(target, operation, options),
            "remove" => remove(target, operation, options),
            "replace" => replace(target, operation, options),
            "move" => relocate(target, operation, options),
            "test" => test(target, operation),
            "copy" => copy(target, operation, options),
            kind => Err(operation.error(format!("Unexpected kind: {kind}"))),
        };
        applied.map_err(|error| error.hint(next_step(target, operation)))?;
    }
    let mark = operations.first().filter(|_| options.origins).map(|operation| operation.mark(options));
    as_json(target, mark.as_ref());
    Ok(())
}

/// What to do about an operation that cannot be applied.
fn next_step(target: &Node, operation: &Operation) -> String {
    const KINDS: [&str; 6] = ["add", "remove", "replace", "move", "test", "copy"];
    if !KINDS.contains(&&*operation.kind) {
        return format!("`op` is one of {}", KINDS.join(", "));
    }
    for (pointer, name) in [(&operation.from, "from"), (&operation.path, "path")] {
        let needed = name == "path" || matches!(&*operation.kind, "move" | "copy");
        match pointer {
            None if needed => return format!("give the operation `{name}:`, such as `/spec/replicas`"),
            Some(pointer) if needed => {
                if let Some(where_it_ends) = dead_end(target, pointer, &operation.kind) {
                    return where_it_ends;
                }
            }
            _ => {}
        }
    }
    match &*operation.kind {
        "test" => "what is there differs from the `value` of the test".to_owned(),
        _ => "`value` must be a mapping to take the place of the whole resource".to_owned(),
    }
}

/// The container of the place and its key there.
fn find<'n>(target: &'n mut Node, path: &str) -> Option<(&'n mut Node, String)> {
    let pointer = Pointer::parse(path)?;
    Some((pointer.container(target)?, pointer.key))
}

fn add(target: &mut Node, operation: &Operation, options: &PatchOptions<'_>) -> Result<()> {
    let path = operation.path()?;
    let Some((container, key)) = find(target, path) else {
        let message = format!("add operation does not apply: doc is missing path: \"{path}\": missing value");
        return Err(operation.error(message));
    };
    insert(container, &key, value_of(operation, options), options)
        .map_err(|message| operation.error(format!("error in add for path: '{path}': {message}")))
}

fn remove(target: &mut Node, operation: &Operation, options: &PatchOptions<'_>) -> Result<()> {
    let path = operation.path()?;
    let Some((container, key)) = find(target, path) else {
        let message = format!("remove operation does not apply: doc is missing path: \"{path}\": missing value");
        return Err(operation.error(message));
    };
    take(container, &key)
        .map_err(|message| operation.error(format!("error in remove for path: '{path}': {message}")))?;
    if options.origins && is_null_or_empty(container) {
        container.history.0 = operation.mark(options).over(&container.origin());
    }
    Ok(())
}

fn replace(target: &mut Node, operation: &Operation, options: &PatchOptions<'_>) -> Result<()> {
    let path = operation.path()?;
    let value = value_of(operation, options);
    if path.is_empty() {
        if value.entries().is_none() {
            return Err(operation.error("replace operation value must be object or array".to_owned()));
        }
        let previous = std::mem::replace(target, value);
        keep_previous(target, &previous, options);
        return Ok(());
    }
    let Some((container, key)) = find(target, path) else {
        let message = format!("replace operation does not apply: doc is missing path: {path}: missing value");
        return Err(operation.error(message));
    };
    if let Content::Sequence(items) = &mut container.content {
        let item = index(&key, items.len()).ok().and_then(|index| items.get_mut(index));
        let Some(item) = item else {
            let message = format!("replace operation does not apply: doc is missing key: {path}: missing value");
            return Err(operation.error(message));
        };
        let previous = std::mem::replace(item, value);
        keep_previous(item, &previous, options);
        return Ok(());
    }
    insert(container, &key, value, options)
        .map_err(|message| operation.error(format!("error in remove for path: '{path}': {message}")))
}

fn relocate(target: &mut Node, operation: &Operation, options: &PatchOptions<'_>) -> Result<()> {
    let from = operation.from()?;
    let Some((container, key)) = find(target, from) else {
        let message = format!("move operation does not apply: doc is missing from path: {from}: missing value");
        return Err(operation.error(message));
    };
    let mut value = take(container, &key)
        .map_err(|message| operation.error(format!("error in move for path: '{key}': {message}")))?;
    stamp_moved(&mut value, operation, options);
    let path = operation.path()?;
    let Some((container, key)) = find(target, path) else {
        let message = format!("move operation does not apply: doc is missing destination path: {path}: missing value");
        return Err(operation.error(message));
    };
    insert(container, &key, value, options)
        .map_err(|message| operation.error(format!("error in move for path: '{path}': {message}")))
}

fn copy(target: &mut Node, operation: &Operation, options: &PatchOptions<'_>) -> Result<()> {
    let from = operation.from()?;
    let Some((container, key)) = find(target, from) else {
        let message = format!("copy operation does not apply: doc is missing from path: {from}: missing value");
        return Err(operation.error(message));
    };
    let mut value = child_mut(container, &key)
        .map_err(|message| operation.error(format!("error in copy for from: '{from}': {message}")))?
        .map_or_else(|| Node::scalar("null"), |value| value.clone());
    stamp_moved(&mut value, operation, options);
    let path = operation.path()?;
    let Some((container, key)) = find(target, path) else {
        let message = format!("copy operation does not apply: doc is missing destination path: {path}: missing value");
        return Err(operation.error(message));
    };
    insert(container, &key, value, options)
        .map_err(|message| operation.error(format!("error while adding value during copy: {message}")))
}

fn test(target: &mut Node, operation: &Operation) -> Result<()> {
    let path = operation.path()?;
    let wanted = operation.value.as_ref();
    let failed = || operation.error(format!("testing value {path} failed: test failed"));
    if path.is_empty() {
        return if wanted.is_some_and(|wanted| equal(target, wanted)) { Ok(()) } else { Err(failed()) };
    }
    let Some((container, key)) = find(target, path) else {
        return Err(operation.error(format!("test operation does not apply: is missing path: {path}: missing value")));
    };
    let value = child_mut(container, &key)
        .map_err(|message| operation.error(format!("error in test for path: '{path}': {message}")))?;
    let passed = match (value, wanted) {
        (None, wanted) => wanted.is_none_or(is_null),
        (Some(_), None) => false,
        (Some(value), Some(wanted)) => equal(value, wanted),
    };
    if passed { Ok(()) } else { Err(failed()) }
}

/// Puts a value into a mapping under its key or into a list before its index.
fn insert(container: &mut Node, key: &str, mut value: Node, options: &PatchOptions<'_>) -> Result<(), String> {
    let Content::Sequence(items) = &mut container.content else {
        if let Some(old) = container.get_mut(key) {
            keep_previous(&mut value, old, options);
            *old = value;
        } else {
            container.set(key, value);
        }
        return Ok(());
    };
    if key == "-" {
        items.push(value);
        return Ok(());
    }
    let index = atoi(key).map_err(|message| format!("value was not a proper array index: '{key}': {message}"))?;
    // From the end, an index counts in the list as it will be.
    let length = if index < 0 { items.len() + 1 } else { items.len() };
    match resolve_index(index, length).filter(|index| *index <= items.len()) {
        Some(index) => items.insert(index, value),
        None => return Err(format!("Unable to access invalid index: {index}: invalid index referenced")),
    }
    Ok(())
}

fn take(container: &mut Node, key: &str) -> Result<Node, String> {
    if let Content::Sequence(items) = &mut container.content {
        return Ok(items.remove(index(key, items.len())?));
    }
    container.remove(key).ok_or_else(|| format!("Unable to remove nonexistent key: {key}: missing value"))
}

fn value_of(operation: &Operation, options: &PatchOptions<'_>) -> Node {
    let mut value = operation.value.clone().unwrap_or_else(|| Node { span: operation.span, ..Node::scalar("null") });
    options.stamp_all(&mut value, None);
    value
}

/// Makes a value that was just written remember what it replaced.
fn keep_previous(written: &mut Node, previous: &Node, options: &PatchOptions<'_>) {
    if options.origins {
        written.history.0 = written.origin().over(&previous.origin());
    }
}

/// Makes a value that stays in the document remember that it was moved.
fn stamp_moved(value: &mut Node, operation: &Operation, options: &PatchOptions<'_>) {
    if options.origins {
        value.history.0 = operation.mark(options).over(&value.origin());
    }
}

/// Whether both are the same JSON.
fn equal(a: &Node, b: &Node) -> bool {
    match (&a.content, &b.content) {
        (Content::Mapping(a), Content::Mapping(b_entries)) => {
            a.len() == b_entries.len()
                && a.iter().all(|(key, value)| {
                    key.as_str().and_then(|key| b.get(key)).is_some_and(|other| equal(value, other))
                })
        }
        (Content::Sequence(a), Content::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Content::Scalar(_), Content::Scalar(_)) => match (resolve(a, Dialect::V3), resolve(b, Dialect::V3)) {
            (Ok(Scalar::Int(a)), Ok(Scalar::Float(b))) | (Ok(Scalar::Float(b)), Ok(Scalar::Int(a))) => a as f64 == b,
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_json6902;
    use super::*;
    use crate::testing::{json, yaml};
    use onepane_diagnostics::{FileId, Step};

    fn patched(document: &str, patch: &str) -> Result<String> {
        let mut node = yaml(document);
        let operations = parse_json6902(patch, FileId::new("patch.yaml"))?;
        json6902(&mut node, &operations, &PatchOptions::default())?;
        Ok(json(&node))
    }

    #[test]
    fn operations_do_what_they_say() {
        for (document, patch, expected) in [
            ("a: 1", "- {op: add, path: /b, value: 2}", r#"{"a":1,"b":2}"#),
            ("a: [1, 2]", "- {op: add, path: /a/1, value: 9}", r#"{"a":[1,9,2]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/-, value: 9}", r#"{"a":[1,2,9]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/2, value: 9}", r#"{"a":[1,2,9]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/-1, value: 9}", r#"{"a":[1,2,9]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/-3, value: 9}", r#"{"a":[9,1,2]}"#),
            ("a: 1", "- {op: add, path: /b}", r#"{"a":1,"b":null}"#),
            ("a: 1", "- {op: replace, path: /b, value: x}", r#"{"a":1,"b":"x"}"#),
            ("a: [1, 2]", "- {op: replace, path: /a/-1, value: x}", r#"{"a":[1,"x"]}"#),
            ("a: 1", "- {op: replace, path: '', value: {b: 1}}", r#"{"b":1}"#),
            ("{a: 1, b/c: 2, d~e: 3}", "- {op: remove, path: /b~1c}\n- {op: remove, path: /d~0e}", r#"{"a":1}"#),
            ("a: [1, 2, 3]", "- {op: remove, path: /a/1}", r#"{"a":[1,3]}"#),
            ("a: {b: 1}", "- {op: move, from: /a/b, path: /c}", r#"{"a":{},"c":1}"#),
            ("a: {b: 1}", "- {op: copy, from: /a, path: /c}", r#"{"a":{"b":1},"c":{"b":1}}"#),
            ("a: {b: 1}", "- {op: copy, from: /a/x, path: /c}", r#"{"a":{"b":1},"c":null}"#),
            ("a: {b: [1, x]}", "- {op: test, path: /a, value: {b: [1, x]}}", r#"{"a":{"b":[1,"x"]}}"#),
            ("a: 1", "- {op: test, path: /b}\n- {op: test, path: /c, value: null}", r#"{"a":1}"#),
            ("a: 1.0", "- {op: test, path: /a, value: 1}", r#"{"a":1}"#),
            ("a: 1", r#"[{"op": "add", "path": "/", "value": true}]"#, r#"{"":true,"a":1}"#),
        ] {
            assert_eq!(patched(document, patch).unwrap(), expected, "{patch}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_told_in_the_words_of_upstream() {
        for (document, patch, message) in [
            (
                "a: 1",
                "- {op: add, path: /b/c, value: 1}",
                "add operation does not apply: doc is missing path: \"/b/c\": missing value",
            ),
            (
                "a: 1",
                "- {op: add, path: /a/c, value: 1}",
                "add operation does not apply: doc is missing path: \"/a/c\": missing value",
            ),
            (
                "a: null",
                "- {op: add, path: /a/c, value: 1}",
                "add operation does not apply: doc is missing path: \"/a/c\": missing value",
            ),
            (
                "a: [1]",
                "- {op: add, path: /a/3, value: 1}",
                "error in add for path: '/a/3': Unable to access invalid index: 3: invalid index referenced",
            ),
            (
                "a: 1",
                "- {op: remove, path: /b}",
                "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
            ),
            (
                "a: [1]",
                "- {op: remove, path: /a/x}",
                "error in remove for path: '/a/x': strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            (
                "a: [1]",
                "- {op: replace, path: /a/1, value: 1}",
                "replace operation does not apply: doc is missing key: /a/1: missing value",
            ),
            ("a: 1", "- {op: test, path: /a, value: 2}", "testing value /a failed: test failed"),
            ("a: 1", "- {op: frob, path: /a}", "Unexpected kind: frob"),
            ("a: 1", "- {path: /a}", "Unexpected kind: unknown"),
            ("a: 1", "- {op: add, value: 1}", "add operation failed to decode path: missing value"),
            ("a: 1", "- {op: replace, path: '', value: [1]}", "replace operation value must be object or array"),
        ] {
            let error = patched(document, patch).unwrap_err();
            assert_eq!(error.message, message, "{patch}");
            assert!(error.primary.is_some(), "{patch}");
        }
    }

    #[test]
    fn with_origins_a_value_remembers_what_it_replaced() {
        let mut node = yaml("a: 1\nb: 2\n");
        let operations = parse_json6902("- op: replace\n  path: /b\n  value: 3\n", FileId::new("patch.yaml")).unwrap();
        let options = PatchOptions { origins: true, note: Some("patch.yaml"), ..PatchOptions::default() };
        json6902(&mut node, &operations, &options).unwrap();
        let lines = |key: &str| -> Vec<_> {
            let origin = node.get(key).unwrap().origin();
            origin.chain().map(|record| (record.step, record.span.unwrap().to_string())).collect()
        };
        assert_eq!(lines("a"), [(Step::Source, "test.yaml:1:4".to_owned())]);
        assert_eq!(
            lines("b"),
            [(Step::Patch, "patch.yaml:3:10".to_owned()), (Step::Source, "test.yaml:2:4".to_owned())]
        );
    }
}
