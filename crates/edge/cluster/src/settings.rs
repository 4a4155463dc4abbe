//! What the user says about the cluster: [`Settings`].

use crate::kubeconfig::has_account;
use std::fmt;

/// The cluster and the user, as flags and environment have them. What is empty is not given.
#[derive(Clone, Default)]
pub struct Settings {
    /// The one kubeconfig that counts: `--kubeconfig`.
    pub kubeconfig: String,
    /// Kubeconfigs that count as one, if the above is not given: `$KUBECONFIG`, else the one in the home folder.
    pub kubeconfigs: Vec<String>,
    /// The context: `--kube-context`.
    pub context: String,
    /// The server, in place of the kubeconfig's: `--kube-apiserver`.
    pub server: String,
    /// The server where nothing else names one: `$KUBERNETES_MASTER`.
    pub default_server: String,
    /// The file of the certificates that the server is checked with: `--kube-ca-file`.
    pub ca_file: String,
    /// The name that the server's certificate has to be for: `--kube-tls-server-name`.
    pub tls_server_name: String,
    /// Whether the server's certificate is not checked.
    pub insecure_skip_tls_verify: bool,
    /// A bearer token: `--kube-token`.
    pub token: String,
    /// The user to act as: `--kube-as-user`.
    pub as_user: String,
    /// The groups to act as a member of: `--kube-as-group`.
    pub as_groups: Vec<String>,
    /// `$KUBERNETES_SERVICE_HOST` and `$KUBERNETES_SERVICE_PORT`, which are there within a cluster.
    pub service: Option<(String, String)>,
    /// The proxies that requests go through, by the scheme of the server's address; they may hold a password.
    pub proxies: Proxies,
    /// Whether a credential plugin can ask somebody: standard input is a terminal.
    pub is_interactive: bool,
    /// What requests say they come from.
    pub user_agent: String,
}

/// The proxies that the environment names.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For `http://`.
    pub http: String,
    /// For `https://`.
    pub https: String,
    /// Hosts that are asked directly, separated by commas.
    pub none_for: String,
}

impl Settings {
    /// The settings that `variable`, the environment, gives, by the names that Helm, Kubernetes and Go have for them.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).unwrap_or_default();
        let either =
            |upper: &str, lower: &str| Some(text(upper)).filter(|value| !value.is_empty()).unwrap_or(text(lower));
        let list = text("KUBECONFIG");
        let kubeconfigs = if list.is_empty() {
            vec![format!("{}/.kube/config", text(if cfg!(windows) { "USERPROFILE" } else { "HOME" }))]
        } else {
            std::env::split_paths(&list).map(|path| path.to_string_lossy().into_owned()).collect()
        };
        let groups = text("HELM_KUBEASGROUPS");
        let groups = groups.trim_matches([',', ' ']);
        let (host, port) = (text("KUBERNETES_SERVICE_HOST"), text("KUBERNETES_SERVICE_PORT"));
        Self {
            kubeconfig: String::new(),
            kubeconfigs,
            context: text("HELM_KUBECONTEXT"),
            server: text("HELM_KUBEAPISERVER"),
            default_server: text("KUBERNETES_MASTER"),
            ca_file: text("HELM_KUBECAFILE"),
            tls_server_name: text("HELM_KUBETLS_SERVER_NAME"),
            insecure_skip_tls_verify: matches!(
                text("HELM_KUBEINSECURE_SKIP_TLS_VERIFY").as_str(),
                "1" | "t" | "T" | "true" | "TRUE" | "True"
            ),
            token: text("HELM_KUBETOKEN"),
            as_user: text("HELM_KUBEASUSER"),
            as_groups: groups.split(',').filter(|_| !groups.is_empty()).map(str::to_owned).collect(),
            service: (!host.is_empty() && !port.is_empty()).then_some((host, port)),
            proxies: Proxies {
                // Under CGI this variable is the caller's to choose and therefore not believed.
                http: if text("REQUEST_METHOD").is_empty() {
                    either("HTTP_PROXY", "http_proxy")
                } else {
                    text("http_proxy")
                },
                https: either("HTTPS_PROXY", "https_proxy"),
                none_for: either("NO_PROXY", "no_proxy"),
            },
            is_interactive: false,
            user_agent: concat!("onepane/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Settings {
    /// The settings without what only Helm reads: kubeconfig files alone, as client-go takes them.
    pub fn from_kubeconfigs(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let known = |name: &str| match name {
            "KUBERNETES_MASTER" => None,
            name if name.starts_with("HELM_") => None,
            name => variable(name),
        };
        Self { service: None, ..Self::from_variables(&known) }
    }

    /// The pod's own account, as what runs within a cluster has it; `None` where there is no cluster around.
    pub fn within_cluster(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let service = Self::from_variables(variable).service.filter(|_| has_account())?;
        Some(Self { service: Some(service), kubeconfigs: Vec::new(), ..Self::from_kubeconfigs(variable) })
    }
}

impl fmt::Debug for Settings {
    /// Without what is secret: the token, and passwords of proxies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Settings");
        shown.field("kubeconfig", &self.kubeconfig).field("context", &self.context).field("server", &self.server);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_helm_and_client_go_read_it() {
        let variables = [
            ("HOME", "/h"),
            ("HELM_KUBEASGROUPS", " a,b, "),
            ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "T"),
            ("HELM_KUBETOKEN", "very secret"),
            ("https_proxy", "http://u:very secret@p"),
        ];
        let find = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings::from_variables(&find);
        assert_eq!(settings.kubeconfigs, ["/h/.kube/config"]);
        assert_eq!(settings.as_groups, ["a", "b"]);
        assert!(settings.insecure_skip_tls_verify && settings.service.is_none());
        assert_eq!(settings.proxies.https, "http://u:very secret@p");
        assert!(!format!("{settings:?}").contains("very secret"));
        let settings = Settings::from_kubeconfigs(&find);
        assert_eq!(
            (settings.kubeconfigs.as_slice(), settings.token.as_str()),
            (["/h/.kube/config".to_owned()].as_slice(), "")
        );
        assert!(settings.as_groups.is_empty() && !settings.insecure_skip_tls_verify);
        assert!(Settings::within_cluster(&find).is_none());
        let find = |name: &str| (name == "KUBECONFIG").then(|| "/a:/b".to_owned());
        assert_eq!(Settings::from_variables(&find).kubeconfigs, ["/a", "/b"]);
    }
}
