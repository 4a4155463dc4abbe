//! What a kustomization names by URL: [`RepositoryUrl`] and [`Remotes`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::{World, normalize};
use std::sync::Arc;
use std::time::Duration;

/// How long fetching a repository may take, where the URL says nothing.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(27);

/// A folder of a Git repository, as Kustomize's URLs name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryUrl {
    /// The URL as it was written.
    pub written: String,
    /// What `git clone` would be given.
    pub clone_url: String,
    /// How much of that is the scheme, user and host.
    host_length: usize,
    /// The folder of the kustomization within; empty for the top.
    pub folder: Utf8PathBuf,
    /// The branch, tag or commit; without one, the server's default branch.
    pub reference: Option<String>,
    /// Whether the submodules belong to it.
    pub submodules: bool,
    /// How long fetching may take.
    pub timeout: Duration,
}

impl RepositoryUrl {
    /// Reads a URL; `None` for what does not name a repository.
    pub fn parse(written: &str) -> Option<Self> {
        if Utf8Path::new(written).is_absolute() {
            return None;
        }
        let (address, query) = written.split_once('?').unwrap_or((written, ""));
        let (host, path) = split_host(address)?;
        let (repository, folder) = split_path(path, host.starts_with(FILE))?;
        let folder = normalize(folder.strip_prefix('/').unwrap_or(folder).into());
        if repository.is_empty() || folder.starts_with("..") {
            return None;
        }
        let mut url = Self {
            written: written.to_owned(),
            host_length: host.len(),
            clone_url: host + repository,
            folder,
            reference: None,
            submodules: true,
            timeout: DEFAULT_TIMEOUT,
        };
        url.read_query(query);
        Some(url)
    }

    /// A value that can't be read has no effect, and nothing has one in a query that can't be decoded.
    fn read_query(&mut self, query: &str) {
        if !is_decodable(query) {
            return;
        }
        let (mut version, mut reference) = (None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match &*key {
                "version" => drop(version.get_or_insert(value.into_owned())),
                "ref" => drop(reference.get_or_insert(value.into_owned())),
                "submodules" => match &*value {
                    "1" | "t" | "T" | "true" | "TRUE" | "True" => self.submodules = true,
                    "0" | "f" | "F" | "false" | "FALSE" | "False" => self.submodules = false,
                    _ => {}
                },
                "timeout" => self.timeout = duration(&value).unwrap_or(self.timeout),
                _ => {}
            }
        }
        self.reference = reference.or(version);
    }

    /// The scheme, user and host, and the path of the repository there.
    pub(crate) fn host_and_path(&self) -> (&str, &str) {
        self.clone_url.split_at(self.host_length)
    }

    /// Whether the URL can only mean a repository: it says where the repository ends and the folder begins.
    pub(crate) fn is_explicit(&self) -> bool {
        let path = self.written.split('?').next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, path)| path);
        !self.names_a_manifest() && ["//", ".git", "_git/"].iter().any(|mark| path.contains(mark))
    }

    /// Whether it starts with what once forced the protocol of Git's own, and does nothing.
    pub(crate) fn has_git_prefix(&self) -> bool {
        strip_prefix(&self.written, GIT_PREFIX).is_some()
    }

    /// Whether it would be a file's, were it no repository's.
    pub(crate) fn names_a_manifest(&self) -> bool {
        matches!(self.folder.extension(), Some("yaml" | "yml" | "json"))
    }
}

/// Whether Go reads the query: what follows `%` are two digits, and nothing is parted by `;`.
fn is_decodable(query: &str) -> bool {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    !query.contains(';') && query.split('%').skip(1).all(is_escape)
}

/// Seconds, or a duration with units.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    let read = || text.parse::<jiff::SignedDuration>().ok().and_then(|duration| duration.try_into().ok());
    seconds.or_else(read).filter(|duration| !duration.is_zero())
}

const FILE: &str = "file://";
const GIT_PREFIX: &str = "git::";

/// The scheme, user and host, and the path behind them.
fn split_host(address: &str) -> Option<(String, &str)> {
    // A prefix of the library that Kustomize once read its URLs with.
    let address = strip_prefix(address, GIT_PREFIX).unwrap_or(address);
    let schemes = ["ssh://", "https://", "http://", FILE];
    let (scheme, rest) = schemes
        .iter()
        .find_map(|scheme| strip_prefix(address, scheme).map(|rest| (*scheme, rest)))
        .unwrap_or(("", address));
    if scheme == FILE {
        return Some((FILE.to_owned(), rest));
    }
    let (user, rest) = rest.split_at(user_length(rest));
    let github = ["github.com/", "github.com:"].iter().any(|host| strip_prefix(rest, host).is_some());
    // `user@host:path`, which is how ssh is spelled without a scheme.
    let short = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !short {
        return None;
    }
    let slash = rest.find('/');
    let colon = rest.find(':').filter(|colon| short && slash.is_none_or(|slash| *colon > 0 && *colon < slash));
    let (host, path) = colon.or(slash).map_or((rest, ""), |at| rest.split_at(at + 1));
    match (github, scheme == "ssh://" || !user.is_empty()) {
        _ if host.is_empty() => None,
        (true, true) => Some((format!("{user}github.com:"), path)),
        (true, false) => Some(("https://github.com/".to_owned(), path)),
        (false, _) => Some((format!("{scheme}{user}{host}"), path)),
    }
}

/// `text` behind a lower-case prefix, in whatever case it is written.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// How long `user@` is.
fn user_length(text: &str) -> usize {
    let user = text.split_once('@').map_or("", |(user, _)| user);
    let starts = user.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if starts && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') { user.len() + 1 } else { 0 }
}

