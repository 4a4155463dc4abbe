//! Google Secret Manager: `access` of a version.
//! `ref+gcpsecrets://[PROJECT/]NAME[?version=…&optional=true&fallback_value=…&trim_nl=true]`; the project may also be
//! `GCP_PROJECT`.

use super::{Wanted, address, json};
use crate::cloud::CloudKeys;
use crate::failure::{unanswered, unusable};
use crate::gcp_token;
use crate::settings::variable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{Request, text};
use onepane_sops::Secret;
use reqwest::Method;
use serde_json::Value;
use zeroize::Zeroizing;

const SERVICE: &str = "Google Secret Manager";

pub(super) fn get(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Secret> {
    let project = || variable(keys.world, "GCP_PROJECT").unwrap_or_default();
    let (project, name) = match wanted.path.split_once('/') {
        Some((project, name)) => (project.to_owned(), name),
        None => (project(), wanted.path),
    };
    let version = wanted.setting(keys, "version").unwrap_or_else(|| "latest".to_owned());
    let word = |text: &str| {
        !matches!(text, "" | "." | "..")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    if ![project.as_str(), name, &version].into_iter().all(word) {
        return Err(unusable(format!("`{}` is no secret like PROJECT/NAME", wanted.path))
            .hint("a name alone is one of the project that GCP_PROJECT names"));
    }
    let base = keys.endpoints.gcp_secrets.as_deref().unwrap_or("https://secretmanager.googleapis.com");
    let access = format!("{version}:access");
    let url = address(SERVICE, base, ["v1", "projects", &project, "secrets", name, "versions", &access])?;
    let token = gcp_token::for_secrets(keys)?;
    let headers = vec![("authorization", format!("Bearer {}", token.reveal_text().unwrap_or_default()))];
    let body = Zeroizing::new(Vec::new());
    let request = Request { service: SERVICE, method: Method::GET, url: url.as_str(), headers, body };
    let answer = keys.http().answer(request)?;
    if !answer.status.is_success() {
        if wanted.setting(keys, "optional").is_some_and(|text| is_true(&text)) {
            return Ok(Secret::default());
        }
        // Here an empty one counts, too.
        if let Some(fallback) = (wanted.parameter)("fallback_value") {
            return Ok(Secret::new(fallback));
        }
    }
    let explain = |answer: &Value| text(answer, &["error", "message"]).map(str::to_owned);
    let answer = json(SERVICE, &answer.accepted(SERVICE, explain)?)?;
    let data = text(&answer, &["payload", "data"]).and_then(|data| STANDARD.decode(data).ok());
    let mut data = Zeroizing::new(data.ok_or_else(|| unanswered(format!("{SERVICE} answers without a secret")))?);
    if wanted.setting(keys, "trim_nl").is_some_and(|text| is_true(&text)) && data.last() == Some(&b'\n') {
        data.pop();
    }
    Ok(data.into())
}

/// As Go's `ParseBool` has it.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}
