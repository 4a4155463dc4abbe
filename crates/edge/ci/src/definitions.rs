//! Definitions of kinds, which all environments of a cluster share: [`bring`].

use crate::{Told, is_there, text};
use http::Method;
use onepane_deploy::{Failure, Server};
use onepane_health::{Status, health};
use onepane_temporary::RUN;
use serde_json::Value;
use std::time::Duration;

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// How long a definition may take to be served.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the definitions that the cluster does not have. Those that it has stay as they are, and so do these when the run
/// is over: with a definition, everything of its kind goes, and others may have some.
pub(crate) async fn bring(server: &Server, definitions: Vec<Value>, tell: &dyn Fn(&Told<'_>)) -> Result<(), Failure> {
    let mut is_new = false;
    for mut definition in definitions {
        let name = text(&definition, "/metadata/name").to_owned();
        let path = format!("{PATH}/{name}");
        match server.request(Method::GET, &path, None).await {
            Ok(_) => {
                tell(&Told::Note(&format!("CustomResourceDefinition/{name} is the cluster's own, and stays as it is")));
                continue;
            }
            Err(failure) if failure.is_absent() => {}
            Err(failure) => return Err(failure),
        }
        if let Some(labels) = definition.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(RUN);
        }
        match server.request(Method::POST, PATH, Some(&definition)).await {
            Err(failure) if !is_there(&failure) => return Err(failure),
            _ => {}
        }
        is_new = true;
        tell(&Told::Note(&format!("CustomResourceDefinition/{name} is made, and stays when the environment goes")));
        let start = tokio::time::Instant::now();
        while health(&server.request(Method::GET, &path, None).await?).status != Status::Current {
            if start.elapsed() > PATIENCE {
                return Err(Failure::Guarded(format!("CustomResourceDefinition/{name} is not served")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    if is_new {
        server.rediscover().await?;
    }
    Ok(())
}
