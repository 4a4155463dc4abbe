//! What objects say that they depend on: [`put_in_order`].
//!
//! They say so as kpt and kubectl's `cli-utils` have it, by the annotation `config.kubernetes.io/depends-on`: names set apart
//! by commas, each `GROUP/namespaces/NAMESPACE/KIND/NAME`, or `GROUP/KIND/NAME` of what lives in no namespace. The group of
//! the core is empty.

use crate::failure::Failure;
use crate::identity::Identity;
use crate::waves::Step;
use serde_json::Value;
use std::collections::HashMap;

const DEPENDS_ON: &str = "config.kubernetes.io/depends-on";

/// What an object depends on.
pub(crate) fn dependencies(identity: &Identity, object: &Value) -> Result<Vec<Identity>, Failure> {
    let said = object.pointer("/metadata/annotations").and_then(|all| all.get(DEPENDS_ON)?.as_str());
    let names = said.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let dependency = |name: &str| {
        let parts: Vec<&str> = name.split('/').collect();
        let (group, namespace, kind, name) = match parts[..] {
            [group, "namespaces", namespace, kind, name] if !namespace.is_empty() => (group, namespace, kind, name),
            [group, kind, name] => (group, "", kind, name),
            _ => {
                return Err(Failure::Guarded(format!(
                    "{identity} depends on `{name}`, which is neither `GROUP/namespaces/NAMESPACE/KIND/NAME` nor \
                     `GROUP/KIND/NAME`"
                )));
            }
        };
        let own = str::to_owned;
        Ok(Identity { group: own(group), kind: own(kind), namespace: own(namespace), name: own(name) })
    };
    names.map(dependency).collect()
}

/// Moves the steps of objects behind those of what they depend on, whose numbers come with them.
pub(crate) fn put_in_order(objects: &mut [(&Identity, &mut Step, &[Identity])]) -> Result<(), Failure> {
    let numbers: HashMap<&Identity, usize> =
        objects.iter().enumerate().map(|(number, (identity, ..))| (*identity, number)).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); objects.len()];
    let mut open: Vec<usize> = vec![0; objects.len()];
    for (number, (identity, _, needs)) in objects.iter().enumerate() {
        for need in *needs {
            let Some(needed) = numbers.get(need) else {
                return Err(Failure::Guarded(format!(
                    "{identity} depends on {need}, which is not among what is applied"
                )));
            };
            dependents[*needed].push(number);
            open[number] += 1;
        }
    }
    let mut ready: Vec<usize> = (0..objects.len()).filter(|number| open[*number] == 0).collect();
    while let Some(number) = ready.pop() {
        let next = objects[number].1.next();
        for dependent in std::mem::take(&mut dependents[number]) {
            let step = &mut *objects[dependent].1;
            *step = next.max(*step);
            open[dependent] -= 1;
            if open[dependent] == 0 {
                ready.push(dependent);
            }
        }
    }
    let circle: Vec<String> = objects
        .iter()
        .zip(&open)
        .filter(|(_, open)| **open > 0)
        .map(|((identity, ..), _)| identity.to_string())
        .collect();
    if circle.is_empty() {
        return Ok(());
    }
    Err(Failure::Guarded(format!("they depend on one another in a circle, or on one: {}", circle.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(name: &str) -> Identity {
        Identity { group: "apps".into(), kind: "Deployment".into(), namespace: "shop".into(), name: name.into() }
    }

    #[test]
    fn names_are_read_as_others_write_them() {
        let read = |text: &str| {
            let object = json!({"metadata": {"annotations": {DEPENDS_ON: text}}});
            dependencies(&named("a"), &object)
        };
        let place =
            Identity { group: String::new(), kind: "Namespace".into(), namespace: String::new(), name: "b".into() };
        assert_eq!(read("apps/namespaces/shop/Deployment/db, /Namespace/b"), Ok(vec![named("db"), place]));
        assert_eq!(read(""), Ok(Vec::new()));
        for odd in ["db", "apps/Deployment", "apps/namespace/shop/Deployment/db", "apps/namespaces//Deployment/db"] {
            assert!(matches!(read(odd), Err(Failure::Guarded(why)) if why.contains(odd)), "{odd}");
        }
    }

    #[test]
    fn whoever_depends_comes_later() {
        let names = ["a", "b", "c", "d"].map(named);
        let order = |needs: [&[usize]; 4], waves: [i64; 4]| {
            let needs = needs.map(|needs| needs.iter().map(|number| names[*number].clone()).collect::<Vec<_>>());
            let mut steps = waves.map(|sync_wave| Step { sync_wave, wave: crate::waves::Wave::Others, layer: 0 });
            let mut objects: Vec<_> = names
                .iter()
                .zip(&mut steps)
                .zip(&needs)
                .map(|((name, step), needs)| (name, step, &needs[..]))
                .collect();
            put_in_order(&mut objects).map(|()| steps.map(|step| (step.sync_wave, step.layer)))
        };
        assert_eq!(order([&[1], &[2], &[], &[1]], [0; 4]), Ok([(0, 2), (0, 1), (0, 0), (0, 2)]));
        assert_eq!(order([&[1], &[], &[], &[0]], [0, 3, 0, 5]), Ok([(3, 1), (3, 0), (0, 0), (5, 0)]));
        let circle = order([&[1], &[0], &[], &[0]], [0; 4]);
        assert!(matches!(&circle, Err(Failure::Guarded(why)) if why.contains("Deployment/shop/b")), "{circle:?}");
        let mut steps = Step { sync_wave: 0, wave: crate::waves::Wave::Others, layer: 0 };
        let lost = put_in_order(&mut [(&names[0], &mut steps, &names[1..2])]);
        assert!(matches!(&lost, Err(Failure::Guarded(why)) if why.contains("not among")), "{lost:?}");
    }
}
