//! Requests to the API server, made as client-go makes them.

use crate::failure::{Failure, go_words};
use crate::kubeconfig::Target;
use crate::settings::Settings;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::config::{Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use std::error::Error;
use std::net::ToSocketAddrs;
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// How long the server may take to answer the door: Go's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take for anything. Helm waits for ever; this is longer than an API server works on a request.
const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// No answer is larger.
const LARGEST_ANSWER: usize = 512 << 20;

/// How often a server may ask to be asked again, and how long to wait then at most.
const RETRIES: usize = 10;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A connection to the API server.
pub(crate) struct Client {
    runtime: Runtime,
    client: kube::Client,
    address: Url,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// What it warns of: deprecated versions, for example.
    pub(crate) warnings: Vec<String>,
}

impl Client {
    /// Makes a connection ready; none is opened yet.
    pub(crate) fn new(target: Target, settings: &Settings) -> Result<Self, String> {
        // It fails if there is a provider already, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("can't start the network: {error}"))?;
        let Target { address, mut cluster, user } = target;
        cluster.server = Some(address.to_string());
        let proxy = cluster.proxy_url.take().filter(|proxy| !proxy.is_empty());
        let proxy = proxy.or_else(|| settings.proxies.proxy_for(&address).map(str::to_owned));
        let name = "only".to_owned();
        let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() };
        let kubeconfig = Kubeconfig {
            clusters: vec![NamedCluster { name: name.clone(), cluster: Some(cluster), ..NamedCluster::default() }],
            auth_infos: vec![NamedAuthInfo { name: name.clone(), auth_info: Some(user), ..NamedAuthInfo::default() }],
            contexts: vec![NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() }],
            current_context: Some(name),
            ..Kubeconfig::default()
        };
        let client = runtime.block_on(async {
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
            let mut config = config.map_err(|error| error.to_string())?;
            config.connect_timeout = Some(CONNECT_TIMEOUT);
            config.read_timeout = Some(READ_TIMEOUT);
            // The server says when it wants to be asked again.
            config.default_retry = false;
            // The address may hold a password, and is not shown.
            let proxy = proxy.map(|proxy| if proxy.contains("://") { proxy } else { format!("http://{proxy}") });
            let proxy = proxy.map(|proxy| proxy.parse()).transpose();
            config.proxy_url = proxy.map_err(|_| "the proxy's address is not one".to_owned())?;
            let agent = HeaderValue::from_str(&settings.user_agent).map_err(|error| error.to_string())?;
            config.headers.push((header::USER_AGENT, agent));
            kube::Client::try_from(config).map_err(|error| error.to_string())
        })?;
        Ok(Self { runtime, client, address })
    }

    /// Gets `path`, whatever the server says to it. An error is a server that does not answer.
    pub(crate) fn get(&self, path: &str, accept: &str) -> Result<Answer, Failure> {
        self.runtime.block_on(async {
            for _ in 0..RETRIES {
                let (answer, wait) = self.send(path, accept).await?;
                match wait {
                    Some(wait) if answer.status == 429 || answer.status >= 500 => {
                        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                    }
                    _ => return Ok(answer),
                }
            }
            Ok(self.send(path, accept).await?.0)
        })
    }

    async fn send(&self, path: &str, accept: &str) -> Result<(Answer, Option<Duration>), Failure> {
        let shown = || format!("{}{path}", self.address.as_str().trim_end_matches('/'));
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty());
        let request = request.map_err(|error| Failure::new(format!("Get {:?}: {error}", shown())))?;
        let response = self.client.send(request).await;
        let response =
            response.map_err(|error| Failure::new(format!("Get {:?}: {}", shown(), cause(&error, &self.address))))?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header(header::CONTENT_TYPE).to_owned();
        let wait = header(header::RETRY_AFTER).parse().ok().map(Duration::from_secs);
        let warnings = response.headers().get_all(header::WARNING).iter();
        let warnings = warnings.filter_map(|warning| warning_text(warning.to_str().ok()?)).collect();
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| {
            Failure::new(format!("unexpected error when reading response body. Please retry. Original error: {error}"))
        })?;
        let body = body.to_bytes().to_vec();
        Ok((Answer { status, content_type, body, warnings }, wait))
    }
}

impl Answer {
    /// The body if the server gave what was asked for; else an error by the status alone. `asked` is the resource and,
    /// maybe, its name, where client-go knows them.
    pub(crate) fn raw(self, asked: &str) -> Result<Vec<u8>, Failure> {
        if (200..=206).contains(&self.status) { Ok(self.body) } else { Err(self.by_status(asked)) }
    }

    /// The same, but what the server says about the error comes first.
    pub(crate) fn object(self, asked: &str) -> Result<serde_json::Value, Failure> {
        if (200..=206).contains(&self.status) {
            return serde_json::from_slice(&self.body).map_err(|error| Failure::new(error.to_string()));
        }
        let status: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let field = |name: &str| status.as_ref().and_then(|status| status.get(name)?.as_str()).unwrap_or_default();
        if (field("kind"), field("status")) != ("Status", "Failure") {
            return Err(self.by_status(asked));
        }
        let is_not_found = match field("reason") {
            "NotFound" => true,
            "" | "Unknown" => self.status == 404,
            _ => false,
        };
        Err(Failure { message: field("message").to_owned(), is_not_found })
    }

