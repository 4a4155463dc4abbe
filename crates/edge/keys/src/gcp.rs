//! Google Cloud KMS: `encrypt` and `decrypt` of a key.

use crate::cloud::CloudKeys;
use crate::failure::{unanswered, unusable};
use crate::gcp_token;
use crate::settings::variable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{Request, body, text};
use onepane_sops::Secret;
use reqwest::Method;
use serde_json::{Value, json};

const SERVICE: &str = "Google Cloud KMS";

/// Decrypts what `enc` is.
pub(crate) fn decrypt(keys: &CloudKeys<'_>, resource: &str, enc: &str) -> Result<Secret> {
    STANDARD.decode(enc).map_err(|_| unusable("the encrypted data key is damaged"))?;
    let answer = call(keys, resource, "decrypt", &json!({"ciphertext": enc}))?;
    let plain = text(&answer, &["plaintext"]).and_then(|plain| STANDARD.decode(plain).ok());
    plain.map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers without a plain text")))
}

/// Encrypts `part`.
pub(crate) fn encrypt(keys: &CloudKeys<'_>, resource: &str, part: &Secret) -> Result<String> {
    let answer = call(keys, resource, "encrypt", &json!({"plaintext": STANDARD.encode(part.reveal())}))?;
    let enc = text(&answer, &["ciphertext"]);
    enc.map(str::to_owned).ok_or_else(|| unanswered(format!("{SERVICE} answers without an encrypted text")))
}

fn call(keys: &CloudKeys<'_>, resource: &str, verb: &str, request: &Value) -> Result<Value> {
    let parts: Vec<&str> = resource.split('/').collect();
    let ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _] = parts[..] else {
        let message = format!("`{resource}` is no key like projects/P/locations/L/keyRings/R/cryptoKeys/K");
        return Err(unusable(message));
    };
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    if !parts.iter().all(plain) || parts.contains(&"..") {
        return Err(unusable(format!("`{resource}` is no name of a key")));
    }
    let endpoint = endpoint(keys);
    let url = format!("{}/v1/{resource}:{verb}", endpoint.trim_end_matches('/'));
    let token = gcp_token::get(keys)?;
    let headers = vec![
        ("authorization", format!("Bearer {}", token.reveal_text().unwrap_or_default())),
        ("content-type", "application/json".to_owned()),
    ];
    let request = Request { service: SERVICE, method: Method::POST, url: &url, headers, body: body(request) };
    keys.http().json(request, |answer| text(answer, &["error", "message"]).map(str::to_owned))
}

fn endpoint(keys: &CloudKeys<'_>) -> String {
    let named = variable(keys.world, "SOPS_GCP_KMS_ENDPOINT");
    // SOPS takes a host with a port there, too.
    let named = named.map(|named| if named.contains("://") { named } else { format!("https://{named}") });
    let domain = || variable(keys.world, "SOPS_GCP_KMS_UNIVERSE_DOMAIN").unwrap_or_else(|| "googleapis.com".to_owned());
    keys.endpoints.gcp_kms.clone().or(named).unwrap_or_else(|| format!("https://cloudkms.{}", domain()))
}
