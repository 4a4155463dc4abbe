//! Types that a comment beside a field describes: `containers: # {"type": "array", …}`.

use crate::json::from_json;
use onepane_resource::{Schema, SchemaType};
use onepane_yaml::Node;
use std::cell::{Cell, OnceCell};

/// The types that comments described during one merge: a collection that only grows, so that what is in it can be
/// referred to while more is added.
#[derive(Default)]
pub(super) struct Described {
    count: Cell<usize>,
    top: Place,
}

/// A place of a binary tree. Which way the bits of a schema's number lead, from the lowest on, there it is.
type Place = OnceCell<Box<Branch>>;

struct Branch {
    schema: Schema,
    below: [Place; 2],
}

impl Described {
    /// The type that the comments of a key or a value describe: JSON on the same line or, without one, above.
    pub(super) fn of<'a>(&'a self, node: &Node, schema: &Schema) -> Option<SchemaType<'a>> {
        let comments = node.comments.as_deref()?;
        let comment = if comments.line.is_empty() { &comments.head } else { &comments.line };
        let text = comment.trim_start_matches('#').trim_start();
        if !text.starts_with('{') {
            return None;
        }
        let description = from_json(serde_json::from_str(text).ok()?);
        if description.entries().is_none_or(<[_]>::is_empty) {
            return None;
        }
        self.add(schema.of_description(&description).ok()?).root()
    }

    fn add(&self, schema: Schema) -> &Schema {
        let mut number = self.count.get();
        self.count.set(number.wrapping_add(1));
        let mut place = &self.top;
        while let Some(branch) = place.get() {
            let [even, odd] = &branch.below;
            place = if number.is_multiple_of(2) { even } else { odd };
            number /= 2;
        }
        &place.get_or_init(|| Box::new(Branch { schema, below: Default::default() })).schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_yaml::Comments;

    #[test]
    fn many_descriptions_are_kept_apart() {
        let described = Described::default();
        let types: Vec<_> = (0..1000)
            .map(|number| {
                let keys = format!(
                    "\"x-kubernetes-patch-strategy\": \"merge\", \"x-kubernetes-patch-merge-key\": \"k{number}\""
                );
                let line = format!("# {{{keys}}}").into();
                let mut node = Node::scalar("x");
                node.comments = Some(Box::new(Comments { line, ..Comments::default() }));
                described.of(&node, Schema::builtin()).unwrap()
            })
            .collect();
        for (number, of) in types.iter().enumerate() {
            assert_eq!(of.merge_keys().unwrap(), [format!("k{number}").into()]);
        }
    }

    #[test]
    fn other_comments_describe_nothing() {
        let described = Described::default();
        for line in ["# see above", "# {", "# {}", ""] {
            let mut node = Node::scalar("x");
            node.comments = Some(Box::new(Comments { line: line.into(), ..Comments::default() }));
            assert!(described.of(&node, Schema::builtin()).is_none(), "{line}");
        }
    }
}
