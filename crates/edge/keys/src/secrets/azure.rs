//! Secrets of Azure Key Vault. `ref+azurekeyvault://VAULT/NAME[/VERSION]`; the vault is a name or a host.

use super::Wanted;
use crate::azure::{SERVICE, VERSION, domain, explain, token};
use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered, unusable};
use crate::settings::variable;
use onepane_diagnostics::Result;
use onepane_http::{Request, text};
use onepane_sops::Secret;
use reqwest::Method;
use zeroize::Zeroizing;

pub(super) fn get(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Secret> {
    let path = wanted.path.strip_suffix('/').unwrap_or(wanted.path);
    let parts: Vec<&str> = path.split('/').collect();
    let (vault, name, version) = match parts[..] {
        [vault, name] => (vault, name, None),
        [vault, name, version] => (vault, name, Some(version)),
        _ => return Err(unusable(format!("`{path}` is no secret like VAULT/NAME or VAULT/NAME/VERSION"))),
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if vault.is_empty() || !word(name) || version.is_some_and(|version| !word(version)) {
        return Err(unusable(format!("`{path}` is no name of a secret")));
    }
    let host =
        if vault.contains('.') { format!("https://{vault}") } else { format!("https://{vault}.vault.azure.net") };
    let domain = domain(&host)?;
    match variable(keys.world, "AZKV_AUTH").as_deref() {
        None | Some("default" | "workload") => {}
        Some(other) => {
            return Err(no_credentials(format!("AZKV_AUTH says `{other}`, which is not supported"))
                .hint("set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, and AZKV_AUTH to `default`"));
        }
    }
    let token = token(keys, domain)?;
    let base = keys.endpoints.azure_vault.as_deref().unwrap_or(&host).trim_end_matches('/');
    let version = version.map_or_else(String::new, |version| format!("/{version}"));
    let url = format!("{base}/secrets/{name}{version}?{VERSION}");
    let headers = vec![("authorization", format!("Bearer {}", token.reveal_text().unwrap_or_default()))];
    let body = Zeroizing::new(Vec::new());
    let request = Request { service: SERVICE, method: Method::GET, url: &url, headers, body };
    let answer = keys.http().json(request, explain)?;
    text(&answer, &["value"]).map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers without a value")))
}
