//! Who asks: what a kubeconfig says of its user, made the one thing that requests carry: a token, a password or a
//! certificate. Nothing here is ever shown.

use crate::exec_plugin;
use crate::failure::go_words;
use crate::kubeconfig::{Target, filled};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::config::{AuthInfo, AuthProviderConfig};
use secrecy::{ExposeSecret, SecretString};

/// What asking for credentials takes.
pub(crate) struct Asking<'a> {
    /// The proxy that the server is reached through, which a plugin may want too.
    pub(crate) proxy: Option<&'a str>,
    /// Whether there is somebody whom a plugin can ask.
    pub(crate) is_interactive: bool,
    /// The first request that is made, as errors name it.
    pub(crate) request: &'a str,
}

/// The user with nothing left to be found out: files are read, plugins have run. Errors are client-go's.
pub(crate) fn resolve(target: &Target, asking: &Asking<'_>) -> Result<AuthInfo, String> {
    let in_request = |problem: String| format!("Get {:?}: {problem}", asking.request);
    let mut user = target.user.clone();
    user.token = user.token.filter(|token| !token.expose_secret().is_empty());
    if let (None, Some(path)) = (&user.token, filled(&user.token_file)) {
        let token = std::fs::read_to_string(&path).map_err(|error| format!("open {path}: {}", go_words(&error)))?;
        user.token = Some(SecretString::from(token.trim()));
    }
    user.token_file = None;
    if let Some(provider) = user.auth_provider.take() {
        user.token = Some(from_provider(&provider)?);
    }
    // A user name alone is one with an empty password, a password alone nothing.
    match filled(&user.username) {
        Some(_) => user.password = user.password.or_else(|| Some(SecretString::from(""))),
        None => (user.username, user.password) = (None, None),
    }
    let authority = authority(target)?;
    if authority.as_ref().is_some_and(|pem| !has_pem(pem, "CERTIFICATE")) {
        return Err("unable to load root certificates: unable to parse bytes as PEM block".to_owned());
    }
    check_certificate(&user)?;
    if let Some(plugin) = user.exec.take() {
        exec_plugin::check(&plugin)?;
        // A token or a password goes before what a plugin would have to be asked for.
        if user.token.is_none() && user.username.is_none() {
            let found = exec_plugin::run(&plugin, target, authority.as_deref(), asking)
                .map_err(|problem| in_request(format!("getting credentials: {problem}")))?;
            user.token = found.token;
            if let Some((certificate, key)) = found.certificate {
                user.client_certificate = None;
                user.client_certificate_data = Some(STANDARD.encode(certificate));
                user.client_key = None;
                user.client_key_data = Some(SecretString::from(STANDARD.encode(key.expose_secret())));
            }
        }
    }
    match unsendable(&user) {
        Some(header) => Err(in_request(format!("net/http: invalid header field value for {header:?}"))),
        None => Ok(user),
    }
}

/// The token that an old provider of tokens left in the kubeconfig. It is not renewed.
fn from_provider(provider: &AuthProviderConfig) -> Result<SecretString, String> {
    let removed = |instead: &str, see: &str| {
        format!(
            "The {} auth plugin has been removed.\nPlease use the {instead} kubectl/client-go credential plugin \
             instead.\nSee {see} for further details",
            provider.name
        )
    };
    match provider.name.as_str() {
        "oidc" => match (provider.config.get("idp-issuer-url"), provider.config.get("id-token")) {
            (None, _) => Err("Must provide idp-issuer-url".to_owned()),
            (_, Some(token)) if !token.is_empty() => Ok(SecretString::from(token.as_str())),
            _ => Err("the user's auth-provider \"oidc\" has no id-token; renewing one is not supported: use a \
                      credential plugin (exec), such as kubelogin"
                .to_owned()),
        },
        "gcp" => Err(removed(
            "\"gke-gcloud-auth-plugin\"",
            "https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke",
        )),
        "azure" => Err(removed("https://github.com/Azure/kubelogin", exec_plugin::MANUAL)),
        other => Err(format!("no Auth Provider found for name {other:?}")),
    }
}

/// The certificates that the server is checked with, where the kubeconfig has some.
fn authority(target: &Target) -> Result<Option<Vec<u8>>, String> {
    let cluster = &target.cluster;
    if let Some(data) = filled(&cluster.certificate_authority_data) {
        return Ok(Some(decoded(&data)));
    }
    let read = |path: String| std::fs::read(&path).map_err(|error| format!("open {path}: {}", go_words(&error)));
    filled(&cluster.certificate_authority).map(read).transpose()
}

