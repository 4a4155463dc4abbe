//! HashiCorp Vault: `encrypt` and `decrypt` of its transit engine.

use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered, unusable};
use crate::settings::{home, read_text, variable};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{Request, body, text};
use onepane_sops::{KeyId, Secret};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

pub(crate) const SERVICE: &str = "Vault";

/// Decrypts what `enc` is.
pub(crate) fn decrypt(keys: &CloudKeys<'_>, id: &KeyId, enc: &str) -> Result<Secret> {
    let answer = call(keys, id, "decrypt", &json!({"ciphertext": enc}))?;
    let plain = text(&answer, &["data", "plaintext"]).and_then(|plain| STANDARD.decode(plain).ok());
    plain.map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers without a plain text")))
}

/// Encrypts `part`.
pub(crate) fn encrypt(keys: &CloudKeys<'_>, id: &KeyId, part: &Secret) -> Result<String> {
    let answer = call(keys, id, "encrypt", &json!({"plaintext": STANDARD.encode(part.reveal())}))?;
    let enc = text(&answer, &["data", "ciphertext"]);
    enc.map(str::to_owned).ok_or_else(|| unanswered(format!("{SERVICE} answers without an encrypted text")))
}

fn call(keys: &CloudKeys<'_>, id: &KeyId, verb: &str, request: &Value) -> Result<Value> {
    let KeyId::HcVault { address, engine, name } = id else { return Err(unusable("it is no key of Vault")) };
    let segment = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let engine = engine.trim_matches('/');
    if !engine.split('/').all(segment) || !segment(name) {
        return Err(unusable(format!("`{id}` is no address of a key")));
    }
    check_address(keys, address, "the file")?;
    let url = format!("{}/v1/{engine}/{verb}/{name}", address.trim_end_matches('/'));
    let token = token(keys)?;
    let mut headers = vec![
        ("x-vault-token", token.reveal_text().unwrap_or_default().to_owned()),
        ("x-vault-request", "true".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    headers.extend(variable(keys.world, "VAULT_NAMESPACE").map(|namespace| ("x-vault-namespace", namespace)));
    let request = Request { service: SERVICE, method: Method::PUT, url: &url, headers, body: body(request) };
    keys.http().json(request, explain)
}

/// `{"errors": ["…"]}`
pub(crate) fn explain(answer: &Value) -> Option<String> {
    let errors = answer.get("errors")?.as_array()?.iter().filter_map(Value::as_str);
    Some(errors.collect::<Vec<_>>().join("; "))
}

/// The token goes to servers that the environment names: those of `SOPS_HC_VAULT_ALLOWLIST`, else that of `VAULT_ADDR`.
/// SOPS asks whichever the file names unless it has the former; who names none here gets that, too.
pub(crate) fn check_address(keys: &CloudKeys<'_>, address: &str, who: &str) -> Result<()> {
    let allowed = variable(keys.world, "SOPS_HC_VAULT_ALLOWLIST").or_else(|| variable(keys.world, "VAULT_ADDR"));
    let within = |allowed: &str| {
        let slashed = |text: &str| format!("{}/", text.trim().trim_end_matches('/'));
        slashed(address).starts_with(&slashed(allowed))
    };
    let is_address = Url::parse(address).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.query().is_none()
            && url.username().is_empty()
    });
    let may = match allowed.as_deref() {
        None | Some("all") => true,
        Some("none") => false,
        Some(list) => list.split(',').any(within),
    };
    if may && is_address {
        return Ok(());
    }
    Err(unusable(format!("{who} names the Vault server `{address}`, to which no token is sent"))
        .hint("if it is yours, add it to SOPS_HC_VAULT_ALLOWLIST, or set VAULT_ADDR to it"))
}

fn token(keys: &CloudKeys<'_>) -> Result<Secret> {
    if let Some(token) = variable(keys.world, "VAULT_TOKEN") {
        return Ok(Secret::new(token));
    }
    let path = home(keys.world).join(".vault-token");
    let token = read_text(keys.world, &path)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    token.map(Secret::new).ok_or_else(|| {
        no_credentials(format!("there is no Vault token: VAULT_TOKEN is not set, and there is no `{path}`"))
            .hint("log in by `vault login`")
    })
}
