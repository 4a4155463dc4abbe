//! Which cluster is meant, and who asks: kubeconfig files and [`Settings`] put together by client-go's rules.

use crate::failure::{aggregate, go_words};
use crate::kubeconfig_file::read_all;
use crate::settings::Settings;
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::path::Path;
use url::Url;

/// Where the API server is if nobody says.
const NOBODY_SAYS: &str = "http://localhost:8080";

/// What a pod finds about its own account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The cluster, and the user as whom it is asked.
pub(crate) struct Target {
    pub(crate) address: Url,
    pub(crate) cluster: Cluster,
    pub(crate) user: AuthInfo,
}

/// Finds the cluster that `settings` mean. Errors are client-go's.
pub(crate) fn target(settings: &Settings) -> Result<Target, String> {
    let files = read_all(settings)?;
    let current = files.iter().find_map(|file| filled(&file.current_context)).unwrap_or_default();
    let name = filled(&Some(settings.context.clone())).unwrap_or(current);
    let context = find(&files, |file| {
        let context = file.contexts.iter().find(|context| context.name == name)?;
        Some(context.context.clone().unwrap_or_default())
    });
    if context.is_none() && !settings.context.is_empty() {
        return Err(format!("context {name:?} does not exist"));
    }
    let mut problems = Vec::new();
    if context.is_none() && !name.is_empty() {
        problems.push(format!("context was not found for specified context: {name}"));
    }
    let (cluster_name, user_name) =
        context.map(|context| (context.cluster, context.user.unwrap_or_default())).unwrap_or_default();
    let user = find(&files, |file| {
        let named = file.auth_infos.iter().find(|named| named.name == user_name)?;
        Some(named.auth_info.clone().unwrap_or_default())
    });
    let user = with_settings_user(user.unwrap_or_default(), settings);
    check_user(&user_name, &user, &mut problems);
    let cluster = find(&files, |file| {
        let named = file.clusters.iter().find(|named| named.name == cluster_name)?;
        Some(named.cluster.clone().unwrap_or_default())
    });
    let named_server = filled(&Some(settings.default_server.clone())).unwrap_or_else(|| NOBODY_SAYS.to_owned());
    let cluster = with_settings_cluster(cluster.unwrap_or_default(), settings, &named_server);
    check_cluster(&cluster_name, &cluster, &mut problems);
    if !problems.is_empty() {
        return Err(format!("invalid configuration: {}", aggregate(&problems)));
    }
    if cluster.server.as_ref() == Some(&named_server) && filled(&user.impersonate).is_none() {
        let is_plain = address(&named_server).is_ok_and(|address| address.scheme() != "https");
        if let Some(target) = within_cluster(settings).filter(|_| is_plain) {
            return target;
        }
    }
    if cluster.insecure_skip_tls_verify == Some(true)
        && (filled(&cluster.certificate_authority).is_some() || filled(&cluster.certificate_authority_data).is_some())
    {
        return Err("specifying a root certificates file with the insecure flag is not allowed".to_owned());
    }
    let address = address(cluster.server.as_deref().unwrap_or_default())?;
    if address.scheme() == "https" {
        return Ok(Target { address, cluster, user });
    }
    // Without encryption nobody is told who asks, but for whom it is asked.
    let AuthInfo { impersonate, impersonate_uid, impersonate_groups, impersonate_user_extra, .. } = user;
    let user =
        AuthInfo { impersonate, impersonate_uid, impersonate_groups, impersonate_user_extra, ..AuthInfo::default() };
    Ok(Target { address, cluster, user })
}

fn find<T>(files: &[Kubeconfig], pick: impl Fn(&Kubeconfig) -> Option<T>) -> Option<T> {
    files.iter().find_map(pick)
}

