//! Where a repository is at a forge, by the address that it is pushed to: [`Address`].

use crate::Kind;
use onepane_diagnostics::{Diagnostic, Result};
use url::Url;

/// A repository at a forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(crate) kind: Kind,
    /// What the interface begins with, as `https://api.github.com`.
    api: String,
    /// `acme/shop`, on GitLab with as many parts as there are.
    pub(crate) path: String,
    /// The forge itself, for who looks for credentials: `https://github.com`.
    pub origin: String,
}

impl Address {
    /// Of the repository that is pushed to `remote`, in one of the forms that Git knows. Which kind of forge it is shows in the
    /// name of its host, or `kind` says it.
    ///
    /// # Errors
    /// `forge-address` for what is on no forge, or on one that does not show its kind.
    pub fn of(remote: &str, kind: Option<Kind>) -> Result<Self> {
        let fail = |why: &str| Diagnostic::error("forge-address", why);
        let no_forge = || {
            fail("the repository is pushed to no forge")
                .hint("an address with a host is needed, as `https://github.com/acme/shop`")
        };
        // What Git takes from ssh: `git@host:acme/shop.git`.
        let short = remote.split_once(':').filter(|(host, rest)| !host.contains('/') && !rest.starts_with("//"));
        let written = match short {
            Some((host, path)) => format!("ssh://{host}/{}", path.trim_start_matches('/')),
            None => remote.to_owned(),
        };
        let url = Url::parse(&written).map_err(|_| no_forge())?;
        let host = url.host_str().ok_or_else(no_forge)?.to_ascii_lowercase();
        let origin = match url.scheme() {
            "http" | "https" => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{host}{port}", url.scheme())
            }
            // The port is that of ssh.
            "ssh" | "git+ssh" => format!("https://{host}"),
            _ => return Err(no_forge()),
        };
        let kind = kind.or_else(|| kind_of(&host)).ok_or_else(|| {
            fail(&format!("it does not show which kind of forge `{host}` is"))
                .hint("`--forge` says it: github, gitlab or gitea")
        })?;
        let path = url.path().trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).to_owned();
        let parts = path.split('/').filter(|part| !part.is_empty()).count();
        if parts < 2 || kind != Kind::GitLab && parts != 2 {
            return Err(fail(&format!("`{path}` at `{host}` is no repository of {}", kind.name())));
        }
        let api = match kind {
            Kind::GitHub if host == "github.com" => "https://api.github.com".to_owned(),
            Kind::GitHub => format!("{origin}/api/v3"),
            Kind::GitLab => format!("{origin}/api/v4"),
            Kind::Gitea => format!("{origin}/api/v1"),
        };
        Ok(Self { kind, api, path, origin })
    }

    /// Which kind of forge it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The variables of the environment in which users have a token for it, the first that is set. What is for github.com is for
    /// no other host, as GitHub's own program has it.
    pub fn token_variables(&self) -> &'static [&'static str] {
        let is_githubs = || self.origin == "https://github.com" || self.origin.ends_with(".ghe.com");
        match self.kind {
            Kind::GitHub if is_githubs() => &["GH_TOKEN", "GITHUB_TOKEN"],
            Kind::GitHub => &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
            Kind::GitLab => &["GITLAB_TOKEN"],
            Kind::Gitea => &["GITEA_TOKEN", "FORGEJO_TOKEN"],
        }
    }

    /// The page that shows the commits from one to another.
    pub fn compare(&self, from: &str, to: &str) -> String {
        let below = if self.kind == Kind::GitLab { "-/compare" } else { "compare" };
        let part = |name: &str| encoded(name).replace("%2F", "/");
        let path = self.path.replace('(', "%28").replace(')', "%29");
        format!("{}/{path}/{below}/{}...{}", self.origin, part(from), part(to))
    }

    /// What of the repository is at `path`.
    pub(crate) fn below(&self, path: &str) -> String {
        match self.kind {
            Kind::GitLab => format!("{}/projects/{}/{path}", self.api, encoded(&self.path)),
            Kind::GitHub | Kind::Gitea => format!("{}/repos/{}/{path}", self.api, self.path),
        }
    }

    pub(crate) fn query(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(query);
        format!("{}?{}", self.below(path), text.finish())
    }

    /// Users of a name.
    pub(crate) fn users(&self, name: &str) -> String {
        format!("{}/users?username={}", self.api, encoded(name))
    }
}

fn kind_of(host: &str) -> Option<Kind> {
    let has = |word: &str| host.split('.').any(|part| part.contains(word));
    Some(match () {
        () if has("github") => Kind::GitHub,
        () if has("gitlab") => Kind::GitLab,
        () if has("gitea") || has("forgejo") || has("codeberg") => Kind::Gitea,
        () => return None,
    })
}

/// A text as one part of a path.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_git_knows() {
        for (remote, url) in [
            ("https://github.com/acme/shop.git", "https://api.github.com/repos/acme/shop/pulls"),
            ("git@github.com:acme/shop.git", "https://api.github.com/repos/acme/shop/pulls"),
            ("https://u:p@github.acme.com/acme/shop", "https://github.acme.com/api/v3/repos/acme/shop/pulls"),
            ("ssh://git@gitlab.com:2222/a/b/c.git", "https://gitlab.com/api/v4/projects/a%2Fb%2Fc/pulls"),
            ("http://gitea.local:3000/a/b", "http://gitea.local:3000/api/v1/repos/a/b/pulls"),
        ] {
            assert_eq!(Address::of(remote, None).expect(remote).below("pulls"), url);
        }
        for remote in ["/srv/git/shop", "file:///srv/git/shop", "../shop", "https://github.com/shop", "C:/shop"] {
            Address::of(remote, None).expect_err(remote);
        }
        for (remote, url) in [
            ("git@github.com:acme/shop.git", "https://github.com/acme/shop/compare/v1...b%28/2"),
            ("ssh://git@gitlab.com:2222/a/b/c.git", "https://gitlab.com/a/b/c/-/compare/v1...b%28/2"),
            ("http://gitea.local:3000/a/b", "http://gitea.local:3000/a/b/compare/v1...b%28/2"),
        ] {
            assert_eq!(Address::of(remote, None).expect(remote).compare("v1", "b(/2"), url);
        }
        let variable = |remote| Address::of(remote, None).expect(remote).token_variables()[0];
        assert_eq!(variable("git@github.com:acme/shop.git"), "GH_TOKEN");
        assert_eq!(variable("https://github.com.evil.com/acme/shop"), "GH_ENTERPRISE_TOKEN");
        let error = Address::of("https://git.acme.com/a/b", None).expect_err("nothing shows what it is");
        assert!(error.to_string().contains("git.acme.com"), "{error}");
        Address::of("https://git.acme.com/a/b", Some(Kind::Gitea)).expect("it is said");
    }
}
