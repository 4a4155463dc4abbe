//! The types of scalars as the two generations of go-yaml see them.

pub(crate) use onepane_yaml::Scalar;
use onepane_yaml::{Content, Dialect, Node, Style, resolve};

/// Questions that this crate asks of nodes.
pub(crate) trait NodeExt {
    /// Whether it is null: `null`, `~` or nothing.
    fn is_null(&self) -> bool;
    /// Whether it is a string for go-yaml v2.
    fn is_string(&self) -> bool;
    /// The type for go-yaml v2, which reads kustomizations: YAML 1.1, so `yes` is true. `None` for a collection.
    fn scalar_1_1(&self) -> Option<Scalar<'_>>;
    /// The type for go-yaml v3, which reads resources: YAML 1.2, so `yes` is a string. `None` for a collection.
    fn scalar_1_2(&self) -> Option<Scalar<'_>>;
}

impl NodeExt for Node {
    fn is_null(&self) -> bool {
        let Content::Scalar(text) = &self.content else { return false };
        match self.tag.as_deref() {
            Some(tag) => tag == "!!null",
            None => self.style == Style::Plain && matches!(&**text, "" | "~" | "null" | "Null" | "NULL"),
        }
    }

    fn is_string(&self) -> bool {
        matches!(self.scalar_1_1(), Some(Scalar::String(_)))
    }

    fn scalar_1_1(&self) -> Option<Scalar<'_>> {
        scalar(self, Dialect::V2)
    }

    fn scalar_1_2(&self) -> Option<Scalar<'_>> {
        scalar(self, Dialect::V3)
    }
}

/// A date is a string here, and so is what does not fit its tag.
fn scalar(node: &Node, dialect: Dialect) -> Option<Scalar<'_>> {
    let Content::Scalar(text) = &node.content else { return None };
    Some(match resolve(node, dialect) {
        Ok(Scalar::Timestamp(_)) | Err(_) => Scalar::String((&**text).into()),
        Ok(scalar) => scalar,
    })
}