pub(crate) fn filled(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

fn with_settings_user(mut user: AuthInfo, settings: &Settings) -> AuthInfo {
    if !settings.token.is_empty() {
        user.token = Some(settings.token.clone().into());
        user.token_file = None;
        // A token goes before what a plugin would have to be asked for.
        user.exec = None;
    }
    if !settings.as_user.is_empty() {
        user.impersonate = Some(settings.as_user.clone());
    }
    if !settings.as_groups.is_empty() {
        user.impersonate_groups = Some(settings.as_groups.clone());
    }
    user
}

fn with_settings_cluster(mut cluster: Cluster, settings: &Settings, default_server: &str) -> Cluster {
    if filled(&cluster.server).is_none() {
        cluster.server = Some(default_server.to_owned());
    }
    if !settings.server.is_empty() {
        cluster.server = Some(settings.server.clone());
    }
    // How the server is checked is changed as a whole.
    if settings.insecure_skip_tls_verify || !settings.ca_file.is_empty() {
        cluster.insecure_skip_tls_verify = Some(settings.insecure_skip_tls_verify);
        cluster.certificate_authority = filled(&Some(settings.ca_file.clone()));
        cluster.certificate_authority_data = None;
    }
    // The name in a kubeconfig is for the server there.
    if !settings.tls_server_name.is_empty() || !settings.server.is_empty() {
        cluster.tls_server_name = filled(&Some(settings.tls_server_name.clone()));
    }
    cluster
}

fn check_user(name: &str, user: &AuthInfo, problems: &mut Vec<String>) {
    let mut methods = Vec::new();
    let is_given = |secret: &Option<SecretString>| secret.as_ref().is_some_and(|it| !it.expose_secret().is_empty());
    if is_given(&user.token) {
        methods.push("token");
    }
    if filled(&user.username).is_some() || is_given(&user.password) {
        methods.push("basicAuth");
    }
    let (certificate, key) = (filled(&user.client_certificate), filled(&user.client_key));
    let certificate_data = filled(&user.client_certificate_data);
    if certificate.is_some() || certificate_data.is_some() {
        if certificate.is_some() && certificate_data.is_some() {
            problems.push(format!(
                "client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
            ));
        }
        if key.is_some() && user.client_key_data.is_some() {
            problems.push(format!(
                "client-key-data and client-key are both specified for {name}; client-key-data will override"
            ));
        }
        if key.is_none() && user.client_key_data.is_none() {
            problems.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
            ));
        }
        for (what, path) in [("client-cert", &certificate), ("client-key", &key)] {
            problems.extend(path.as_ref().and_then(|path| unreadable(what, path, name)));
        }
    }
    if let Some(plugin) = &user.exec {
        if user.auth_provider.is_some() {
            problems.push(format!("authProvider cannot be provided in combination with an exec plugin for {name}"));
        }
        let mode = "to use exec authentication plugin";
        if filled(&plugin.command).is_none() {
            problems.push(format!("command must be specified for {name} {mode}"));
        }
        if filled(&plugin.api_version).is_none() {
            problems.push(format!("apiVersion must be specified for {name} {mode}"));
        }
        let has_no_name = |env: &HashMap<String, String>| filled(&env.get("name").cloned()).is_none();
        if plugin.env.iter().flatten().any(has_no_name) {
            problems.push(format!("env variable name must be specified for {name} {mode}"));
        }
        // Before v1, none was needed.
        let version = plugin.api_version.as_deref().and_then(|version| version.strip_prefix("client.authentication."));
        let is_old = matches!(version, Some("k8s.io/v1beta1" | "k8s.io/v1alpha1"));
        if plugin.interactive_mode.is_none() && !is_old {
            problems.push(format!("interactiveMode must be specified for {name} {mode}"));
        }
    }
    if methods.len() > 1 {
        let methods = methods.join(" ");
        problems.push(format!(
            "more than one authentication method found for {name}; found [{methods}], only one is allowed"
        ));
    }
    let has_more = filled(&user.impersonate_uid).is_some()
        || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || user.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if has_more && filled(&user.impersonate).is_none() {
        problems.push(format!("requesting uid, groups or user-extra for {name} without impersonating a user"));
    }
}

