//! Azure Key Vault: `encrypt` and `decrypt` of a key, and a key's newest version.

use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered, unusable};
use crate::settings::{read_text, variable};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onepane_diagnostics::Result;
use onepane_http::{Request, body, form, text};
use onepane_sops::{KeyId, Secret};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

pub(crate) const SERVICE: &str = "Azure Key Vault";
pub(crate) const VERSION: &str = "api-version=7.4";
/// What SOPS encrypts data keys with.
const ALGORITHM: &str = "RSA-OAEP-256";

/// Where vaults are. A token is sent to no other host.
const DOMAINS: [&str; 8] = [
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
    "vault.microsoftazure.de",
    "managedhsm.azure.net",
    "managedhsm.azure.cn",
    "managedhsm.usgovcloudapi.net",
    "managedhsm.microsoftazure.de",
];

/// Decrypts what `enc` is.
pub(crate) fn decrypt(keys: &CloudKeys<'_>, id: &KeyId, enc: &str) -> Result<Secret> {
    URL_SAFE_NO_PAD.decode(enc).map_err(|_| unusable("the encrypted data key is damaged"))?;
    let KeyId::AzureKv { version, .. } = id else { return Err(unusable("it is no key of Azure")) };
    let answer = operate(keys, id, version, "decrypt", enc)?;
    let plain =
        URL_SAFE_NO_PAD.decode(&answer).map_err(|_| unanswered(format!("{SERVICE} answers without a plain text")))?;
    Ok(Secret::new(plain))
}

/// Encrypts `part`. A key without a version gets the newest, which the file then names.
pub(crate) fn encrypt(keys: &CloudKeys<'_>, id: &mut KeyId, part: &Secret) -> Result<String> {
    let newest = match id {
        KeyId::AzureKv { version, .. } if version.is_empty() => newest(keys, id)?,
        KeyId::AzureKv { version, .. } => version.clone(),
        _ => return Err(unusable("it is no key of Azure")),
    };
    let enc = operate(keys, id, &newest, "encrypt", &URL_SAFE_NO_PAD.encode(part.reveal()))?;
    if let KeyId::AzureKv { version, .. } = id {
        *version = newest;
    }
    Ok(enc)
}

/// The newest version: the end of the key's own address.
fn newest(keys: &CloudKeys<'_>, id: &KeyId) -> Result<String> {
    let answer = call(keys, id, "", Method::GET, None)?;
    let version = text(&answer, &["key", "kid"]).and_then(|address| address.rsplit('/').next());
    let version = version.filter(|version| !version.is_empty());
    version.map(str::to_owned).ok_or_else(|| unanswered(format!("{SERVICE} does not say which version `{id}` has")))
}

fn operate(keys: &CloudKeys<'_>, id: &KeyId, version: &str, verb: &str, value: &str) -> Result<String> {
    let request = json!({"alg": ALGORITHM, "value": value});
    let path = if version.is_empty() { format!("/{verb}") } else { format!("/{version}/{verb}") };
    let answer = call(keys, id, &path, Method::POST, Some(&request))?;
    text(&answer, &["value"]).map(str::to_owned).ok_or_else(|| unanswered(format!("{SERVICE} answers without a value")))
}

fn call(keys: &CloudKeys<'_>, id: &KeyId, path: &str, method: Method, request: Option<&Value>) -> Result<Value> {
    let KeyId::AzureKv { vault_url, name, version } = id else { return Err(unusable("it is no key of Azure")) };
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || !word(name) || !word(version) {
        return Err(unusable(format!("`{id}` is no address of a key")));
    }
    let domain = domain(vault_url)?;
    let vault = keys.endpoints.azure_vault.as_deref().unwrap_or(vault_url).trim_end_matches('/');
    let url = format!("{vault}/keys/{name}{path}?{VERSION}");
    let token = token(keys, domain)?;
    let headers = vec![
        ("authorization", format!("Bearer {}", token.reveal_text().unwrap_or_default())),
        ("content-type", "application/json".to_owned()),
    ];
    let body = request.map_or_else(|| Zeroizing::new(Vec::new()), body);
    let request = Request { service: SERVICE, method, url: &url, headers, body };
    keys.http().json(request, explain)
}

/// `{"error": {"code": "…", "message": "…"}}`
pub(crate) fn explain(answer: &Value) -> Option<String> {
    let code = text(answer, &["error", "code"]).unwrap_or_default();
    text(answer, &["error", "message"]).map(|message| format!("{code} {message}").trim().to_owned())
}

/// Which of Azure's domains a vault is in.
pub(crate) fn domain(vault_url: &str) -> Result<&'static str> {
    let url = Url::parse(vault_url).ok().filter(|url| url.scheme() == "https" && url.port().is_none());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let domain = DOMAINS.into_iter().find(|domain| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.')));
    domain.ok_or_else(|| unusable(format!("`{vault_url}` is no vault of Azure, and no token is sent to it")))
}

/// How a client shows who it is.
enum Proof {
    Password(Secret),
    Token(Secret),
}

/// A token for vaults of a domain.
pub(crate) fn token(keys: &CloudKeys<'_>, domain: &str) -> Result<Secret> {
    let named = |name: &str| {
        variable(keys.world, name).ok_or_else(|| {
            no_credentials(format!("there are no Azure credentials: {name} is not set"))
                .hint("set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
        })
    };
    let (tenant, client) = (named("AZURE_TENANT_ID")?, named("AZURE_CLIENT_ID")?);
    let proof = match (variable(keys.world, "AZURE_CLIENT_SECRET"), variable(keys.world, "AZURE_FEDERATED_TOKEN_FILE"))
    {
        // A workload shows the token of its service account.
        (None, Some(path)) => {
            let token = read_text(keys.world, path.as_str().into())?;
            let missing = || no_credentials(format!("there is no `{path}`, which AZURE_FEDERATED_TOKEN_FILE names"));
            Proof::Token(Secret::new(token.ok_or_else(missing)?.trim()))
        }
        _ => Proof::Password(Secret::new(named("AZURE_CLIENT_SECRET")?)),
    };
    if !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        return Err(no_credentials("AZURE_TENANT_ID is no tenant"));
    }
    keys.token(&format!("azure {client} {domain}"), || {
        let given = || variable(keys.world, "AZURE_AUTHORITY_HOST");
        let authority = keys.endpoints.azure_authority.clone().or_else(given);
        let authority = authority.unwrap_or_else(|| "https://login.microsoftonline.com".to_owned());
        let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        let scope = format!("https://{domain}/.default");
        let mut fields = vec![("grant_type", "client_credentials"), ("client_id", &client), ("scope", &scope)];
        match &proof {
            Proof::Password(secret) => fields.push(("client_secret", secret.reveal_text().unwrap_or_default())),
            Proof::Token(token) => fields.extend([
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", token.reveal_text().unwrap_or_default()),
            ]),
        }
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let service = "Microsoft's token server";
        let request = Request { service, method: Method::POST, url: &url, headers, body: form(&fields) };
        let answer = keys.http().json(request, |answer| {
            text(answer, &["error_description"]).or_else(|| text(answer, &["error"])).map(str::to_owned)
        })?;
        let token = text(&answer, &["access_token"]).map(Secret::new);
        token.ok_or_else(|| unanswered(format!("{service} answers without a token")))
    })
}
