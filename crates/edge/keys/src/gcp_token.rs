//! Google's access tokens: given, or got with a service account or with what `gcloud auth application-default login` left.

use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered};
use crate::settings::{config_home, read, variable};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_http::{Request, form, text};
use onepane_sops::Secret;
use reqwest::Method;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::time::UNIX_EPOCH;
use zeroize::Zeroizing;

const SERVICE: &str = "Google's token server";
/// For KMS.
pub(crate) const KMS: &str = "https://www.googleapis.com/auth/cloudkms";
/// For all of Google Cloud, as its libraries ask for secrets.
pub(crate) const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A token for KMS. `GOOGLE_CREDENTIALS`, a path or the JSON itself, goes before a token in
/// `GOOGLE_OAUTH_ACCESS_TOKEN`, and that before the files of Google's own programs.
pub(crate) fn get(keys: &CloudKeys<'_>) -> Result<Secret> {
    if let Some(given) = variable(keys.world, "GOOGLE_CREDENTIALS") {
        let file = if given.trim_start().starts_with('{') { None } else { read(keys.world, Utf8Path::new(&given))? };
        return with(keys, &file.unwrap_or_else(|| Secret::new(given)), "GOOGLE_CREDENTIALS", KMS);
    }
    if let Some(token) = variable(keys.world, "GOOGLE_OAUTH_ACCESS_TOKEN") {
        return Ok(Secret::new(token));
    }
    match application_default(keys, KMS)? {
        Some(token) => Ok(token),
        None => Err(none_found()),
    }
}

/// A token for secrets: of the files of Google's own programs, as its libraries find them, else
/// `GOOGLE_OAUTH_ACCESS_TOKEN`.
pub(crate) fn for_secrets(keys: &CloudKeys<'_>) -> Result<Secret> {
    match application_default(keys, PLATFORM)? {
        Some(token) => Ok(token),
        None => variable(keys.world, "GOOGLE_OAUTH_ACCESS_TOKEN").map(Secret::new).ok_or_else(none_found),
    }
}

fn none_found() -> Box<Diagnostic> {
    no_credentials("there are no Google credentials")
        .hint("let GOOGLE_APPLICATION_CREDENTIALS name the file of a service account, or set GOOGLE_OAUTH_ACCESS_TOKEN")
}

fn application_default(keys: &CloudKeys<'_>, scope: &str) -> Result<Option<Secret>> {
    if let Some(path) = variable(keys.world, "GOOGLE_APPLICATION_CREDENTIALS") {
        let file = read(keys.world, Utf8Path::new(&path))?;
        let file = file.ok_or_else(|| {
            no_credentials(format!("there is no `{path}`, which GOOGLE_APPLICATION_CREDENTIALS names"))
        })?;
        return with(keys, &file, "GOOGLE_APPLICATION_CREDENTIALS", scope).map(Some);
    }
    let path = config_home(keys.world).join("gcloud/application_default_credentials.json");
    match read(keys.world, &path)? {
        Some(file) => with(keys, &file, path.as_str(), scope).map(Some),
        None => Ok(None),
    }
}

/// A token for the credentials of a file.
fn with(keys: &CloudKeys<'_>, file: &Secret, origin: &str, scope: &str) -> Result<Secret> {
    let wrong = |what: &str| no_credentials(format!("the Google credentials of {origin} {what}"));
    let file: Value = serde_json::from_slice(file.reveal()).map_err(|_| wrong("are no JSON"))?;
    let field = |name: &str| text(&file, &[name]).ok_or_else(|| wrong(&format!("have no `{name}`")));
    let uri = text(&file, &["token_uri"]).unwrap_or("https://oauth2.googleapis.com/token");
    match text(&file, &["type"]) {
        Some("service_account") => {
            let account = field("client_email")?;
            keys.token(&format!("gcp {account} {scope}"), || {
                let claim = assertion(keys, &file, account, field("private_key")?, (uri, scope))
                    .ok_or_else(|| wrong("have no private key of RSA in PKCS#8"))?;
                let claim = claim.reveal_text().unwrap_or_default();
                ask(keys, uri, &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", claim)])
            })
        }
        Some("authorized_user") => {
            let client = field("client_id")?;
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("client_secret", field("client_secret")?),
                ("refresh_token", field("refresh_token")?),
            ];
            keys.token(&format!("gcp {client}"), || ask(keys, uri, &fields))
        }
        _ => Err(wrong("are of a kind that is not known")
            .hint("`service_account` and `authorized_user` are; others can get a token for GOOGLE_OAUTH_ACCESS_TOKEN")),
    }
}

/// A statement of who asks, signed by the account's key: a JSON web token.
fn assertion(
    keys: &CloudKeys<'_>,
    file: &Value,
    account: &str,
    pem: &str,
    (uri, scope): (&str, &str),
) -> Option<Secret> {
    let now = keys.world.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut head = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = text(file, &["private_key_id"]) {
        head["kid"] = json!(id);
    }
    let claims = json!({"iss": account, "scope": scope, "aud": uri, "iat": now, "exp": now + 3600});
    let signed = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn ask(keys: &CloudKeys<'_>, uri: &str, fields: &[(&str, &str)]) -> Result<Secret> {
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let body: Zeroizing<Vec<u8>> = form(fields);
    let request = Request { service: SERVICE, method: Method::POST, url: uri, headers, body };
    let answer = keys.http().json(request, |answer| {
        text(answer, &["error_description"]).or_else(|| text(answer, &["error"])).map(str::to_owned)
    })?;
    text(&answer, &["access_token"])
        .map(Secret::new)
        .ok_or_else(|| unanswered(format!("{SERVICE} answers without a token")))
}