fn check_cluster(name: &str, cluster: &Cluster, problems: &mut Vec<String>) {
    if let Some(proxy) = filled(&cluster.proxy_url)
        && let Err(problem) = check_proxy(&proxy)
    {
        problems.push(format!("invalid 'proxy-url' {:?} for cluster {name:?}: {problem}", without_password(&proxy)));
    }
    let authority = filled(&cluster.certificate_authority);
    if authority.is_some() && filled(&cluster.certificate_authority_data).is_some() {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    problems.extend(authority.and_then(|path| unreadable("certificate-authority", &path, name)));
}

/// Whether requests can go through a proxy of this address. Errors are client-go's, but for SOCKS.
fn check_proxy(proxy: &str) -> Result<(), String> {
    let url = Url::parse(proxy).map_err(|_| format!("could not parse: {}", without_password(proxy)))?;
    match url.scheme() {
        "http" | "https" => Ok(()),
        "socks5" => Err("SOCKS is not supported, use a proxy of http or https".to_owned()),
        other => Err(format!("unsupported scheme {other:?}, must be http, https, or socks5")),
    }
}

/// An address as it may be shown, in the way of Go's `net/url`.
pub(crate) fn without_password(address: &str) -> String {
    let (start, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    // A password may hold what would end the host.
    match rest.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{start}{user}:***@{host}"),
        None => address.to_owned(),
    }
}

fn unreadable(what: &str, path: &str, name: &str) -> Option<String> {
    let error = std::fs::File::open(path).err()?;
    Some(format!("unable to read {what} {path} for {name} due to open {path}: {}", go_words(&error)))
}

/// Whether this process is a pod's, which finds the token of its account.
pub(crate) fn has_account() -> bool {
    std::fs::metadata(format!("{SERVICE_ACCOUNT}/token")).is_ok_and(|token| !token.is_dir())
}

/// The cluster that this process is a pod of, with the account that it has there.
fn within_cluster(settings: &Settings) -> Option<Result<Target, String>> {
    let (host, port) = settings.service.as_ref()?;
    if !has_account() {
        return None;
    }
    let token_file = format!("{SERVICE_ACCOUNT}/token");
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let server = filled(&Some(settings.server.clone())).unwrap_or_else(|| format!("https://{host}:{port}"));
    let authority = filled(&Some(settings.ca_file.clone())).or_else(|| {
        let own = format!("{SERVICE_ACCOUNT}/ca.crt");
        Path::new(&own).exists().then_some(own)
    });
    let cluster = Cluster { server: Some(server.clone()), certificate_authority: authority, ..Cluster::default() };
    let own = AuthInfo { token_file: Some(token_file), ..AuthInfo::default() };
    Some(address(&server).map(|address| Target { address, cluster, user: with_settings_user(own, settings) }))
}

/// A server's address, which may lack its scheme.
fn address(server: &str) -> Result<Url, String> {
    if let Ok(url) = Url::parse(server)
        && url.has_host()
    {
        return Ok(url);
    }
    let refuse = || format!("host must be a URL or a host:port pair: {:?}", without_password(server));
    let url = Url::parse(&format!("http://{server}")).map_err(|_| refuse())?;
    if url.path() == "/" { Ok(url) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_addresses_are_not_shown() {
        for (address, wanted) in [
            ("https://u:p@h:1/x", "https://u:***@h:1/x"),
            ("https://u:p/w?@d@h", "https://u:***@h"),
            ("u:p@h", "u:***@h"),
            ("https://u@h", "https://u@h"),
            ("h:1", "h:1"),
        ] {
            assert_eq!(without_password(address), wanted);
        }
        assert!(check_proxy("socks5://h:1").is_err() && check_proxy("ftp://h").is_err());
        assert_eq!(check_proxy("http://u:p@h:1"), Ok(()));
    }

    fn good(settings: &Settings) -> Target {
        target(settings).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_settings_go_before_the_file() {
        let folder = std::env::temp_dir().join(format!("onepane-kubeconfig-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("config");
        let file = "current-context: a\ncontexts:\n- {name: a, context: {cluster: a, user: a}}\n- {name: b, context: \
                    {cluster: b, user: a}}\nclusters:\n- {name: a, cluster: {server: 'https://a', tls-server-name: a, \
                    certificate-authority-data: eA==}}\nusers:\n- {name: a, user: {token: t, as: u}}\n";
        std::fs::write(&path, file).expect("it is written");
        let path = path.to_string_lossy().into_owned();
        let settings = Settings { kubeconfig: path.clone(), ..Settings::default() };
        let found = good(&settings);
        assert_eq!(found.address.as_str(), "https://a/");
        assert_eq!(found.cluster.tls_server_name.as_deref(), Some("a"));

        let other = Settings { server: "https://c:1".to_owned(), insecure_skip_tls_verify: true, ..settings.clone() };
        let found = good(&other);
        assert_eq!(found.address.as_str(), "https://c:1/");
        assert_eq!((found.cluster.tls_server_name, found.cluster.certificate_authority_data), (None, None));

        let bare = Settings { server: "c:1".to_owned(), ..settings.clone() };
        let found = good(&bare);
        assert_eq!(found.address.as_str(), "http://c:1/");
        assert!(found.user.token.is_none() && found.user.impersonate.as_deref() == Some("u"));

        let missing = Settings { context: "c".to_owned(), ..settings.clone() };
        assert_eq!(target(&missing).err().as_deref(), Some("context \"c\" does not exist"));
        // A context whose cluster is not there means the default server, as in client-go.
        let dangling = Settings { context: "b".to_owned(), ..settings };
        assert_eq!(
            target(&dangling).ok().map(|found| found.address.to_string()).as_deref(),
            Some("http://localhost:8080/")
        );
        std::fs::remove_dir_all(&folder).expect("it is removed");
    }
}
