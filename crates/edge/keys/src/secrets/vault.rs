//! The key-value engines of HashiCorp Vault, versions 1 and 2. `ref+vault://PATH/KEY`, or `ref+vault://PATH#/KEY`.
//!
//! Parameters, which for most of them may be variables as well: `address`, or `host` and `proto`; `namespace`; `version`;
//! `decode=base64`; and `auth_method`: `token` (`token_env`, `token_file`), `approle` (`role_id`, `secret_id`),
//! `kubernetes` (`role_id`), `userpass` (`username`, `password_env`, `password_file`).

use super::{Kept, Wanted, address, json};
use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered, unusable};
use crate::settings::{home, read_text, variable};
use crate::vault::{SERVICE, check_address, explain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_http::{Request, body, text};
use onepane_sops::Secret;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json as object};
use url::Url;
use zeroize::Zeroizing;

/// Where a pod has the token of its account.
const ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

pub(super) fn get(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Kept> {
    let server = Server::find(keys, wanted)?;
    if wanted.document {
        return server.read(wanted.path).map(Kept::Fields);
    }
    let (path, key) = wanted.path.rsplit_once('/').ok_or_else(|| {
        unusable(format!("`{}` names no secret with a key behind it, like secret/db/password", wanted.path))
    })?;
    let fields = server.read(path)?;
    let value = match fields.get(key) {
        Some(Value::String(value)) => Zeroizing::new(value.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Zeroizing::new(value.to_string()),
        Some(_) => return Err(unusable(format!("`{key}` of the secret `{path}` is no text"))),
        None => return Err(unusable(format!("the secret `{path}` has no `{key}`"))),
    };
    let bytes = match wanted.setting(keys, "decode").as_deref() {
        None | Some("raw") => value.as_bytes().to_vec(),
        Some("base64") => {
            let decoded = STANDARD.decode(value.as_bytes());
            decoded.map_err(|_| unusable(format!("`{key}` of the secret `{path}` is no base64")))?
        }
        Some(_) => return Err(unusable("`decode` is to be `raw` or `base64`")),
    };
    Ok(Kept::Text(Secret::new(bytes)))
}

/// A server, and as whom it is asked.
struct Server<'a> {
    keys: &'a CloudKeys<'a>,
    wanted: &'a Wanted<'a>,
    address: String,
    namespace: Option<String>,
}

impl<'a> Server<'a> {
    fn find(keys: &'a CloudKeys<'_>, wanted: &'a Wanted<'_>) -> Result<Self> {
        let named = || {
            let host = wanted.setting(keys, "host")?;
            Some(format!("{}://{host}", wanted.setting(keys, "proto").unwrap_or_else(|| "https".to_owned())))
        };
        let address = wanted.setting(keys, "address").or_else(named).or_else(|| variable(keys.world, "VAULT_ADDR"));
        let address = address.unwrap_or_else(|| "https://127.0.0.1:8200".to_owned());
        let namespace = wanted.setting(keys, "namespace").or_else(|| variable(keys.world, "VAULT_NAMESPACE"));
        Ok(Self { keys, wanted, address, namespace })
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.wanted.setting(self.keys, name)
    }

    /// A parameter, else one of two variables.
    fn setting_or(&self, name: &str, other: &str) -> Option<String> {
        self.setting(name).or_else(|| variable(self.keys.world, other))
    }

    /// The fields of a secret.
    fn read(&self, path: &str) -> Result<Map<String, Value>> {
        let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let path = parts(path).join("/");
        if path.is_empty() {
            return Err(unusable("it names no secret of Vault"));
        }
        let token = self.token()?;
        let (mount, is_second) = self.mount(&path, &token)?;
        let mut url = if is_second {
            let mount = parts(&mount);
            let behind = parts(&path);
            // The mount's own path has nothing behind it.
            let behind = behind.get(mount.len()..).filter(|_| behind.starts_with(&mount)).unwrap_or(&behind).to_vec();
            let all = [mount, vec!["data".to_owned()], behind].concat();
            self.url(all.iter().map(String::as_str))?
        } else {
            self.url(path.split('/'))?
        };
        if let Some(version) = self.setting("version") {
            url.query_pairs_mut().append_pair("version", &version);
        }
        let answer = self.keys.http().answer(self.request(Method::GET, &url, Some(&token), Vec::new()))?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(unanswered(format!("{SERVICE} has no secret `{path}`")));
        }
        let mut answer = json(SERVICE, &answer.accepted(SERVICE, explain)?)?;
        let data = if is_second { answer.pointer_mut("/data/data") } else { answer.get_mut("data") };
        match data.map(Value::take) {
            Some(Value::Object(mut fields)) => {
                fields.values_mut().for_each(numbers_as_texts);
                Ok(fields)
            }
            _ => Err(unanswered(format!("{SERVICE} answers without the fields of `{path}`"))),
        }
    }

    /// The mount that a path is in, and whether it is of the second version. Old servers don't tell, and have the first.
    fn mount(&self, path: &str, token: &Secret) -> Result<(String, bool)> {
        let url = self.url(["sys", "internal", "ui", "mounts"].into_iter().chain(path.split('/')))?;
        let answer = self.keys.http().answer(self.request(Method::GET, &url, Some(token), Vec::new()))?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok((String::new(), false));
        }
        let answer = json(SERVICE, &answer.accepted(SERVICE, explain)?)?;
        let mount = text(&answer, &["data", "path"]).unwrap_or_default().to_owned();
        Ok((mount, text(&answer, &["data", "options", "version"]) == Some("2")))
    }

    /// The token, given or got by logging in. It goes where the environment says, see `check_address`, unless the
    /// reference itself says for which server and by what it is.
    fn token(&self) -> Result<Secret> {
        let world = self.keys.world;
        let method = self.setting_or("auth_method", "VAULT_AUTH_METHOD").unwrap_or_default();
        let own = |name: &str| (self.wanted.parameter)(name).filter(|value| !value.is_empty());
        let is_own = match method.as_str() {
            "approle" => own("secret_id").is_some(),
            "userpass" => own("password_env").or_else(|| own("password_file")).is_some(),
            "kubernetes" => false,
            _ => own("token_env").is_some_and(|name| name != "VAULT_TOKEN") || own("token_file").is_some(),
        };
        if !is_own {
            check_address(self.keys, &self.address, "the reference")?;
        }
        let absent = |what: &str| no_credentials(format!("Vault is to be asked with {what}, which is not there"));
        let file = |path: &str, what: &str| {
            let text = read_text(world, path.into())?.filter(|text| !text.is_empty());
            text.ok_or_else(|| absent(&format!("{what} of `{path}`")))
        };
        let mount = |name: &str, usual: &str| variable(world, name).unwrap_or_else(|| usual.to_owned());
        match method.as_str() {
            "approle" => {
                let role = self.setting_or("role_id", "VAULT_ROLE_ID").unwrap_or_default();
                let secret = self.setting_or("secret_id", "VAULT_SECRET_ID").unwrap_or_default();
                let request = object!({"role_id": role, "secret_id": secret});
                self.log_in(&mount("VAULT_LOGIN_MOUNT_POINT", "approle"), None, &format!("{role} {secret}"), &request)
            }
            "kubernetes" => {
                let path = variable(world, "VAULT_KUBERNETES_JWT_TOKEN_PATH");
                let path = path.unwrap_or_else(|| ACCOUNT_TOKEN.to_owned());
                let role = self.setting_or("role_id", "VAULT_ROLE_ID").unwrap_or_default();
                let request = object!({"jwt": file(&path, "the token of an account")?, "role": role});
                self.log_in(&mount("VAULT_KUBERNETES_MOUNT_POINT", "kubernetes"), None, &role, &request)
            }
            "userpass" => {
                let user = self.setting_or("username", "VAULT_USERNAME").unwrap_or_default();
                let password = match self.setting_or("password_env", "VAULT_PASSWORD_ENV") {
                    Some(name) => variable(world, &name).ok_or_else(|| absent(&format!("the password of ${name}")))?,
                    None => match self.setting_or("password_file", "VAULT_PASSWORD_FILE") {
                        Some(path) => file(&path, "the password")?,
                        None => return Err(absent("a password")),
                    },
                };
                let request = object!({"password": password});
                let mount = mount("VAULT_LOGIN_MOUNT_POINT", "userpass");
                self.log_in(&mount, Some(&user), &format!("{user} {password}"), &request)
            }
            // Whatever else the variable says is the same as nothing.
            other if other.is_empty() || other == "token" || self.setting("auth_method").is_none() => {
                if let Some(path) = self.setting("token_file") {
                    return file(&path, "the token").map(|token| Secret::new(token.trim()));
                }
                if let Some(name) = self.setting("token_env") {
                    return variable(world, &name)
                        .map(Secret::new)
                        .ok_or_else(|| absent(&format!("the token of ${name}")));
                }
                if let Some(token) = variable(world, "VAULT_TOKEN") {
                    return Ok(Secret::new(token));
                }
                let usual = || home(world).join(".vault-token").into_string();
                let path = variable(world, "VAULT_TOKEN_FILE").unwrap_or_else(usual);
                file(&path, "VAULT_TOKEN or the token")
                    .map(|token| Secret::new(token.trim()))
                    .map_err(|error| error.hint("log in by `vault login`"))
            }
            _ => Err(unusable("`auth_method` is to be `token`, `approle`, `kubernetes` or `userpass`")),
        }
    }

    /// Logs in, once with the same words.
    fn log_in(&self, mount: &str, user: Option<&str>, who: &str, request: &Value) -> Result<Secret> {
        let url = self.url(["auth"].into_iter().chain(mount.split('/')).chain(["login"]).chain(user))?;
        let namespace = self.namespace.as_deref().unwrap_or_default();
        self.keys.token(&format!("vault {url} {namespace} {who}"), || {
            let request = self.request(Method::PUT, &url, None, body(request).to_vec());
            let answer = json(SERVICE, &self.keys.http().send(request, explain)?)?;
            let token = text(&answer, &["auth", "client_token"]).filter(|token| !token.is_empty());
            token.map(Secret::new).ok_or_else(|| unanswered(format!("{SERVICE} answers a login without a token")))
        })
    }

    fn url<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Result<Url> {
        address(SERVICE, &self.address, ["v1"].into_iter().chain(parts).filter(|part| !part.is_empty()))
    }

    fn request<'r>(&self, method: Method, url: &'r Url, token: Option<&Secret>, body: Vec<u8>) -> Request<'r> {
        let mut headers = vec![("x-vault-request", "true".to_owned())];
        headers.extend(token.map(|token| ("x-vault-token", token.reveal_text().unwrap_or_default().to_owned())));
        headers.extend(self.namespace.clone().map(|namespace| ("x-vault-namespace", namespace)));
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Request { service: SERVICE, method, url: url.as_str(), headers, body: Zeroizing::new(body) }
    }
}

/// Vault's own client hands numbers on as texts, and so values have them.
fn numbers_as_texts(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(numbers_as_texts),
        Value::Object(fields) => fields.values_mut().for_each(numbers_as_texts),
        _ => {}
    }
}
