//! What is said of a patch or replacement that selects nothing: [`unmatched`].

use crate::decode::{closest, some_of};
use crate::select::Selector;
use onepane_diagnostics::{Diagnostic, Result, Span};
use onepane_resource::{Resource, ResourceSet};
use std::collections::BTreeSet;

/// What it is when a patch or replacement selects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// Nothing: a component is for many kustomizations, and not each has all of what it knows.
    Ignored,
    Warning,
    Error,
}

/// That `selector`, of the patch or replacement that `who` names, selects none of `resources`, and the closest of them.
///
/// Kustomize says nothing then.
pub(crate) fn unmatched(
    who: &str,
    selector: &Selector,
    resources: &ResourceSet,
    span: Option<Span>,
    how: Unmatched,
) -> Result<Option<Diagnostic>> {
    let strict = match how {
        Unmatched::Ignored => return Ok(None),
        Unmatched::Warning => false,
        Unmatched::Error => true,
    };
    let message = format!("this {who} changes nothing: there is no {}", described(selector));
    let found = if strict {
        Diagnostic::error("kustomize-unmatched", message)
    } else {
        Diagnostic::warning("kustomize-unmatched", message)
    };
    let found = match span {
        Some(span) => found.at(span),
        None => found,
    };
    let found = match near(selector, resources) {
        Some(hint) => found.hint(hint),
        None if strict => found.hint("let it select a resource that is built here, or take it out"),
        None => found,
    };
    if strict { Err(found) } else { Ok(Some(*found)) }
}

fn described(selector: &Selector) -> String {
    let Selector { group, version, kind, name, namespace, annotations, labels } = selector;
    let mut text = if kind.is_empty() { "resource".to_owned() } else { format!("`{kind}`") };
    for (part, words) in [
        (name, " named "),
        (namespace, " in the namespace "),
        (group, " of the group "),
        (version, " of the version "),
        (labels, " with the labels "),
        (annotations, " with the annotations "),
    ] {
        if !part.is_empty() {
            text.push_str(&format!("{words}`{part}`"));
        }
    }
    text
}

/// The resource that was most likely meant: one that all but one part of the selector fits.
fn near(selector: &Selector, resources: &ResourceSet) -> Option<String> {
    let without = |change: &dyn Fn(&mut Selector)| -> Vec<&Resource> {
        let mut wider = selector.clone();
        change(&mut wider);
        let found = if wider == *selector { None } else { wider.select(resources).ok() };
        found.into_iter().flatten().filter_map(|at| resources.get(at)).collect()
    };
    let by_kind = without(&|wider| wider.name.clear());
    // By the first name too, as selectors select.
    let first: Vec<_> = by_kind.iter().map(|resource| resource.original_id().name).collect();
    let names = by_kind.iter().map(|resource| resource.name()).chain(first.iter().map(|name| &**name));
    if let Some(name) = closest(&selector.name, names) {
        return Some(format!("did you mean `{name}`?"));
    }
    type Part<'a> = (&'a dyn Fn(&mut Selector), &'a str, &'a dyn Fn(&Resource) -> String);
    let parts: [Part<'_>; 4] = [
        (&|wider| wider.namespace.clear(), "the namespace", &|it| it.id().effective_namespace().to_owned()),
        (&|wider| wider.kind.clear(), "the kind", &|it| it.kind().to_owned()),
        (&|wider| wider.group.clear(), "the group", &|it| it.id().gvk.group.to_string()),
        (&|wider| wider.version.clear(), "the version", &|it| it.id().gvk.version.to_string()),
    ];
    // Without a name any kind would do.
    let of_a_kind = selector.name.is_empty() && !selector.has_metadata();
    for (change, what, of) in parts.into_iter().filter(|(_, what, _)| !(of_a_kind && *what == "the kind")) {
        let values: BTreeSet<String> = without(change).into_iter().map(of).collect();
        if let Some(value) = values.first() {
            return Some(format!("did you mean {what} `{value}`?"));
        }
    }
    let fits = [
        ("labels", without(&|wider| wider.labels.clear())),
        ("annotations", without(&|wider| wider.annotations.clear())),
    ];
    if let Some((what, found)) = fits.iter().find(|(_, found)| !found.is_empty()) {
        let names: Vec<String> = found.iter().take(3).map(|it| format!("`{}`", it.name())).collect();
        return Some(format!("without its {what} it would select {}", names.join(", ")));
    }
    let names: BTreeSet<&str> = by_kind.iter().map(|resource| resource.name()).collect();
    if names.is_empty() {
        let kinds = resources.iter().map(Resource::kind);
        return closest(&selector.kind, kinds).map(|kind| format!("did you mean the kind `{kind}`?"));
    }
    Some(format!("there are {}", some_of(&Vec::from_iter(names))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_yaml::Node;

    fn resources() -> ResourceSet {
        let mut set = ResourceSet::default();
        for (kind, name, namespace) in
            [("Deployment", "web", "shop"), ("Deployment", "worker", "shop"), ("Service", "api", "")]
        {
            let mut resource = Resource::new(Node::mapping(vec![
                (Node::scalar("apiVersion"), Node::scalar("apps/v1")),
                (Node::scalar("kind"), Node::scalar(kind)),
            ]));
            resource.set_name(Node::string(name));
            if !namespace.is_empty() {
                resource.set_namespace(Some(Node::string(namespace)));
            }
            set.append_all([resource]).expect("they differ");
        }
        set
    }

    #[test]
    fn the_closest_resource_is_told() {
        let cases = [
            (("Deployment", "wep", ""), "did you mean `web`?"),
            (("Deployment", "web", "default"), "did you mean the namespace `shop`?"),
            (("StatefulSet", "web", ""), "did you mean the kind `Deployment`?"),
            (("Deploiment", "", ""), "did you mean the kind `Deployment`?"),
            (("Job", "", ""), ""),
            (("Deployment", "something-else", ""), "there are `web`, `worker`"),
        ];
        for ((kind, name, namespace), hint) in cases {
            let [kind, name, namespace] = [kind, name, namespace].map(str::to_owned);
            let selector = Selector { kind, name, namespace, ..Selector::default() };
            let found = unmatched("patch", &selector, &resources(), None, Unmatched::Warning);
            let found = found.expect("no error").expect("a warning");
            assert_eq!(found.hints.join(" "), hint, "{}", found.message);
            assert!(unmatched("patch", &selector, &resources(), None, Unmatched::Error).is_err());
        }
    }
}
