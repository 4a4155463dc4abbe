//! Charts in registries: pulled, pushed, their versions listed, and the login.

use crate::archive;
use crate::credentials;
use crate::failure::{damaged, prefixed, refused, unreachable};
use crate::ordered::{self, Ordered};
use crate::reference::{Reference, is_oci, sha256_of};
use crate::secret::{Credentials, shown};
use crate::session::{CONNECT_TIMEOUT, DEFAULT_TIMEOUT, Session, failed, pem, provide_tls};
use crate::{Fetcher, Said, Tls, write};
use camino::{Utf8Path, Utf8PathBuf};
use oci_client::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use onepane_chart::Metadata;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_semver::{Constraint, Version};
use onepane_value::{Value, from_json};
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const LEGACY_CHART: &str = "application/tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// A provenance file is a signed text of some lines.
pub(crate) const LARGEST_PROVENANCE: u64 = 4 << 20;

/// How many pages of tags are read, of [`TAGS_A_PAGE`] each.
const MOST_TAG_PAGES: usize = 200;
const TAGS_A_PAGE: usize = 1000;

/// A page of fewer tags is the last one: no registry has smaller ones, though some have smaller ones than was asked for.
const SMALLEST_PAGE: usize = 50;

/// For how long a registry may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How a registry is reached.
#[derive(Clone, Debug, Default)]
pub struct RegistryAccess {
    /// What to log in with; where it is incomplete, what `registry login` stored.
    pub credentials: Credentials,
    /// How its server is known. Certificates of clients are not supported.
    pub tls: Tls,
    /// The authorities that are believed instead of the system's, PEM, besides those of a file.
    pub authorities: String,
    /// Whether to speak HTTP without TLS.
    pub plain_http: bool,
}

/// A chart that was pulled.
pub(crate) struct Pulled {
    pub(crate) chart: Vec<u8>,
    pub(crate) provenance: Option<Vec<u8>>,
}

/// What [`Fetcher::push`] put where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The reference without its scheme, as Helm prints it behind `Pushed: `.
    pub reference: String,
    /// The manifest's digest, `sha256:…`.
    pub digest: String,
}

impl Fetcher {
    /// Uploads the archive at `archive` to the folder `remote`, `oci://host/path`, under the chart's name and version;
    /// a `.prov` file beside it goes along. Says `Pushed:` and `Digest:` as Helm does.
    ///
    /// Errors: `fetch-refused` for what is no archive or no registry, `fetch-unreachable` for a registry that says no.
    pub fn push(
        &self,
        archive: &Utf8Path,
        remote: &str,
        access: &RegistryAccess,
        say: &mut dyn FnMut(Said),
    ) -> Result<Pushed> {
        if !is_oci(remote) {
            return Err(match remote.split_once("://") {
                Some((scheme, _)) => refused(format!("scheme {scheme:?} not supported")),
                // What Go takes for a scheme that is none.
                None if remote.split('/').next().is_some_and(|first| first.contains(':')) => {
                    refused(format!("invalid chart URL format: {}", shown(remote))).hint("begin it with `oci://`")
                }
                None => refused("scheme prefix missing from remote (e.g. \"oci://\")"),
            });
        }
        let metadata = std::fs::metadata(archive).map_err(|_| refused(format!("{archive}: no such file")))?;
        if metadata.is_dir() {
            return Err(refused("cannot push directory, must provide chart archive (.tgz)")
                .hint("pack it first: `helm package`"));
        }
        let bytes = write::read(archive, archive::LARGEST_ARCHIVE)?.unwrap_or_default();
        let chart = archive::load(archive, &bytes)?;
        let provenance = write::read(&Utf8PathBuf::from(format!("{archive}.prov")), LARGEST_PROVENANCE)?;
        let folder = remote.trim_end_matches('/');
        let reference = Reference::parse(&format!("{folder}/{}:{}", chart.metadata.name, chart.metadata.version))?;
        let created =
            metadata.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok()).unwrap_or_default();
        let created = crate::clock::seconds(created);
        let registry = Registry::new(&self.session, access);
        let digest = registry.push(&reference, &chart.metadata, &created, bytes, provenance)?;
        announce("Pushed", &reference, &digest, say);
        Ok(Pushed { reference: reference.to_string(), digest })
    }

    /// The versions of the chart at `reference`, `oci://host/path/chart`, the highest first; tags that are no versions
    /// are left out.
    pub fn tags(&self, reference: &str, access: &RegistryAccess) -> Result<Vec<String>> {
        Registry::new(&self.session, access).versions(&Reference::parse(reference)?)
    }

    /// Asks the registry at `host` whether it takes the credentials, and stores them if so.
    ///
    /// Error: `fetch-unreachable` beginning with `authenticating to "host"`.
    pub fn login(&self, host: &str, access: &RegistryAccess) -> Result<()> {
        let Reference { registry, .. } = Reference::parse(&format!("{host}/x"))
            .map_err(|_| refused(format!("invalid reference: invalid registry {host:?}")))?;
        Registry::new(&self.session, access)
            .ping(&registry)
            .map_err(|error| prefixed(&format!("authenticating to {host:?}: "), error))?;
        credentials::store(&self.session.settings.paths.registry_config, host, &access.credentials)
    }

    /// Forgets the credentials for `host`, of which there need not be any.
    pub fn logout(&self, host: &str) -> Result<()> {
        credentials::remove(&self.session.settings.paths.registry_config, host)
    }
}