fn check_certificate(user: &AuthInfo) -> Result<(), String> {
    let read = |data: Option<String>, path: &Option<String>| match (data, filled(path)) {
        (Some(data), _) => Some(decoded(&data)),
        (None, Some(path)) => std::fs::read(path).ok(),
        (None, None) => None,
    };
    let key_data = user.client_key_data.as_ref().map(|data| data.expose_secret().to_owned());
    let certificate = read(filled(&user.client_certificate_data), &user.client_certificate);
    let key = read(filled(&key_data), &user.client_key);
    match certificate {
        Some(certificate) => exec_plugin::check_pair(&certificate, key.as_deref().unwrap_or_default()),
        None => Ok(()),
    }
}

/// base64 that was found good when the file was read; line ends are allowed in it.
fn decoded(data: &str) -> Vec<u8> {
    let data: String = data.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD.decode(data).unwrap_or_default()
}

pub(crate) fn has_pem(pem: &[u8], what: &str) -> bool {
    String::from_utf8_lossy(pem).lines().any(|line| line.starts_with("-----BEGIN ") && line.contains(what))
}

/// The first header that can't be sent, by its name.
fn unsendable(user: &AuthInfo) -> Option<String> {
    let is_bad = |value: &str| HeaderValue::from_str(value).is_err();
    if user.token.as_ref().is_some_and(|token| is_bad(token.expose_secret())) {
        return Some("Authorization".to_owned());
    }
    if user.impersonate.as_deref().is_some_and(is_bad) {
        return Some("Impersonate-User".to_owned());
    }
    if user.impersonate_uid.as_deref().is_some_and(is_bad) {
        return Some("Impersonate-Uid".to_owned());
    }
    if user.impersonate_groups.iter().flatten().any(|group| is_bad(group)) {
        return Some("Impersonate-Group".to_owned());
    }
    let mut extra: Vec<_> = user.impersonate_user_extra.iter().flatten().collect();
    extra.sort();
    let (name, _) = extra.into_iter().find(|(_, values)| values.iter().any(|value| is_bad(value)))?;
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    Some(format!("Impersonate-Extra-{}", first.into_iter().chain(letters).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::config::Cluster;
    use url::Url;

    #[test]
    fn credentials_become_one_thing() {
        let resolved = |user: AuthInfo| {
            let address = Url::parse("https://k").expect("an address");
            let target = Target { address, cluster: Cluster::default(), user };
            resolve(&target, &Asking { proxy: None, is_interactive: false, request: "https://k/version" })
        };
        let token = |text: &str| Some(SecretString::from(text));
        let path = std::env::temp_dir().join(format!("onepane-token-{}", std::process::id()));
        std::fs::write(&path, "from a file\n").expect("it is written");
        let path = path.to_string_lossy().into_owned();
        let of_file = AuthInfo { token_file: Some(path.clone()), ..AuthInfo::default() };
        let user = resolved(AuthInfo { token: token(""), ..of_file.clone() }).expect("it is good");
        let shown = |user: &AuthInfo| user.token.as_ref().map(|token| token.expose_secret().to_owned());
        assert_eq!((shown(&user).as_deref(), user.token_file), (Some("from a file"), None));
        let user = resolved(AuthInfo { token: token("own"), ..of_file }).expect("it is good");
        assert_eq!(shown(&user).as_deref(), Some("own"));
        std::fs::remove_file(path).expect("it is removed");

        let error = |user: AuthInfo| resolved(user).err().unwrap_or_default();
        let wanted = "Get \"https://k/version\": net/http: invalid header field value for \"Authorization\"";
        assert_eq!(error(AuthInfo { token: token("very\nsecret"), ..AuthInfo::default() }), wanted);
        let provider = |name: &str| Some(AuthProviderConfig { name: name.to_owned(), ..AuthProviderConfig::default() });
        assert!(error(AuthInfo { auth_provider: provider("gcp"), ..AuthInfo::default() }).contains("removed"));
        let wanted = "no Auth Provider found for name \"x\"";
        assert_eq!(error(AuthInfo { auth_provider: provider("x"), ..AuthInfo::default() }), wanted);
    }
}
