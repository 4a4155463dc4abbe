//! AWS KMS: `Encrypt` and `Decrypt`, and `AssumeRole` of STS for keys that name a role.

use crate::aws_credentials;
use crate::aws_signature::{Credentials, Signed};
use crate::cloud::CloudKeys;
use crate::failure::{unanswered, unusable};
use crate::settings::variable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{Request, body, form, text};
use onepane_sops::{KeyId, Secret};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;
use zeroize::Zeroizing;

const SERVICE: &str = "AWS KMS";

/// What stands in an ARN of a key.
struct Key<'k> {
    arn: &'k str,
    region: &'k str,
    /// The end of its hosts' names.
    domain: &'static str,
    role: &'k str,
    profile: &'k str,
    context: &'k BTreeMap<String, String>,
}

impl<'k> Key<'k> {
    fn new(id: &'k KeyId) -> Result<Self> {
        let no_arn = || unusable(format!("`{id}` is no ARN of a key like arn:aws:kms:REGION:ACCOUNT:key/ID"));
        let KeyId::Kms { arn, role, context, profile } = id else { return Err(no_arn()) };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts[..] else { return Err(no_arn()) };
        let word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let named =
            ["key/", "alias/"].iter().any(|start| resource.strip_prefix(start).is_some_and(|id| !id.is_empty()));
        // The region becomes part of a host's name, to which signed requests are sent.
        if !word(region) || !account.bytes().all(|byte| byte.is_ascii_digit()) || !named {
            return Err(no_arn());
        }
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            "aws-iso" => "c2s.ic.gov",
            "aws-iso-b" => "sc2s.sgov.gov",
            _ => return Err(unusable(format!("`{arn}` is in a partition of AWS that is not known"))),
        };
        Ok(Self { arn, region, domain, role, profile, context })
    }
}

/// Decrypts what `enc` is.
pub(crate) fn decrypt(keys: &CloudKeys<'_>, id: &KeyId, enc: &str) -> Result<Secret> {
    let key = Key::new(id)?;
    STANDARD.decode(enc).map_err(|_| unusable("the encrypted data key is damaged"))?;
    let mut request = json!({"KeyId": key.arn, "CiphertextBlob": enc});
    add_context(&mut request, &key);
    let answer = call(keys, &key, "TrentService.Decrypt", &request)?;
    let plain = text(&answer, &["Plaintext"]).and_then(|plain| STANDARD.decode(plain).ok());
    plain.map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers without a plain text")))
}

/// Encrypts `part`.
pub(crate) fn encrypt(keys: &CloudKeys<'_>, id: &KeyId, part: &Secret) -> Result<String> {
    let key = Key::new(id)?;
    let mut request = json!({"KeyId": key.arn, "Plaintext": STANDARD.encode(part.reveal())});
    add_context(&mut request, &key);
    let answer = call(keys, &key, "TrentService.Encrypt", &request)?;
    let enc = text(&answer, &["CiphertextBlob"]);
    enc.map(str::to_owned).ok_or_else(|| unanswered(format!("{SERVICE} answers without an encrypted text")))
}

fn add_context(request: &mut Value, key: &Key<'_>) {
    if !key.context.is_empty() {
        request["EncryptionContext"] = json!(key.context);
    }
}

fn call(keys: &CloudKeys<'_>, key: &Key<'_>, target: &str, request: &Value) -> Result<Value> {
    let mut credentials = aws_credentials::find(keys, key.profile, key.region, key.domain)?;
    if !key.role.is_empty() {
        credentials = assume_role(keys, &credentials, key.role, key.region, key.domain)?;
    }
    let endpoint =
        endpoint(keys, keys.endpoints.aws_kms.as_ref(), "KMS", &format!("kms.{}.{}", key.region, key.domain));
    let extra = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let call = Call { service: SERVICE, name: "kms", endpoint, region: key.region, credentials: &credentials };
    let answer = post(keys, &call, &extra, body(request))?;
    serde_json::from_slice(&answer).map_err(|_| unanswered(format!("{SERVICE} answers with something else than JSON")))
}

/// The credentials of a role.
pub(crate) fn assume_role(
    keys: &CloudKeys<'_>,
    credentials: &Credentials,
    role: &str,
    region: &str,
    domain: &str,
) -> Result<Credentials> {
    let what = format!("aws role {role} of {}", credentials.access_key);
    let answer = keys.token(&what, || {
        let endpoint = endpoint(keys, keys.endpoints.aws_sts.as_ref(), "STS", &format!("sts.{region}.{domain}"));
        let fields =
            [("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", "onepane")];
        let extra = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let call = Call { service: "AWS STS", name: "sts", endpoint, region, credentials };
        post(keys, &call, &extra, form(&fields)).map(Secret::from)
    })?;
    let answer = answer.reveal_text().unwrap_or_default();
    let field = |name: &str| element(answer, name).ok_or_else(|| unanswered("AWS STS answers without credentials"));
    Ok(Credentials {
        access_key: field("AccessKeyId")?.to_owned(),
        secret_key: Secret::new(field("SecretAccessKey")?),
        session_token: Some(Secret::new(field("SessionToken")?)),
    })
}

/// The text of the one element of that name; STS answers in XML, whose texts here need no escapes.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    (!text.is_empty() && !text.contains(['<', '&'])).then_some(text)
}

pub(crate) fn endpoint(keys: &CloudKeys<'_>, given: Option<&String>, name: &str, host: &str) -> String {
    let variables = || {
        variable(keys.world, &format!("AWS_ENDPOINT_URL_{name}")).or_else(|| variable(keys.world, "AWS_ENDPOINT_URL"))
    };
    given.cloned().or_else(variables).unwrap_or_else(|| format!("https://{host}"))
}

/// Whom to call, and as whom.
pub(crate) struct Call<'c> {
    pub(crate) service: &'static str,
    /// What the service is called in signatures.
    pub(crate) name: &'c str,
    pub(crate) endpoint: String,
    pub(crate) region: &'c str,
    pub(crate) credentials: &'c Credentials,
}

/// Signs and sends a request.
pub(crate) fn post(
    keys: &CloudKeys<'_>,
    call: &Call<'_>,
    extra: &[(&str, &str)],
    body: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>> {
    let no_address = || unusable(format!("`{}` is no address of {}", call.endpoint, call.service));
    let mut url = Url::parse(&call.endpoint).map_err(|_| no_address())?;
    url.set_path("/");
    url.set_query(None);
    let host = url.host_str().ok_or_else(no_address)?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let now = jiff::Timestamp::try_from(keys.world.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let token = call.credentials.session_token.as_ref().and_then(Secret::reveal_text);
    let mut headers = vec![("host", host.as_str()), ("x-amz-date", time.as_str())];
    headers.extend_from_slice(extra);
    headers.extend(token.map(|token| ("x-amz-security-token", token)));
    let signed = Signed {
        region: call.region,
        service: call.name,
        time: &time,
        method: "POST",
        path: "/",
        headers: &headers,
        body: &body,
    };
    let authorization = signed.authorization(call.credentials);
    let mut sent: Vec<(&str, String)> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    sent.push(("authorization", authorization));
    let request = Request { service: call.service, method: Method::POST, url: url.as_str(), headers: sent, body };
    keys.http().send(request, explain)
}

/// `{"__type": "…#AccessDeniedException", "message": "…"}`
fn explain(answer: &Value) -> Option<String> {
    let kind = text(answer, &["__type"])?;
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let message = text(answer, &["message"]).or_else(|| text(answer, &["Message"])).unwrap_or_default();
    Some(format!("{kind} {message}").trim().to_owned())
}