/// The lines that Helm prints about what it moved.
fn announce(verb: &str, reference: &Reference, digest: &str, say: &mut dyn FnMut(Said)) {
    say(Said::Line(format!("{verb}: {reference}")));
    say(Said::Line(format!("Digest: {digest}")));
    if reference.to_string().contains('_') {
        say(Said::Line(format!("{reference} contains an underscore.")));
        // Helm's own words, which scripts may look for.
        for line in [
            "",
            "OCI artifact references (e.g. tags) do not support the plus sign (+). To support",
            "storing semantic versions, Helm adopts the convention of changing plus (+) to",
            "an underscore (_) in chart version tags when pushing to a registry and back to",
            "a plus (+) when pulling from a registry.",
        ] {
            say(Said::Line(line.to_owned()));
        }
    }
}

pub(crate) struct Registry<'a> {
    session: &'a Session,
    access: &'a RegistryAccess,
    client: std::cell::OnceCell<Client>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(session: &'a Session, access: &'a RegistryAccess) -> Self {
        Self { session, access, client: std::cell::OnceCell::new() }
    }

    /// The reference that `reference` and `version` mean together: by digest, by tag, or by the highest version that
    /// satisfies a constraint, which the registry is asked for. With it comes the version for the file's name.
    pub(crate) fn resolve(&self, reference: &str, version: &str) -> Result<(Reference, String)> {
        let mut parsed = Reference::parse(reference)?;
        let tag = parsed.tag.clone();
        let version = if version.is_empty() { tag.as_str() } else { version };
        if !tag.is_empty() && tag != version.replace('+', "_") {
            return Err(refused(format!("chart reference and version mismatch: {version} is not {tag}")));
        }
        if !parsed.digest.is_empty() {
            if !version.is_empty() {
                // The tag need not be there. If it is, it must be of the same chart.
                let tagged = parsed.with_version(version)?;
                if let Ok((_, digest)) = self.manifest(&tagged)
                    && digest != parsed.digest
                {
                    return Err(refused(format!("chart reference digest mismatch: {digest} is not {}", parsed.digest)));
                }
            }
            parsed.tag = String::new();
            return Ok((parsed, version.to_owned()));
        }
        let version = if Version::parse(version).is_ok() {
            version.replace('_', "+")
        } else {
            let versions = self.versions(&parsed)?;
            if versions.is_empty() {
                return Err(refused(format!("unable to locate any tags in provided repository: {reference}")));
            }
            best_of(&versions, version)?
        };
        Ok((parsed.with_version(&version)?, version))
    }

    /// Downloads the chart, and its provenance if that is wanted and there.
    pub(crate) fn pull(&self, reference: &Reference, provenance: bool, say: &mut dyn FnMut(Said)) -> Result<Pulled> {
        let source = |error| prefixed("failed to perform \"FetchReference\" on source: ", error);
        let (bytes, digest) = self.manifest(reference).map_err(source)?;
        let manifest = Manifest::read(&bytes).map_err(|problem| damaged(format!("{reference}: {problem}")))?;
        let of = |kind: &str| manifest.layers.iter().find(|layer| layer.media_type == kind);
        let chart = of(CHART).or_else(|| of(LEGACY_CHART));
        let found = 1 + usize::from(manifest.config == CONFIG) + usize::from(chart.is_some());
        if found < 2 {
            return Err(damaged(format!(
                "manifest does not contain minimum number of descriptors (2), descriptors found: {found}"
            ))
            .hint(format!("{reference} is not a chart")));
        }
        if manifest.config != CONFIG {
            return Err(damaged(format!("could not load config with mediatype {CONFIG}")));
        }
        let Some(chart) = chart else {
            return Err(damaged(format!("manifest does not contain a layer with mediatype {CHART}")));
        };
        if chart.media_type == LEGACY_CHART {
            say(Said::Line(format!("Warning: chart media type {LEGACY_CHART} is deprecated")));
        }
        let chart = self.blob(reference, chart, archive::LARGEST_ARCHIVE)?;
        let provenance = match of(PROVENANCE).filter(|_| provenance) {
            Some(layer) => Some(self.blob(reference, layer, LARGEST_PROVENANCE)?),
            None => None,
        };
        announce("Pulled", reference, &digest, say);
        if provenance.is_some() {
            // Helm pulls once more for it, and says so.
            announce("Pulled", reference, &digest, say);
        }
        Ok(Pulled { chart, provenance })
    }

    fn push(
        &self,
        reference: &Reference,
        metadata: &Metadata,
        created: &str,
        chart: Vec<u8>,
        provenance: Option<Vec<u8>>,
    ) -> Result<String> {
        let destination = |error| prefixed("failed to perform \"Exists\" on destination: ", error);
        let (client, auth) = (self.client()?, self.auth(&reference.registry)?);
        let config = Ordered::Object(ordered::metadata(metadata).0).json(false).map_err(damaged)?.into_bytes();
        let mut layers = vec![(CHART, chart)];
        layers.extend(provenance.map(|provenance| (PROVENANCE, provenance)));
        // Helm sorts them by digest.
        let mut layers: Vec<_> = layers.into_iter().map(|(kind, bytes)| (digest_of(&bytes), kind, bytes)).collect();
        layers.sort_by(|a, b| a.0.cmp(&b.0));
        let config = (digest_of(&config), CONFIG, config);
        let manifest = manifest_of(&config, &layers, metadata, created).map_err(damaged)?.into_bytes();
        let digest = digest_of(&manifest);
        let oci = reference.to_oci();
        self.session
            .block_on(async {
                client.store_auth_if_needed(oci.resolve_registry(), &auth).await;
                // Asked with the rights to push, so that one token serves for all that follows.
                if !matches!(auth, RegistryAuth::Anonymous) {
                    client.auth(&oci, &auth, oci_client::RegistryOperation::Push).await?;
                }
                // Like ORAS: a manifest that is there has all that it names, and only its tag is put.
                let there = match client.fetch_manifest_digest(&oci.clone_with_digest(digest.clone()), &auth).await {
                    Err(error @ OciDistributionError::UnauthorizedError { .. }) => return Err(error),
                    found => found.is_ok(),
                };
                for (digest, _, bytes) in std::iter::once(config).chain(layers).filter(|_| !there) {
                    if !client.blob_exists(&oci, &digest).await? {
                        client.push_blob(&oci, bytes, &digest).await?;
                    }
                }
                let kind = reqwest::header::HeaderValue::from_static(MANIFEST);
                client.push_manifest_raw(&oci, manifest, kind).await
            })?
            .map_err(|error| destination(self.explain("HEAD", reference, error)))?;
        Ok(digest)
    }

    /// All tags that are versions, the highest first.
    pub(crate) fn versions(&self, reference: &Reference) -> Result<Vec<String>> {
        let tags = self.tags(reference)?;
        let mut versions: Vec<Version> =
            tags.iter().filter_map(|tag| Version::parse_strict(&tag.replace('_', "+")).ok()).collect();
        versions.sort_by(|a, b| b.cmp(a));
        Ok(versions.iter().map(ToString::to_string).collect())
    }

    /// All tags, as the registry lists them.
    pub(crate) fn tags(&self, reference: &Reference) -> Result<Vec<String>> {
        let (client, auth) = (self.client()?, self.auth(&reference.registry)?);
        let oci = Reference { tag: "latest".to_owned(), digest: String::new(), ..reference.clone() }.to_oci();
        let list = async {
            let mut tags: Vec<String> = Vec::new();
            for _ in 0..MOST_TAG_PAGES {
                let page = client.list_tags(&oci, &auth, Some(TAGS_A_PAGE), tags.last().map(String::as_str)).await?;
                // A registry that does not know pages sends the same ones again.
                let known = page.tags.last().is_none_or(|last| tags.contains(last));
                let last = page.tags.len() < SMALLEST_PAGE;
                if !known {
                    tags.extend(page.tags);
                }
                if known || last {
                    break;
                }
            }
            Ok(tags)
        };
        self.in_time(list)?.map_err(|error| self.explain("GET", reference, error))
    }

    /// The manifest's bytes, which have the digest that comes with them.
    fn manifest(&self, reference: &Reference) -> Result<(Vec<u8>, String)> {
        self.manifest_of(reference, &[MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"])
    }

    /// One of these media types.
    pub(crate) fn manifest_of(&self, reference: &Reference, kinds: &[&str]) -> Result<(Vec<u8>, String)> {
        let (client, auth) = (self.client()?, self.auth(&reference.registry)?);
        let oci = reference.to_oci();
        let (bytes, _) = self
            .in_time(client.pull_manifest_raw(&oci, &auth, kinds))?
            .map_err(|error| self.explain("GET", reference, error))?;
        let digest = digest_of(&bytes);
        if !reference.digest.is_empty() && reference.digest != digest {
            return Err(damaged(format!("{reference}: the registry sent a manifest with the digest {digest}")));
        }
        Ok((bytes.to_vec(), digest))
    }

    /// A blob of at most `limit` bytes, which has the digest and the size that its manifest says.
    pub(crate) fn blob(&self, reference: &Reference, layer: &OciDescriptor, limit: u64) -> Result<Vec<u8>> {
        let size = u64::try_from(layer.size).unwrap_or(u64::MAX);
        if size > limit || sha256_of(&layer.digest).is_none() {
            return Err(damaged(format!(
                "{reference}: a layer of {size} bytes and digest {:?} is not taken",
                layer.digest
            ))
            .hint(format!("a chart's layer has at most {limit} bytes and a SHA-256")));
        }
        let client = self.client()?;
        let oci = reference.to_oci();
        let mut buffer = Buffer { bytes: Vec::new(), limit: size as usize };
        let unable = |error| prefixed(&format!("unable to retrieve blob with digest {}: ", layer.digest), error);
        self.session
            .block_on(client.pull_blob(&oci, layer, &mut buffer))?
            .map_err(|error| unable(self.explain("GET", reference, error)))?;
        if digest_of(&buffer.bytes) != layer.digest {
            return Err(unable(damaged("it has another digest").hint("run it again; nothing of it was kept")));
        }
        Ok(buffer.bytes)
    }

    /// Asks whether the registry takes the credentials, in the way that its challenge says.
    fn ping(&self, host: &str) -> Result<()> {
        let scheme = if self.access.plain_http { "http" } else { "https" };
        let address = format!("{scheme}://{}/v2/", if host == "docker.io" { "index.docker.io" } else { host });
        let client = self.session.client(&self.access.tls)?;
        let Credentials { username, password } = &self.access.credentials;
        let refusal = |status: reqwest::StatusCode, address: &str| {
            let reason = if status == 401 { ": unauthorized: authentication required" } else { "" };
            unreachable(format!("GET {address:?}: response status code {}{reason}", status.as_u16()))
                .hint("check the user name and the password")
        };
        let get = |request: reqwest::RequestBuilder| request.timeout(DEFAULT_TIMEOUT).send();
        self.session.block_on(async {
            let first = get(client.get(&address)).await.map_err(|error| failed("Get", &address, &error))?;
            if first.status().is_success() {
                return Ok(());
            }
            let challenge = first.headers().get(reqwest::header::WWW_AUTHENTICATE);
            let challenge = challenge.and_then(|challenge| challenge.to_str().ok()).unwrap_or_default();
            let challenges = http_auth::parse_challenges(challenge).unwrap_or_default();
            let bearer = challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
            let Some(bearer) = bearer else {
                let request = client.get(&address).basic_auth(username, Some(password.reveal()));
                let second = get(request).await.map_err(|error| failed("Get", &address, &error))?;
                let status = second.status();
                return if status.is_success() { Ok(()) } else { Err(refusal(status, &address)) };
            };
            let parameter = |name: &str| {
                let found = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            let realm = parameter("realm").unwrap_or_default();
            let mut realm = crate::session::parse(&realm)?;
            if let Some(service) = parameter("service") {
                realm.query_pairs_mut().append_pair("service", &service);
            }
            let shown_realm = shown(realm.as_str());
            let request = client.get(realm).basic_auth(username, Some(password.reveal()));
            let token = get(request).await.map_err(|error| failed("Get", &shown_realm, &error))?;
            let status = token.status();
            if status.is_success() { Ok(()) } else { Err(refusal(status, &shown_realm)) }
        })?
    }

    /// Runs `work` for as long as a small answer may take.
    fn in_time<T>(
        &self,
        work: impl Future<Output = oci_client::errors::Result<T>>,
    ) -> Result<oci_client::errors::Result<T>> {
        let timed = self.session.block_on(async { tokio::time::timeout(DEFAULT_TIMEOUT, work).await })?;
        timed.map_err(|_| unreachable(format!("the registry did not answer within {} s", DEFAULT_TIMEOUT.as_secs())))
    }

    fn auth(&self, host: &str) -> Result<RegistryAuth> {
        if let Some((username, password)) = self.access.credentials.complete() {
            return Ok(RegistryAuth::Basic(username.to_owned(), password.to_owned()));
        }
        let settings = &self.session.settings;
        let found = credentials::find(&settings.paths.registry_config, &settings.docker_config, host)?;
        Ok(found.map_or(RegistryAuth::Anonymous, |found| {
            RegistryAuth::Basic(found.username, found.password.reveal().to_owned())
        }))
    }

    fn client(&self) -> Result<&Client> {
        if self.client.get().is_none() {
            let _ = self.client.set(self.build_client()?);
        }
        Ok(self.client.get().expect("it was set above"))
    }

    fn build_client(&self) -> Result<Client> {
        provide_tls();
        let Tls { cert_file, key_file, ca_file, insecure_skip_verify } = &self.access.tls;
        if !cert_file.as_str().is_empty() && !key_file.as_str().is_empty() {
            return Err(refused(
                "can't create TLS config for client: registries can't be shown a client's certificate",
            )
            .hint("leave out `--cert-file` and `--key-file`"));
        }
        let mut authorities = certificates(&self.access.authorities);
        if !self.access.authorities.is_empty() && authorities.is_empty() {
            return Err(refused("the authorities that are to be believed are no certificates"));
        }
        if !ca_file.as_str().is_empty() {
            let of_file = certificates(&String::from_utf8_lossy(&pem("CA", ca_file)?));
            if of_file.is_empty() {
                return Err(refused(format!("failed to append certificates from file: {ca_file}")));
            }
            authorities.extend(of_file);
        }
        let proxies = &self.session.settings.proxies;
        let config = ClientConfig {
            protocol: if self.access.plain_http { ClientProtocol::Http } else { ClientProtocol::Https },
            accept_invalid_certificates: *insecure_skip_verify,
            tls_certs_only: authorities,
            use_monolithic_push: true,
            read_timeout: Some(READ_TIMEOUT),
            connect_timeout: Some(CONNECT_TIMEOUT),
            user_agent: concat!("onepane/", env!("CARGO_PKG_VERSION")),
            https_proxy: proxies.https.clone(),
            http_proxy: proxies.http.clone(),
            no_proxy: Some(proxies.direct_hosts()),
            ..ClientConfig::default()
        };
        // What went wrong is not repeated: it may be about a proxy's address, which may hold a password.
        Client::try_from(config).map_err(|_| {
            refused("can't create TLS config for client: the certificates or the proxy's address are not usable")
        })
    }

    /// ORAS's words for what went wrong, and what to do about it.
    fn explain(&self, method: &str, reference: &Reference, error: OciDistributionError) -> Box<Diagnostic> {
        use OciDistributionError as E;
        let host = &reference.registry;
        let log_in = format!("log in: `helm registry login {host}`");
        // ORAS does not even ask a registry that wants a password where it has none.
        let unauthorized = if matches!(self.auth(host), Ok(RegistryAuth::Anonymous)) {
            "basic credential not found"
        } else {
            "response status code 401: unauthorized: authentication required"
        };
        match error {
            E::RequestError(error) if error.status() == Some(reqwest::StatusCode::UNAUTHORIZED) => {
                let address = error.url().map_or_else(|| reference.to_string(), |url| shown(url.as_str()));
                unreachable(format!("{method} {address:?}: {unauthorized}")).hint(log_in)
            }
            E::RequestError(error) => {
                let address = error.url().map_or_else(|| reference.to_string(), |url| shown(url.as_str()));
                let diagnostic = failed("Get", &address, &error);
                if error.is_connect() && !self.access.plain_http {
                    return diagnostic.hint("a registry that speaks HTTP without TLS needs `--plain-http`");
                }
                diagnostic
            }
            E::UnauthorizedError { url } => {
                unreachable(format!("{method} {:?}: {unauthorized}", shown(&url))).hint(log_in)
            }
            E::AuthenticationFailure(_) => {
                unreachable(format!("{host}: response status code 401: unauthorized: authentication required"))
                    .hint(log_in)
            }
            E::ImageManifestNotFoundError(_) => unreachable(format!("{reference}: not found")),
            E::RegistryError { envelope, url } => {
                use oci_client::errors::OciErrorCode as Code;
                let first = envelope.errors.first();
                let code = first.map(|error| &error.code);
                let is = |codes: &[Code]| code.is_some_and(|code| codes.contains(code));
                if is(&[Code::ManifestUnknown, Code::NotFound]) {
                    return unreachable(format!("{reference}: not found"))
                        .hint("look at the tags that there are; `--version` takes a version or a constraint");
                }
                let message =
                    first.map(|error| error.message.chars().take(200).collect::<String>()).unwrap_or_default();
                let status = if is(&[Code::NameUnknown]) { "response status code 404: name unknown: " } else { "" };
                let diagnostic = unreachable(format!("{method} {:?}: {status}{message}", shown(&url)));
                if is(&[Code::Unauthorized]) {
                    return unreachable(format!("{method} {:?}: {unauthorized}", shown(&url))).hint(log_in);
                }
                if is(&[Code::Denied]) { diagnostic.hint(log_in) } else { diagnostic }
            }
            E::ServerError { code: 404, .. } => unreachable(format!("{reference}: not found")),
            E::ServerError { code, url, .. } => {
                unreachable(format!("{method} {:?}: response status code {code}", shown(&url)))
            }
            E::DigestError(error) => {
                damaged(format!("{reference}: {error}")).hint("run it again; nothing of it was kept")
            }
            E::IoError(error) => damaged(format!("{reference}: {error}")).hint("run it again; nothing of it was kept"),
            // It may hold a token.
            E::UrlParseError(_) => damaged(format!("{reference}: the registry sent an address that is none")),
            // The others hold what the registry sent; its words are not ours to repeat at length.
            other => damaged(format!("{reference}: {}", other.to_string().chars().take(200).collect::<String>())),
        }
    }
}

/// The certificates in a text: the registry client takes one at a time.
fn certificates(text: &str) -> Vec<Certificate> {
    let parts = text.split_inclusive("-----END CERTIFICATE-----");
    let starts = parts.filter_map(|part| part.get(part.find("-----BEGIN CERTIFICATE-----")?..));
    starts.map(|part| Certificate { encoding: CertificateEncoding::Pem, data: part.as_bytes().to_vec() }).collect()
}

/// The version of `versions`, the highest first, that `wanted` means.
fn best_of(versions: &[String], wanted: &str) -> Result<String> {
    if let Some(exact) = versions.iter().find(|version| *version == wanted) {
        return Ok(exact.clone());
    }
    let constraint = if wanted.is_empty() { "*" } else { wanted };
    let constraint = Constraint::parse(constraint).map_err(|error| refused(error.to_string()))?;
    let fits = |version: &&String| Version::parse(version).is_ok_and(|version| constraint.check(&version));
    versions.iter().find(fits).cloned().ok_or_else(|| {
        let error = refused(format!("could not locate a version matching provided version string {wanted}"));
        error.hint("`--devel` takes prereleases as well")
    })
}

/// What a chart's manifest says of its config and layers.
struct Manifest {
    config: String,
    layers: Vec<OciDescriptor>,
}

impl Manifest {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let document = from_json(bytes)?;
        let map = document.as_map().ok_or("the manifest is not an object")?;
        let descriptor = |value: &Value| {
            let map = value.as_map();
            let text = |field: &str| {
                let value = map.and_then(|map| map.get(field));
                value.as_ref().and_then(Value::as_text).map(|text| text.to_str().into_owned()).unwrap_or_default()
            };
            let size = match map.and_then(|map| map.get("size")).map(|size| size.data) {
                Some(onepane_value::Data::Float(size, _)) if (0.0..1e15).contains(&size) => size as i64,
                Some(onepane_value::Data::Int(size, _)) => size,
                _ => -1,
            };
            OciDescriptor { media_type: text("mediaType"), digest: text("digest"), size, ..OciDescriptor::default() }
        };
        let config = map.get("config").map(|config| descriptor(&config).media_type).unwrap_or_default();
        let layers = map.get("layers");
        let layers = layers.as_ref().and_then(Value::as_list).map(|layers| layers.iter().map(descriptor).collect());
        Ok(Self { config, layers: layers.unwrap_or_default() })
    }
}

type Blob = (String, &'static str, Vec<u8>);

/// The manifest in the bytes that Helm's would have.
fn manifest_of(config: &Blob, layers: &[Blob], metadata: &Metadata, created: &str) -> Result<String, String> {
    let number = |number: usize| Ordered::Value(Value::int(i64::try_from(number).unwrap_or(i64::MAX)));
    let descriptor = |(digest, kind, bytes): &Blob| {
        Ordered::Object(vec![
            ("mediaType".to_owned(), Ordered::text(kind)),
            ("digest".to_owned(), Ordered::text(digest)),
            ("size".to_owned(), number(bytes.len())),
        ])
    };
    let annotations = annotations(metadata, created).into_iter().map(|(key, value)| (key, Ordered::text(&value)));
    Ordered::Object(vec![
        ("schemaVersion".to_owned(), number(2)),
        ("config".to_owned(), descriptor(config)),
        ("layers".to_owned(), Ordered::List(layers.iter().map(descriptor).collect())),
        ("annotations".to_owned(), Ordered::Object(annotations.collect())),
    ])
    .json(false)
}

/// The manifest's annotations: the chart's own, but for title and version, over those that its metadata give.
fn annotations(metadata: &Metadata, created: &str) -> std::collections::BTreeMap<String, String> {
    const PREFIX: &str = "org.opencontainers.image.";
    let maintainers = metadata.maintainers.iter().map(|maintainer| match maintainer.email.as_str() {
        "" => maintainer.name.clone(),
        email => format!("{} ({email})", maintainer.name),
    });
    let authors = maintainers.collect::<Vec<_>>().join(", ");
    let mut annotations = std::collections::BTreeMap::new();
    for (key, value) in [
        ("description", metadata.description.as_str()),
        ("title", &metadata.name),
        ("version", &metadata.version),
        ("url", &metadata.home),
        ("created", created),
        ("source", metadata.sources.first().map_or("", String::as_str)),
        ("authors", &authors),
    ] {
        if !value.trim().is_empty() {
            annotations.insert(format!("{PREFIX}{key}"), value.to_owned());
        }
    }
    for (key, value) in metadata.annotations.iter().flatten() {
        if !matches!(key.strip_prefix(PREFIX), Some("title" | "version")) {
            annotations.insert(key.clone(), value.clone());
        }
    }
    annotations
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes bytes until there are too many.
struct Buffer {
    bytes: Vec<u8>,
    limit: usize,
}

impl tokio::io::AsyncWrite for Buffer {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Poll::Ready(Err(std::io::Error::other("it is larger than its manifest says")));
        }
        self.bytes.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
