//! The built-in `IAMPolicyGenerator`: a service account that stands for one of Google Cloud.

use crate::decode::Decoder;
use crate::stamp::Stamp;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::Resource;
use onepane_yaml::Node;

/// Makes the service account, each field of which `stamp` marks.
///
/// # Errors
/// `kustomize-generator` for a cloud that is not `gke`.
pub(crate) fn generate_policy(node: &Node, stamp: &Stamp) -> Result<Resource> {
    let decoder = Decoder::lenient("IAMPolicyGenerator");
    let (mut cloud, mut name, mut namespace) = (String::new(), String::new(), String::new());
    let (mut account, mut project) = (String::new(), String::new());
    decoder.fields(node, &["cloud", "kubernetesService", "serviceAccount"], |field, value| match field {
        "cloud" => decoder.string(value).map(|text| cloud = text),
        "kubernetesService" => decoder.fields(value, &["name", "namespace"], |field, value| {
            *(if field == "name" { &mut name } else { &mut namespace }) = decoder.string(value)?;
            Ok(())
        }),
        _ => decoder.fields(value, &["name", "projectId"], |field, value| {
            *(if field == "name" { &mut account } else { &mut project }) = decoder.string(value)?;
            Ok(())
        }),
    })?;
    if cloud != "gke" {
        let message = format!("cloud provider {cloud} not supported yet");
        return Err(Diagnostic::error("kustomize-generator", message).hint("the one that is: `cloud: gke`"));
    }
    let scalar = |text: String| {
        let mut node = Node::scalar(text);
        stamp.mark(&mut node);
        node
    };
    let mut resource = Resource::new(Node::mapping(vec![
        (Node::scalar("apiVersion"), scalar("v1".to_owned())),
        (Node::scalar("kind"), scalar("ServiceAccount".to_owned())),
    ]));
    resource.set_name(scalar(name));
    if !namespace.is_empty() {
        resource.set_namespace(Some(scalar(namespace)));
    }
    let value = format!("{account}@{project}.iam.gserviceaccount.com");
    resource.set_annotation("iam.gke.io/gcp-service-account", scalar(value));
    Ok(resource)
}
