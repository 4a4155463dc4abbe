//! The network, made when it is first needed: a runtime on the calling thread, and a client for each kind of TLS.

use crate::Tls;
use crate::failure::{self, answered, damaged, prefixed, refused, unreachable};
use crate::paths::{Proxies, Settings};
use crate::secret::{Credentials, shown};
use crate::write;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use reqwest::{Certificate, Client, Identity, NoProxy, Proxy};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// How long a request may take as a whole: Helm's `--timeout` for repositories.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// How long a server may take to answer the door.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// No certificate or key file is larger.
const LARGEST_PEM: u64 = 16 << 20;

/// Who answers a repository's or registry's requests, and how they are made.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    runtime: OnceCell<Runtime>,
    clients: RefCell<HashMap<Tls, Client>>,
}

/// A GET that can travel to a task of its own.
#[derive(Clone)]
pub(crate) struct Request {
    client: Client,
    url: String,
    credentials: Option<Credentials>,
    accept: Option<&'static str>,
    timeout: Duration,
    limit: u64,
}

/// What a GET is made with.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    /// The address that the credentials are for.
    pub(crate) home: &'a str,
    pub(crate) credentials: &'a Credentials,
    /// Whether other hosts than `home`'s get them too.
    pub(crate) pass_credentials_all: bool,
    pub(crate) tls: &'a Tls,
    pub(crate) timeout: Duration,
}

impl Session {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, runtime: OnceCell::new(), clients: RefCell::default() }
    }

    /// Runs `work` to its end on this thread.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| unreachable(format!("can't start the network: {error}")))?;
            let _ = self.runtime.set(runtime);
        }
        let runtime = self.runtime.get().expect("it was set above");
        Ok(runtime.block_on(work))
    }

    /// Makes a GET of `url` ready, whose answer may have `limit` bytes.
    pub(crate) fn request(
        &self,
        url: &str,
        access: Access<'_>,
        accept: Option<&'static str>,
        limit: u64,
    ) -> Result<Request> {
        let target = parse(url)?;
        let own = Url::parse(access.home).is_ok_and(|home| same_server(&home, &target));
        let credentials = (own || access.pass_credentials_all).then(|| access.credentials.clone());
        let client = self.client(access.tls)?;
        Ok(Request { client, url: url.to_owned(), credentials, accept, timeout: access.timeout, limit })
    }

    /// Gets `url`.
    ///
    /// Errors: `fetch-unreachable` for a server that can't be reached or that answers anything but 200,
    /// `fetch-damaged` for an answer that breaks off or is too large.
    pub(crate) fn get(
        &self,
        url: &str,
        access: Access<'_>,
        accept: Option<&'static str>,
        limit: u64,
    ) -> Result<Vec<u8>> {
        let request = self.request(url, access, accept, limit)?;
        self.block_on(request.send())?
    }

    /// The client for `tls`.
    pub(crate) fn client(&self, tls: &Tls) -> Result<Client> {
        if let Some(client) = self.clients.borrow().get(tls) {
            return Ok(client.clone());
        }
        let client = build_client(tls, &self.settings.proxies, &self.settings.user_agent)
            .map_err(|error| prefixed("can't create TLS config for client: ", error))?;
        self.clients.borrow_mut().insert(tls.clone(), client.clone());
        Ok(client)
    }
}

impl Request {
    /// Sends it and waits for the whole answer.
    pub(crate) async fn send(self) -> Result<Vec<u8>> {
        let address = shown(&self.url);
        let mut request = self.client.get(&self.url).timeout(self.timeout);
        if let Some((username, password)) = self.credentials.as_ref().and_then(Credentials::complete) {
            request = request.basic_auth(username, Some(password));
        }
        if let Some(accept) = self.accept {
            request = request.header(reqwest::header::ACCEPT, accept);
        }
        let mut response = request.send().await.map_err(|error| failed("Get", &address, &error))?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            let message = format!("failed to fetch {address} : {status}");
            let error = if status.is_server_error() { unreachable(message) } else { answered(message) };
            return Err(match status.as_u16() {
                401 | 403 => error.hint("give the right `--username` and `--password`"),
                _ => error,
            });
        }
        let too_large = || damaged(format!("the answer of {address} is larger than {} bytes", self.limit));
        if response.content_length().is_some_and(|length| length > self.limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body),
                Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > self.limit => return Err(too_large()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) if error.is_timeout() => return Err(failed("Get", &address, &error)),
                Err(_) => {
                    let so_far = body.len();
                    let message = format!("unexpected EOF: {address} broke off after {so_far} bytes");
                    return Err(damaged(message).hint("run it again; nothing of it was kept"));
                }
            }
        }
    }
}

