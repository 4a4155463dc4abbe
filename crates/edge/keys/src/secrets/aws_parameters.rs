//! Parameters of AWS Systems Manager: `GetParameter` and `GetParametersByPath`.
//! `ref+awsssm://PATH[?version=…]`, and `[?mode=singleparam][&recursive=true]#/KEY`: without that mode, a document is made
//! of all the parameters below the path.

use super::{Aws, Kept, Wanted, json};
use crate::aws::{Call, endpoint, post};
use crate::cloud::CloudKeys;
use crate::failure::{unanswered, unusable};
use onepane_diagnostics::Result;
use onepane_http::{body, text};
use onepane_sops::Secret;
use serde_json::{Map, Value, json as object};

const SERVICE: &str = "AWS Systems Manager";

/// No path has more pages of parameters; each has ten.
const MOST_PAGES: usize = 1000;

pub(super) fn get(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Kept> {
    let path = format!("/{}", wanted.path.strip_prefix('/').unwrap_or(wanted.path));
    let aws = Aws::find(keys, wanted)?;
    if wanted.document && wanted.setting(keys, "mode").as_deref() != Some("singleparam") {
        let recursive = wanted.setting(keys, "recursive").as_deref() == Some("true");
        return below(keys, &aws, &path, recursive).map(Kept::Fields);
    }
    let name = match wanted.setting(keys, "version") {
        None => path,
        Some(version) if version.bytes().all(|byte| byte.is_ascii_digit()) => format!("{path}:{version}"),
        Some(_) => return Err(unusable("the version of a parameter is a number")),
    };
    let answer = ask(keys, &aws, "GetParameter", &object!({"Name": name, "WithDecryption": true}))?;
    let value = text(&answer, &["Parameter", "Value"]).map(Secret::new);
    value.map(Kept::Text).ok_or_else(|| unanswered(format!("{SERVICE} answers without a value")))
}

/// The parameters below a path.
fn below(keys: &CloudKeys<'_>, aws: &Aws, path: &str, recursive: bool) -> Result<Map<String, Value>> {
    let mut request = object!({"Path": path, "Recursive": recursive, "WithDecryption": true});
    let mut fields = Map::new();
    for _ in 0..MOST_PAGES {
        let answer = ask(keys, aws, "GetParametersByPath", &request)?;
        let malformed = || unanswered(format!("{SERVICE} answers without parameters"));
        let parameters = answer.get("Parameters").and_then(Value::as_array).ok_or_else(malformed)?;
        for parameter in parameters {
            let name = text(parameter, &["Name"]).and_then(|name| name.strip_prefix(path)).ok_or_else(malformed)?;
            let value = text(parameter, &["Value"]).ok_or_else(malformed)?;
            let names: Vec<&str> = name.trim_start_matches('/').split('/').collect();
            put(&mut fields, &names, value);
        }
        match text(&answer, &["NextToken"]).filter(|token| !token.is_empty()) {
            Some(token) => request["NextToken"] = token.into(),
            None if fields.is_empty() => return Err(unanswered(format!("{SERVICE} has no parameters below `{path}`"))),
            None => return Ok(fields),
        }
    }
    Err(unanswered(format!("{SERVICE} has too many parameters below `{path}`")))
}

/// Puts a parameter where its name says; one with others below it gives way to them.
fn put(fields: &mut Map<String, Value>, names: &[&str], value: &str) {
    let Some((name, rest)) = names.split_first() else { return };
    if rest.is_empty() {
        let field = fields.entry(*name).or_insert(Value::Null);
        if !field.is_object() {
            *field = value.into();
        }
        return;
    }
    let below = fields.entry(*name).or_insert(Value::Null);
    if !below.is_object() {
        *below = Value::Object(Map::new());
    }
    if let Some(below) = below.as_object_mut() {
        put(below, rest, value);
    }
}

fn ask(keys: &CloudKeys<'_>, aws: &Aws, operation: &str, request: &Value) -> Result<Value> {
    let host = format!("ssm.{}.{}", aws.region, aws.domain);
    let endpoint = endpoint(keys, keys.endpoints.aws_parameters.as_ref(), "SSM", &host);
    let call = Call { service: SERVICE, name: "ssm", endpoint, region: &aws.region, credentials: &aws.credentials };
    let target = format!("AmazonSSM.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    json(SERVICE, &post(keys, &call, &headers, body(request))?)
}
