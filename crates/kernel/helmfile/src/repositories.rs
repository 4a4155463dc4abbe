//! The chart repositories that a state names, and charts of them: [`Repository`], [`OciChart`].

use crate::fields::{items, place, text};
use crate::release::{Release, is_local_chart};
use crate::state::State;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};

/// An entry of `repositories`. What is not said is empty or false.
#[derive(Clone, Debug)]
pub struct Repository {
    /// What charts of it begin with: `NAME/chart`.
    pub name: String,
    /// Its address; that of a registry is without a scheme.
    pub url: String,
    /// The user there.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// The certificates that the server is checked with.
    pub ca_file: String,
    /// The certificate to show to the server.
    pub cert_file: String,
    /// The key of that certificate.
    pub key_file: String,
    /// The file in which passwords of registries stand.
    pub registry_config: String,
    /// Who gives the credentials, other than the state.
    pub managed: String,
    /// The public keys for `verify`.
    pub keyring: String,
    /// Whether it is a registry.
    pub is_oci: bool,
    /// Whether signatures of charts are checked.
    pub verify: bool,
    /// Whether other hosts get the password, too.
    pub pass_credentials: bool,
    /// Whether the server's certificate is taken unchecked.
    pub skip_tls_verify: bool,
    /// Whether HTTP is talked to a registry, without encryption.
    pub plain_http: bool,
    /// Where the state lists it.
    pub span: Span,
}

/// A chart in a registry, as a release wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciChart {
    /// Registry and path, without a scheme, a version and a digest.
    pub name: String,
    /// The version or constraint; empty for the newest.
    pub version: String,
    /// The digest, where one is wanted; the version does not count then.
    pub digest: String,
}

impl State {
    /// The entries of `repositories`.
    ///
    /// # Errors
    /// `helmfile-field` for what is no list.
    pub fn repositories(&self) -> Result<Vec<Repository>> {
        let file = FileId::new(&self.path);
        let items = items(&self.fields, "repositories", file)?;
        let entries = items.iter().filter_map(|item| Some((item.as_map()?, place(item, file))));
        Ok(entries
            .map(|(map, span)| {
                let text = |key| text(map, key).unwrap_or_default();
                let is_on = |key| map.get(key).is_some_and(|value| value.truth());
                Repository {
                    name: text("name"),
                    url: text("url"),
                    username: text("username"),
                    password: text("password"),
                    ca_file: text("caFile"),
                    cert_file: text("certFile"),
                    key_file: text("keyFile"),
                    registry_config: text("registryConfig"),
                    managed: text("managed"),
                    keyring: text("keyring"),
                    is_oci: is_on("oci"),
                    verify: is_on("verify"),
                    pass_credentials: is_on("passCredentials"),
                    skip_tls_verify: is_on("skipTLSVerify"),
                    plain_http: is_on("plainHttp"),
                    span,
                }
            })
            .collect())
    }

    /// The repository that a chart's name begins with, and the rest of the name.
    ///
    /// # Errors
    /// Those of [`State::repositories`].
    pub fn repository_of<'c>(&self, chart: &'c str) -> Result<Option<(Repository, &'c str)>> {
        let Some((name, rest)) = chart.split_once('/') else { return Ok(None) };
        let repository = self.repositories()?.into_iter().find(|repository| repository.name == name);
        Ok(repository.map(|repository| (repository, rest)))
    }

    /// The same for releases that a lock file is about: their charts are no paths and no addresses.
    pub(crate) fn lockable<'r>(&self, release: &'r Release) -> Result<Option<(Repository, &'r str)>> {
        let chart = &release.own_chart;
        if is_local_chart(chart) || chart.contains("://") { Ok(None) } else { self.repository_of(chart) }
    }

    /// The chart of a release, where it is one of a registry.
    ///
    /// # Errors
    /// `helmfile-field` for the version `latest`, and those of [`State::repositories`].
    pub fn oci_chart(&self, release: &Release) -> Result<Option<OciChart>> {
        let chart = &release.chart_name;
        let (address, version) = match chart.strip_prefix("oci://") {
            Some(address) => (address.to_owned(), &release.version),
            None => match self.repository_of(chart)? {
                Some((repository, name)) if repository.is_oci => {
                    (format!("{}/{name}", repository.url), &release.version)
                }
                _ => return Ok(None),
            },
        };
        let (version, digest) = version.split_once('@').unwrap_or((version, ""));
        if version == "latest" {
            let message =
                "the version for OCI charts should be semver compliant, the latest tag is not supported".to_owned();
            return Err(Diagnostic::error("helmfile-field", message).at(release.span));
        }
        let named = OciChart::parse(&address);
        let or = |first: &str, second: &str| if first.is_empty() { second.to_owned() } else { first.to_owned() };
        Ok(Some(OciChart { version: or(version, &named.version), digest: or(&named.digest, digest), name: named.name }))
    }
}

impl OciChart {
    /// `REGISTRY/PATH[:VERSION][@DIGEST]`
    fn parse(address: &str) -> Self {
        let (address, digest) = address.split_once('@').unwrap_or((address, ""));
        // A colon before the last slash is that of a port.
        let tag = address.rfind(':').filter(|colon| address.rfind('/').is_none_or(|slash| slash < *colon));
        let (name, version) = tag.map_or((address, ""), |colon| (&address[..colon], &address[colon + 1..]));
        Self { name: name.to_owned(), version: version.to_owned(), digest: digest.to_owned() }
    }

    /// What `helm pull` is to be given, besides the version.
    pub fn reference(&self) -> String {
        let at = if self.digest.is_empty() { "" } else { "@" };
        format!("oci://{}{at}{}", self.name, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::OciChart;

    #[test]
    fn addresses_of_charts_have_versions_and_digests() {
        for (address, name, version, digest) in [
            ("registry/chart", "registry/chart", "", ""),
            ("registry:5000/chart", "registry:5000/chart", "", ""),
            ("registry:5000/a/chart:1.2.3", "registry:5000/a/chart", "1.2.3", ""),
            ("registry/chart@sha256:ab", "registry/chart", "", "sha256:ab"),
            ("registry/chart:1.0.0@sha256:ab", "registry/chart", "1.0.0", "sha256:ab"),
        ] {
            let parsed = OciChart::parse(address);
            assert_eq!((&*parsed.name, &*parsed.version, &*parsed.digest), (name, version, digest), "{address}");
        }
        assert_eq!(OciChart::parse("r/c:1@sha256:ab").reference(), "oci://r/c@sha256:ab");
        assert_eq!(OciChart::parse("r/c:1").reference(), "oci://r/c");
    }
}