    fn by_status(&self, asked: &str) -> Failure {
        let is_text = self.content_type.starts_with("text/");
        let said = if is_text { String::from_utf8_lossy(&self.body).trim().to_owned() } else { "unknown".to_owned() };
        let message = match self.status {
            400 => "the server rejected our request for an unknown reason".to_owned(),
            401 => "the server has asked for the client to provide credentials".to_owned(),
            403 | 415 => said,
            404 => "the server could not find the requested resource".to_owned(),
            405 => "the server does not allow this method on the requested resource".to_owned(),
            406 if said == "unknown" || said.is_empty() => {
                "the server was unable to respond with a content type that the client supports".to_owned()
            }
            406 => said,
            409 => "the server reported a conflict".to_owned(),
            422 => "the server rejected our request due to an error in our request".to_owned(),
            429 => "the server has received too many requests and has asked us to try again later".to_owned(),
            503 => "the server is currently unable to handle the request".to_owned(),
            504 => "the server was unable to return a response in the time allotted, but may still be processing the \
                    request"
                .to_owned(),
            500.. => format!("an error on the server ({said:?}) has prevented the request from succeeding"),
            code => format!("the server responded with the status code {code} but did not return more information"),
        };
        let message = if asked.is_empty() { message } else { format!("{message} (get {asked})") };
        Failure { message, is_not_found: self.status == 404 }
    }
}

/// The text of a warning of the kind that Kubernetes sends: `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once(' ')?.1.strip_prefix('"')?.strip_suffix('"')?;
    Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\")).filter(|text| !text.is_empty())
}

/// Why a request failed, in the words of Go's `net/http`.
fn cause(error: &(dyn Error + 'static), address: &Url) -> String {
    let mut innermost = error;
    loop {
        if let Some(refused) = innermost.downcast_ref::<rustls::Error>() {
            return tls(refused);
        }
        let wrapped = innermost.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        match wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| innermost.source()) {
            Some(inner) => innermost = inner,
            None => break,
        }
    }
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().unwrap_or_default();
    let words = innermost.to_string();
    match innermost.downcast_ref::<std::io::Error>() {
        Some(error) if error.raw_os_error().is_some() => match error.kind() {
            std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable => {
                let bare = host.trim_matches(['[', ']']);
                let mut found = (bare, port).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
                // The one that Go would have said it tried: of a name's, the first of the old kind.
                found.sort_by_key(|address| !address.is_ipv4());
                let place = found.first().map_or_else(|| format!("{host}:{port}"), ToString::to_string);
                format!("dial tcp {place}: connect: {}", go_words(error))
            }
            _ => go_words(error),
        },
        Some(error) if error.kind() == std::io::ErrorKind::TimedOut => format!("dial tcp {host}:{port}: i/o timeout"),
        _ if words.contains("failed to lookup address information") => {
            let asked = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            let asked = asked.lines().find_map(|line| line.strip_prefix("nameserver")?.split_whitespace().next());
            let asked = asked.map(|server| format!(" on {server}:53")).unwrap_or_default();
            format!("dial tcp: lookup {host}{asked}: no such host")
        }
        _ => words,
    }
}

/// Why TLS failed, in the words of Go's `crypto/tls`.
fn tls(error: &rustls::Error) -> String {
    use rustls::pki_types::ServerName;
    use rustls::{CertificateError, Error, InvalidMessage};
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            // Of a name Go tells the names that the certificate is for, of an address the addresses.
            let kind = if matches!(expected, ServerName::DnsName(_)) { "DnsName" } else { "IpAddress" };
            let of_kind = presented.iter().filter(|name| name.starts_with(kind));
            let names: Vec<&str> = of_kind.map(|name| name_within(name)).collect();
            format!(
                "tls: failed to verify certificate: x509: certificate is valid for {}, not {}",
                names.join(", "),
                expected.to_str()
            )
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        other => format!("tls: {other}"),
    }
}

/// The name in `DnsName("kubernetes")` or `IpAddress(10.0.0.1)`, as rustls presents them.
fn name_within(presented: &str) -> &str {
    let inner = presented.split_once('(').map_or(presented, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer { status, content_type: content_type.to_owned(), body: body.into(), warnings: Vec::new() }
    }

    #[test]
    fn errors_have_client_gos_words() {
        let denied = r#"{"kind":"Status","status":"Failure","reason":"Forbidden","message":"pods is forbidden"}"#;
        let error = |answer: Answer| answer.object("").err().map(|failure| failure.message);
        assert_eq!(error(answer(403, "application/json", denied)).as_deref(), Some("pods is forbidden"));
        let raw = answer(403, "application/json", denied).raw("").err().map(|failure| failure.message);
        assert_eq!(raw.as_deref(), Some("unknown"));
        let missing = answer(404, "text/plain", "404 page not found").object("pods a").err();
        let wanted = "the server could not find the requested resource (get pods a)";
        assert_eq!(missing, Some(Failure { message: wanted.to_owned(), is_not_found: true }));
        let broken = error(answer(502, "text/plain", "gone\n"));
        let wanted = "an error on the server (\"gone\") has prevented the request from succeeding";
        assert_eq!(broken.as_deref(), Some(wanted));
    }

    #[test]
    fn warnings_are_those_of_kubernetes() {
        assert_eq!(warning_text("299 - \"v1 X is \\\"old\\\"\"").as_deref(), Some("v1 X is \"old\""));
        assert_eq!(warning_text("199 - \"x\""), None);
    }
}
