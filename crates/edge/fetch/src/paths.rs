//! Where Helm keeps things: [`Paths`], and with the proxies and Docker's folder the [`Settings`] of a run.
//!
//! Nothing here reads the environment; whoever does hands over the variables.

use camino::{Utf8Path, Utf8PathBuf};
use std::fmt;

/// The folders that Helm's files lie in by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Homes {
    /// `$HELM_CACHE_HOME`
    pub cache: Utf8PathBuf,
    /// `$HELM_CONFIG_HOME`
    pub config: Utf8PathBuf,
    /// `$HELM_DATA_HOME`
    pub data: Utf8PathBuf,
}

impl Homes {
    /// The folders that `variable`, the environment, gives: Helm's own variable, then the XDG folders, then the
    /// platform's defaults below the home folder, as in Helm's `helmpath`.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = home(variable);
        let base = |helm: &str, xdg: &str, default: &str| {
            if let Some(folder) = set(variable, helm) {
                return Utf8PathBuf::from(folder);
            }
            set(variable, xdg).map_or_else(|| home.join(default), Utf8PathBuf::from).join("helm")
        };
        let (cache, config, data) = if cfg!(target_os = "macos") {
            ("Library/Caches", "Library/Preferences", "Library")
        } else {
            (".cache", ".config", ".local/share")
        };
        Self {
            cache: base("HELM_CACHE_HOME", "XDG_CACHE_HOME", cache),
            config: base("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", config),
            data: base("HELM_DATA_HOME", "XDG_DATA_HOME", data),
        }
    }
}

/// Helm's files and folders, as `helm env` shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `repositories.yaml`: `$HELM_REPOSITORY_CONFIG`.
    pub repository_config: Utf8PathBuf,
    /// The folder of `<name>-index.yaml` and `<name>-charts.txt`: `$HELM_REPOSITORY_CACHE`.
    pub repository_cache: Utf8PathBuf,
    /// The credentials of registries: `$HELM_REGISTRY_CONFIG`.
    pub registry_config: Utf8PathBuf,
    /// Archives by digest: `$HELM_CONTENT_CACHE`.
    pub content_cache: Utf8PathBuf,
}

impl Paths {
    /// The paths that `variable`, the environment, gives.
    ///
    /// Each path's own variable goes first, even if it is empty; then the place in one of the [`Homes`].
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let Homes { cache, config, .. } = Homes::from_variables(variable);
        let own = |name: &str, default: Utf8PathBuf| variable(name).map_or(default, Utf8PathBuf::from);
        Self {
            repository_config: own("HELM_REPOSITORY_CONFIG", config.join("repositories.yaml")),
            repository_cache: own("HELM_REPOSITORY_CACHE", cache.join("repository")),
            registry_config: own("HELM_REGISTRY_CONFIG", config.join("registry/config.json")),
            content_cache: own("HELM_CONTENT_CACHE", cache.join("content")),
        }
    }

    /// The cached index of the repository `name`.
    pub fn index_file(&self, name: &str) -> Utf8PathBuf {
        self.repository_cache.join(format!("{name}-index.yaml"))
    }

    /// The names of the charts in the repository `name`, one a line, which completion reads.
    pub fn charts_file(&self, name: &str) -> Utf8PathBuf {
        self.repository_cache.join(format!("{name}-charts.txt"))
    }
}

/// Everything from outside that fetching depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Helm's files and folders.
    pub paths: Paths,
    /// Through what requests go.
    pub proxies: Proxies,
    /// Docker's `config.json`, asked for credentials that Helm's own does not have: `$DOCKER_CONFIG/config.json`.
    pub docker_config: Utf8PathBuf,
    /// What requests say they come from.
    pub user_agent: String,
}

impl Settings {
    /// The settings that `variable`, the environment, gives.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let docker = set(variable, "DOCKER_CONFIG").map_or_else(|| home(variable).join(".docker"), Utf8PathBuf::from);
        Self {
            paths: Paths::from_variables(variable),
            proxies: Proxies::from_variables(variable),
            docker_config: docker.join("config.json"),
            user_agent: concat!("onepane/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The proxies that the environment names. An address may hold a password, so none is ever printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://`: `HTTP_PROXY` or `http_proxy`.
    pub http: Option<String>,
    /// For `https://`: `HTTPS_PROXY` or `https_proxy`.
    pub https: Option<String>,
    /// Hosts that are asked directly: `NO_PROXY` or `no_proxy`.
    pub none_for: Option<String>,
}

impl Proxies {
    /// The proxies that `variable` gives, upper case first as in Go. Under CGI `HTTP_PROXY` is the caller's to choose
    /// and therefore not believed.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str, lower: &str| set(variable, upper).or_else(|| set(variable, lower));
        let cgi = set(variable, "REQUEST_METHOD").is_some();
        Self {
            http: if cgi { set(variable, "http_proxy") } else { either("HTTP_PROXY", "http_proxy") },
            https: either("HTTPS_PROXY", "https_proxy"),
            none_for: either("NO_PROXY", "no_proxy"),
        }
    }

    /// The hosts to ask directly: what the user says, and the machine itself, which Go never asks through a proxy.
    pub(crate) fn direct_hosts(&self) -> String {
        let own = "localhost,127.0.0.0/8,::1";
        self.none_for.as_ref().map_or_else(|| own.to_owned(), |hosts| format!("{hosts},{own}"))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<String>| if proxy.is_some() { "set" } else { "not set" };
        write!(f, "Proxies {{ http: {}, https: {} }}", shown(&self.http), shown(&self.https))
    }
}

/// A variable that is there and not empty.
fn set(variable: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.is_empty())
}

fn home(variable: &dyn Fn(&str) -> Option<String>) -> Utf8PathBuf {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    set(variable, name).map_or_else(|| Utf8Path::new("/").to_owned(), Utf8PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Paths {
        let find = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Paths::from_variables(&find)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_nearest_variable_wins() {
        let home = ("HOME", "/h");
        assert_eq!(paths(&[home]).registry_config, "/h/.config/helm/registry/config.json");
        assert_eq!(paths(&[home, ("XDG_CONFIG_HOME", "/x")]).repository_config, "/x/helm/repositories.yaml");
        let both = [home, ("XDG_CACHE_HOME", "/x"), ("HELM_CACHE_HOME", "/c")];
        assert_eq!(paths(&both).content_cache, "/c/content");
        assert_eq!(paths(&both).index_file("r"), "/c/repository/r-index.yaml");
        assert_eq!(paths(&[home, ("HELM_CACHE_HOME", "")]).repository_cache, "/h/.cache/helm/repository");
        // Helm looks whether the last variables are there, not whether they say something.
        assert_eq!(paths(&[home, ("HELM_REPOSITORY_CONFIG", "")]).repository_config, "");
    }

    #[test]
    fn a_proxy_is_not_printed() {
        let proxies = Proxies { http: Some("http://u:secret@p".to_owned()), ..Proxies::default() };
        assert_eq!(format!("{proxies:?}"), "Proxies { http: set, https: not set }");
    }
}
