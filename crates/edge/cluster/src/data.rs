//! What a Secret or a ConfigMap holds, asked by itself: [`data_of`].

use crate::client::Client;
use crate::kubeconfig::target;
use crate::lookup::check_segment;
use crate::settings::Settings;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What holds data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A Secret, whose data is decoded.
    Secret,
    /// A ConfigMap; of its binary data nothing.
    ConfigMap,
}

/// The data of a Secret or a ConfigMap of a cluster. Nothing else is asked of it.
///
/// # Errors
/// client-go's words for what the server or the kubeconfig says, or that the answer is none. None holds data.
pub fn data_of(
    settings: &Settings,
    holder: Holder,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let resource = match holder {
        Holder::Secret => "secrets",
        Holder::ConfigMap => "configmaps",
    };
    for (what, segment) in [("namespace", namespace), ("resource name", name)] {
        check_segment(what, segment)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if segment.is_empty() || !segment.bytes().all(plain) {
            return Err(format!("{segment:?} is no {what}"));
        }
    }
    let client = Client::new(target(settings)?, settings)?;
    let path = format!("/api/v1/namespaces/{namespace}/{resource}/{name}");
    let answer = client.get(&path, "application/json").map_err(|failure| failure.message)?;
    let object = answer.object(&format!("{resource} {name}")).map_err(|failure| failure.message)?;
    let malformed = || "the server answers with something else than what was asked for".to_owned();
    let decoded = |value: &Json| {
        let text = value.as_str()?;
        match holder {
            Holder::Secret => STANDARD.decode(text).ok(),
            Holder::ConfigMap => Some(text.as_bytes().to_vec()),
        }
    };
    match object.get("data") {
        Some(Json::Object(fields)) => {
            fields.iter().map(|(key, value)| Ok((key.clone(), decoded(value).ok_or_else(malformed)?))).collect()
        }
        None | Some(Json::Null) if object.is_object() => Ok(BTreeMap::new()),
        _ => Err(malformed()),
    }
}
