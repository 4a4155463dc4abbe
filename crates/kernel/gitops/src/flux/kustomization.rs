//! A Kustomization of Flux: a folder, built with what the object adds, its variables replaced.

use super::variables::{replace, variables};
use crate::additions::{Additions, Without};
use crate::follower::{Delivery, Follower};
use crate::object::{self, Name, is_true, items, pairs, shown, text};
use crate::sources::Source;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::Resource;
use onepane_world::normalize;
use onepane_yaml::Node;

/// The folder that it names, in its source.
pub(crate) fn path(object: &Resource) -> Utf8PathBuf {
    normalize(Utf8Path::new(text(object.node(), &["spec", "path"]).trim_start_matches('/')))
}

/// The kind, namespace and name of its source.
pub(crate) fn source_of(object: &Resource) -> (String, Name) {
    let reference = |key| text(object.node(), &["spec", "sourceRef", key]).to_owned();
    let namespace = match reference("namespace").as_str() {
        "" => object.namespace().to_owned(),
        namespace => namespace.to_owned(),
    };
    (reference("kind"), (namespace, reference("name")))
}

/// What it delivers.
pub(crate) fn kustomization(follower: &mut Follower<'_>, object: &Resource) -> Result<Vec<Resource>> {
    let node = object.node();
    if is_true(node, &["spec", "suspend"]) {
        follower.warn(object, "gitops-suspended", "it is suspended, and not followed".to_owned());
        return Ok(Vec::new());
    }
    if node.at(&["spec", "kubeConfig"]).is_some() {
        let message = "it applies to another cluster (`kubeConfig`), and is not followed".to_owned();
        follower.warn(object, "gitops-other-cluster", message);
        return Ok(Vec::new());
    }
    let wanted = text(node, &["spec", "path"]);
    let (kind, (namespace, name)) = source_of(object);
    let source = follower.source(&kind, &namespace, &name, wanted);
    let Some(folder) = source.folder(wanted) else {
        let place = match source {
            Source::Elsewhere(place) => place,
            Source::Charts(address) | Source::OciChart(address, _) => address,
            Source::Own | Source::Artifact(_) => format!("`{wanted}`, which its source does not hold"),
        };
        return Err(Diagnostic::error("gitops-source", format!("what it applies is not in this repository: {place}"))
            .hint("what comes from elsewhere is not followed; name the address of this one in onepane.yaml: `repository:`"));
    };
    let mut additions = Additions::default();
    additions.set("namespace", text(node, &["spec", "targetNamespace"]));
    additions.set("namePrefix", text(node, &["spec", "namePrefix"]));
    additions.set("nameSuffix", text(node, &["spec", "nameSuffix"]));
    for patch in items(node, &["spec", "patches"]) {
        additions.entries.push(("patches", patch.clone()));
    }
    for component in items(node, &["spec", "components"]) {
        let is_there = component.as_str().is_some_and(|path| follower.input.world.kind(&folder.join(path)).is_some());
        if is_there || !is_true(node, &["spec", "ignoreMissingComponents"]) {
            additions.entries.push(("components", component.clone()));
        }
    }
    additions.images = items(node, &["spec", "images"]).to_vec();
    let variables = variables(follower, object);
    let built = follower.build(&folder, &additions, Without::IsMade)?;
    follower.deliveries.push(Delivery {
        by: shown(object),
        folder: Some(folder),
        chart: None,
        span: object::place(object),
    });
    let mut resources = follower.take(built);
    if !variables.is_empty() {
        for resource in &mut resources {
            replace(resource, &variables)?;
        }
    }
    common_metadata(node, &mut resources);
    Ok(resources)
}

/// Labels and annotations that every resource gets, whatever it had; not those of its pods.
pub(super) fn common_metadata(object: &Node, resources: &mut [Resource]) {
    let labels = pairs(object, &["spec", "commonMetadata", "labels"]);
    let annotations = pairs(object, &["spec", "commonMetadata", "annotations"]);
    for resource in resources {
        labels.iter().for_each(|(key, value)| resource.set_label(key, Node::string(*value)));
        annotations.iter().for_each(|(key, value)| resource.set_annotation(key, Node::string(*value)));
    }
}
