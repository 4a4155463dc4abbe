//! `replicas:`.

use crate::accumulate::located;
use crate::config::FieldSpec;
use crate::decode::some_of;
use crate::kustomization::Replica;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::ResourceSet;

/// Sets the number of replicas of the resources that have or had the name.
///
/// # Errors
/// `kustomize-replicas` when there is no such resource of a kind that has replicas.
pub(crate) fn set_replicas(
    resources: &mut ResourceSet,
    replica: &Replica,
    fields: &[FieldSpec],
    stamp: &Stamp,
) -> Result<()> {
    let positions = resources.positions_by_any_name(&replica.name).to_vec();
    let mut found = false;
    for path in Path::all(fields) {
        for &position in &positions {
            let matches = |id: &onepane_resource::ResourceId| {
                *id.name == *replica.name && path.spec.is_for(&id.gvk.group, &id.gvk.version, &id.gvk.kind)
            };
            let outcome: Option<Result<bool>> = resources.update(position, |resource| {
                if !matches(resource.id()) && !resource.previous_ids().any(|id| matches(&id)) {
                    return Ok(false);
                }
                path.apply(resource, Create::Scalar, &mut |node| {
                    stamp.set_scalar(node, replica.count.to_string(), Some("!!int"));
                    node.style = onepane_yaml::Style::Plain;
                    Ok(())
                })?;
                Ok(true)
            });
            found |= outcome.unwrap_or(Ok(false))?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<String> = fields.iter().map(|spec| spec.kind.to_string()).collect();
    let message = format!(
        "resource with name {} does not match a config with the following GVK {}",
        replica.name,
        kinds.join(", ")
    );
    let error = located(Diagnostic::error("kustomize-replicas", message), replica.span);
    let names: Vec<&str> = resources
        .iter()
        .filter(|resource| {
            fields.iter().any(|spec| spec.is_for("", "", resource.kind()) || spec.kind == resource.kind())
        })
        .map(|resource| resource.name())
        .collect();
    Err(error.hint(match crate::decode::closest(&replica.name, names.iter().copied()) {
        Some(near) if near != replica.name => format!("did you mean `{near}`?"),
        _ if names.is_empty() => "no resource built here has replicas".to_owned(),
        _ => format!("those with replicas are: {}", some_of(&names)),
    }))
}
