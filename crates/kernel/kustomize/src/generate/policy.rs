//! The built-in `IAMPolicyGenerator`: a service account that stands for one of Google Cloud.

use crate::decode::Decoder;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::Resource;
use onepane_yaml::Node;

/// Makes the service account.
///
/// # Errors
/// `kustomize-generator` for a cloud that is not `gke`.
pub(crate) fn generate_policy(node: &Node) -> Result<Resource> {
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
        return Err(Diagnostic::error("kustomize-generator", message));
    }
    let mut resource = Resource::new(Node::mapping(vec![
        (Node::scalar("apiVersion"), Node::scalar("v1")),
        (Node::scalar("kind"), Node::scalar("ServiceAccount")),
    ]));
    resource.set_name(Node::scalar(name));
    if !namespace.is_empty() {
        resource.set_namespace(Some(Node::scalar(namespace)));
    }
    let value = format!("{account}@{project}.iam.gserviceaccount.com");
    resource.set_annotation("iam.gke.io/gcp-service-account", Node::scalar(value));
    Ok(resource)
}
