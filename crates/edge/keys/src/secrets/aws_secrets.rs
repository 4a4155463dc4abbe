//! AWS Secrets Manager: `GetSecretValue`. `ref+awssecrets://NAME-OR-ARN[?version_id=…&version_stage=…]`.

use super::{Aws, Wanted, json};
use crate::aws::{Call, endpoint, post};
use crate::cloud::CloudKeys;
use crate::failure::unanswered;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{body, text};
use onepane_sops::Secret;
use serde_json::json as object;

const SERVICE: &str = "AWS Secrets Manager";

pub(super) fn get(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Secret> {
    let aws = Aws::find(keys, wanted)?;
    let mut request = object!({"SecretId": wanted.path});
    for (parameter, field) in [("version_stage", "VersionStage"), ("version_id", "VersionId")] {
        if let Some(value) = wanted.setting(keys, parameter) {
            request[field] = value.into();
        }
    }
    let host = format!("secretsmanager.{}.{}", aws.region, aws.domain);
    let endpoint = endpoint(keys, keys.endpoints.aws_secrets.as_ref(), "SECRETS_MANAGER", &host);
    let call =
        Call { service: SERVICE, name: "secretsmanager", endpoint, region: &aws.region, credentials: &aws.credentials };
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue")];
    let answer = json(SERVICE, &post(keys, &call, &headers, body(&request))?)?;
    if let Some(secret) = text(&answer, &["SecretString"]) {
        return Ok(Secret::new(secret));
    }
    let binary = text(&answer, &["SecretBinary"]).and_then(|binary| STANDARD.decode(binary).ok());
    binary.map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers without a secret")))
}