/// The repository and the folder within it.
fn split_path(path: &str, is_file: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        // The repository is the folder behind.
        let start = at + "_git/".len();
        let end = path[start..].find('/').map_or(path.len(), |end| start + end);
        return Some((&path[..end], path[end..].strip_prefix('/').unwrap_or_default()));
    }
    if let Some((repository, folder)) = path.split_once("//") {
        return Some((repository, folder));
    }
    if let Some(at) = path.find(".git") {
        return Some(path.split_at(at + ".git".len()));
    }
    if is_file {
        return Some((path, ""));
    }
    // GitHub's way: an organisation and a repository.
    let (organisation, rest) = path.split_once('/')?;
    let end = rest.find('/').map_or(path.len(), |end| organisation.len() + 1 + end);
    Some((&path[..end], path[end..].strip_prefix('/').unwrap_or_default()))
}

/// Fetches what kustomizations name by URL.
pub trait Remotes: Sync {
    /// The files of a repository at the revision that `url` names.
    ///
    /// # Errors
    /// Where nothing can be had; the message names the server, not the kustomization.
    fn repository(&self, url: &RepositoryUrl) -> Result<RemoteTree>;

    /// What an HTTP server has at `url`.
    ///
    /// # Errors
    /// As above, and for any answer but a good one.
    fn file(&self, url: &str) -> Result<RemoteFile>;
}

/// What an HTTP server has at an address.
#[derive(Clone)]
pub struct RemoteFile {
    /// The contents.
    pub bytes: Arc<[u8]>,
    /// What the user should know, such as that the server could not be asked.
    pub warning: Option<Diagnostic>,
}

/// The files of a repository at one commit.
#[derive(Clone)]
pub struct RemoteTree {
    /// The files. Relative paths start at the top of the repository.
    pub world: Arc<dyn World>,
    /// The top of the repository in that world: an absolute path that no other repository and commit has.
    pub root: Utf8PathBuf,
    /// The commit.
    pub commit: String,
    /// What the user should know, such as that the server could not be asked.
    pub warnings: Vec<Diagnostic>,
}

/// Whether Kustomize asks an HTTP server for a file of this name.
pub(crate) fn is_http(path: &str) -> bool {
    strip_prefix(path, "http://").or_else(|| strip_prefix(path, "https://")).is_some()
}

/// A URL to be shown: `https://user:password@host` is `https://user@host`.
pub fn without_password(url: &str) -> String {
    let shown = || {
        let (scheme, rest) = url.split_once("://")?;
        let (user, rest) = rest.split_once('@')?;
        let (user, _) = user.split_once(':').filter(|_| !user.contains('/'))?;
        Some(format!("{scheme}://{user}@{rest}"))
    };
    shown().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(String, String, Option<String>)> {
        RepositoryUrl::parse(url).map(|url| (url.clone_url, url.folder.into_string(), url.reference))
    }

    #[test]
    fn urls_are_split_where_kustomize_splits_them() {
        let cases = [
            ("https://github.com/org/repo", "https://github.com/org/repo", "", None),
            ("github.com/org/repo/a/b?ref=v1", "https://github.com/org/repo", "a/b", Some("v1")),
            ("GitHub.com/org/repo//a?version=v2", "https://github.com/org/repo", "a", Some("v2")),
            ("git@github.com:org/repo.git/a", "git@github.com:org/repo.git", "a", None),
            ("ssh://git@github.com/org/repo", "git@github.com:org/repo", "", None),
            ("ssh://git@host:2222/org/repo.git/a?ref=x&version=y", "ssh://git@host:2222/org/repo.git", "a", Some("x")),
            ("git::https://host/org/repo/a", "https://host/org/repo", "a", None),
            ("HTTP://127.0.0.1:80/x/y.git//z/", "http://127.0.0.1:80/x/y.git", "z", None),
            ("https://me@dev.azure.com/o/p/_git/r/a/b", "https://me@dev.azure.com/o/p/_git/r", "a/b", None),
            ("file:///srv/repo.git/a", "file:///srv/repo.git", "a", None),
            ("file:///srv/repo//a/./b", "file:///srv/repo", "a/b", None),
            ("file:///srv/repo", "file:///srv/repo", "", None),
            ("me@host:org/repo/a", "me@host:org/repo", "a", None),
        ];
        for (url, clone_url, folder, reference) in cases {
            let wanted = Some((clone_url.to_owned(), folder.to_owned(), reference.map(str::to_owned)));
            assert_eq!(parts(url), wanted, "{url}");
        }
    }

    #[test]
    fn paths_are_no_urls() {
        for path in ["../base", "base", "/srv/repo.git", "host.com/org/repo", "https://host", "https://host/org", "a:b"]
        {
            assert_eq!(parts(path), None, "{path}");
        }
        assert_eq!(parts("https://host/org/repo//a/../../b"), None, "it leaves the repository");
    }

    #[test]
    fn queries_set_what_is_fetched() {
        let url = |query: &str| RepositoryUrl::parse(&format!("file:///repo.git?{query}")).expect("a repository");
        assert_eq!(url("timeout=61").timeout, Duration::from_secs(61));
        assert_eq!(url("timeout=1m1s").timeout, Duration::from_secs(61));
        assert_eq!(url("timeout=0").timeout, DEFAULT_TIMEOUT);
        assert!(!url("ref=a%2Fb&submodules=false").submodules);
        assert_eq!(url("ref=a%2Fb&submodules=?").reference.as_deref(), Some("a/b"));
        for query in ["ref=a&timeout=%zz", "ref=a;b", "ref=a%2"] {
            assert_eq!(url(query).reference, None, "{query}");
        }
    }
}
