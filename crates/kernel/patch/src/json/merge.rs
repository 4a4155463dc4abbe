//! JSON merge patches (RFC 7386): [`json_merge`].

use crate::PatchOptions;
use crate::options::check_depth;
use crate::shape::is_null;
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Node};

/// Merges `patch` into `target`: mappings key by key, null removes, anything else replaces.
///
/// # Errors
/// `patch-too-deep`.
pub fn json_merge(target: &mut Node, patch: &Node, options: &PatchOptions<'_>) -> Result<()> {
    merge(target, patch, options, 0)
}

fn merge(target: &mut Node, patch: &Node, options: &PatchOptions<'_>, depth: usize) -> Result<()> {
    check_depth(depth, patch)?;
    let Some(changes) = patch.entries() else {
        let mut written = patch.clone();
        options.stamp_all(&mut written, Some(target));
        *target = written;
        return Ok(());
    };
    if target.entries().is_none() {
        let mut empty = Node::mapping(Vec::new());
        options.stamp(&mut empty, patch, Some(target));
        *target = empty;
    }
    for (key, change) in changes {
        let Some(name) = key.as_str() else { continue };
        if is_null(change) {
            target.remove(name);
            continue;
        }
        match target.get_mut(name) {
            Some(value) => merge(value, change, options, depth + 1)?,
            None => {
                // What is new still loses its nulls.
                let mut value = Node::scalar("null");
                merge(&mut value, change, &PatchOptions { origins: false, ..*options }, depth + 1)?;
                options.stamp_all(&mut value, None);
                if let Content::Mapping(entries) = &mut target.content {
                    entries.push((key.clone(), value));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{json, yaml};

    /// The cases of RFC 7386, appendix A.
    #[test]
    fn the_examples_of_the_rfc() {
        for (target, patch, expected) in [
            ("{a: b}", "{a: c}", r#"{"a":"c"}"#),
            ("{a: b}", "{b: c}", r#"{"a":"b","b":"c"}"#),
            ("{a: b}", "{a: null}", "{}"),
            ("{a: b, b: c}", "{a: null}", r#"{"b":"c"}"#),
            ("{a: [b]}", "{a: c}", r#"{"a":"c"}"#),
            ("{a: c}", "{a: [b]}", r#"{"a":["b"]}"#),
            ("{a: {b: c}}", "{a: {b: d, c: null}}", r#"{"a":{"b":"d"}}"#),
            ("{a: [{b: c}]}", "{a: [1]}", r#"{"a":[1]}"#),
            ("[a, b]", "[c, d]", r#"["c","d"]"#),
            ("{a: b}", "[c]", r#"["c"]"#),
            ("{a: foo}", "null", "null"),
            ("{e: null}", "{a: 1}", r#"{"a":1,"e":null}"#),
            ("[1, 2]", "{a: b, c: null}", r#"{"a":"b"}"#),
            ("{}", "{a: {bb: {ccc: null}}}", r#"{"a":{"bb":{}}}"#),
        ] {
            let mut node = yaml(target);
            json_merge(&mut node, &yaml(patch), &PatchOptions::default()).unwrap();
            assert_eq!(json(&node), expected, "{target} {patch}");
        }
    }
}