/// Why a request failed, in the manner of Go's `net/http`.
pub(crate) fn failed(method: &str, address: &str, error: &reqwest::Error) -> Box<Diagnostic> {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = match cause.downcast_ref::<std::io::Error>() {
        _ if error.is_timeout() => {
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned()
        }
        Some(cause) if error.is_connect() && cause.raw_os_error().is_some() => {
            let place = Url::parse(address)
                .ok()
                .and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
            format!("dial tcp {}: connect: {}", place.unwrap_or_default(), failure::go_words(cause))
        }
        Some(cause) => failure::go_words(cause),
        None if error.is_redirect() => "stopped after 10 redirects".to_owned(),
        None => cause.to_string(),
    };
    unreachable(format!("{method} {address:?}: {words}"))
}

/// Reads an address; Go's error otherwise.
pub(crate) fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|_| refused(format!("invalid chart URL format: {}", shown(url))))
}

/// Whether both have the same scheme, host and port, which is when Helm hands credentials over.
pub(crate) fn same_server(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port() == b.port()
}

/// Makes `ring` the provider of TLS for the process, once.
pub(crate) fn provide_tls() {
    // It fails if there is a provider already, and then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn build_client(tls: &Tls, proxies: &Proxies, user_agent: &str) -> Result<Client> {
    provide_tls();
    let unusable = |error: reqwest::Error| refused(error.to_string());
    let mut builder = Client::builder().no_proxy().referer(false).user_agent(user_agent);
    builder = builder.connect_timeout(CONNECT_TIMEOUT);
    let http = proxies.http.as_deref().map(Proxy::http);
    let https = proxies.https.as_deref().map(Proxy::https);
    for proxy in [http, https].into_iter().flatten() {
        // The address is not shown: it may hold a password.
        let proxy = proxy.map_err(|_| refused("the proxy's address is not one"))?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&proxies.direct_hosts())));
    }
    if !tls.ca_file.as_str().is_empty() {
        let authorities = Certificate::from_pem_bundle(&pem("CA", &tls.ca_file)?).map_err(unusable)?;
        if authorities.is_empty() {
            return Err(refused(format!("failed to append certificates from file: {}", tls.ca_file)));
        }
        builder = builder.tls_certs_only(authorities);
    }
    if !tls.cert_file.as_str().is_empty() && !tls.key_file.as_str().is_empty() {
        let mut both = pem("cert", &tls.cert_file)?;
        both.push(b'\n');
        both.extend(pem("key", &tls.key_file)?);
        let identity = Identity::from_pem(&both)
            .map_err(|_| refused(format!("unable to load cert from key pair {}, {}", tls.cert_file, tls.key_file)))?;
        builder = builder.identity(identity);
    }
    builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify).build().map_err(unusable)
}

/// A PEM file's bytes.
pub(crate) fn pem(what: &str, path: &Utf8Path) -> Result<Vec<u8>> {
    match write::read(path, LARGEST_PEM)? {
        Some(bytes) => Ok(bytes),
        None => Err(refused(format!("unable to read {what} file: {path:?}: no such file or directory"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_their_own_server_only() {
        let same = |a: &str, b: &str| same_server(&parse(a).expect("a URL"), &parse(b).expect("a URL"));
        assert!(same("https://h/charts", "https://h/x.tgz"));
        assert!(!same("https://h/charts", "https://h:444/x.tgz"));
        assert!(!same("https://h/charts", "http://h/x.tgz"));
        assert!(!same("https://h/charts", "https://h.example/x.tgz"));
    }
}
