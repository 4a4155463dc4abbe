//! A field of a kind of resource: [`FieldSpec`].

use onepane_diagnostics::{Diagnostic, Result};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Group, version, kind, path, whether to create it: a [`FieldSpec`] of a table.
pub(super) type Row = (&'static str, &'static str, &'static str, &'static str, bool);

/// A field of the resources of a type; an empty part of the type means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) group: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) kind: Cow<'static, str>,
    /// Keys joined by `/`; `\/` stands for a slash in a key, `[]` behind a key for a sequence.
    pub(crate) path: Cow<'static, str>,
    /// Whether the field is made where it is absent.
    pub(crate) create: bool,
}

impl From<&Row> for FieldSpec {
    fn from(&(group, version, kind, path, create): &Row) -> Self {
        let [group, version, kind, path] = [group, version, kind, path].map(Cow::Borrowed);
        Self { group, version, kind, path, create }
    }
}

impl FieldSpec {
    /// A field of every type.
    pub(crate) fn any(path: &'static str, create: bool) -> Self {
        Self { path: Cow::Borrowed(path), create, ..Self::default() }
    }

    /// Whether it is for the type: its empty parts match anything.
    pub(crate) fn is_for(&self, group: &str, version: &str, kind: &str) -> bool {
        (self.kind.is_empty() || self.kind == kind)
            && (self.group.is_empty() || self.group == group)
            && (self.version.is_empty() || self.version == version)
    }

    /// The order that Kustomize puts types in: those that others need first.
    pub(super) fn compare_types(&self, other: &Self) -> Ordering {
        compare_types((&self.group, &self.version, &self.kind), (&other.group, &other.version, &other.kind))
    }
}

/// The order of types, as (group, version, kind), that Kustomize sorts its tables by.
pub(super) fn compare_types(a: (&str, &str, &str), b: (&str, &str, &str)) -> Ordering {
    type_rank(a.2).cmp(&type_rank(b.2)).then_with(|| sort_text(a).cmp(&sort_text(b)))
}

fn sort_text((group, version, kind): (&str, &str, &str)) -> String {
    let or = |part: &str, absent: &str| if part.is_empty() { absent.to_owned() } else { part.to_owned() };
    format!("{}_{}_{}", or(group, "~G"), or(version, "~V"), or(kind, "~K"))
}

fn type_rank(kind: &str) -> i32 {
    let first = crate::transform::ORDER_FIRST;
    let last = crate::transform::ORDER_LAST;
    if let Some(index) = first.iter().position(|name| *name == kind) {
        return index as i32 - first.len() as i32;
    }
    last.iter().position(|name| *name == kind).map_or(0, |index| index as i32 + 1)
}

/// Adds what `specs` does not have yet.
///
/// # Errors
/// `kustomize-configuration` when a field is there already and the two disagree on whether to create it.
pub(crate) fn merge_all(specs: &mut Vec<FieldSpec>, incoming: &[FieldSpec]) -> Result<()> {
    incoming.iter().try_for_each(|spec| merge_one(specs, spec))
}

/// Adds `spec` unless it is there already; see [`merge_all`].
pub(crate) fn merge_one(specs: &mut Vec<FieldSpec>, spec: &FieldSpec) -> Result<()> {
    let same = |present: &&FieldSpec| {
        present.path == spec.path
            && (spec.group.is_empty() || present.group == spec.group)
            && (spec.version.is_empty() || present.version == spec.version)
            && (spec.kind.is_empty() || present.kind == spec.kind)
    };
    match specs.iter().find(same) {
        Some(present) if present.create != spec.create => {
            let message = format!(
                "conflicting fieldspecs: `{}` is configured twice, once with `create: {}` and once with `create: {}`",
                spec.path, present.create, spec.create
            );
            let hint = format!("write `create: {}`, which may be what Kustomize itself has there", present.create);
            Err(Diagnostic::error("kustomize-configuration", message).hint(hint))
        }
        Some(_) => Ok(()),
        None => {
            specs.push(spec.clone());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_there_is_not_added_twice_and_must_agree() {
        let mut specs = vec![FieldSpec { kind: "Deployment".into(), ..FieldSpec::any("spec/replicas", true) }];
        merge_one(&mut specs, &FieldSpec::any("spec/replicas", true)).unwrap();
        assert_eq!(specs.len(), 1);
        assert!(merge_one(&mut specs, &FieldSpec::any("spec/replicas", false)).is_err());
        let job = FieldSpec { kind: "Job".into(), ..FieldSpec::any("spec/replicas", false) };
        merge_one(&mut specs, &job).unwrap();
        assert_eq!(specs.len(), 2);
    }
}
