//! Requests to the API server, made as client-go makes them.

use crate::cause::cause;
use crate::credentials::{Asking, resolve};
use crate::failure::Failure;
use crate::kubeconfig::{Target, filled, without_password};
use crate::settings::Settings;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::Body;
use kube::config::{Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// How long the server may take to answer the door: Go's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take for an answer as a whole, however often it asks to be asked again. Helm waits for ever; this is
/// longer than an API server works on a request.
const PATIENCE: Duration = Duration::from_secs(120);

/// No answer is larger. Of a cluster's lists, even all Secrets are rarely a tenth of it.
const LARGEST_ANSWER: usize = 128 << 20;

/// How often a server may ask to be asked again: client-go's.
const RETRIES: usize = 10;

/// A connection to the API server.
pub(crate) struct Client {
    runtime: Runtime,
    client: kube::Client,
    address: Url,
    proxy: Option<Url>,
    patience: Duration,
    largest: usize,
}

/// What is done with what is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is read.
    Get,
    /// Something is made below it.
    Post,
    /// It becomes what is sent.
    Put,
    /// Parts of it change.
    Patch,
    /// It goes.
    Delete,
}

impl Verb {
    fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }

    /// As Go's `url.Error` has it.
    fn in_url_errors(self) -> &'static str {
        match self {
            Self::Get => "Get",
            Self::Post => "Post",
            Self::Put => "Put",
            Self::Patch => "Patch",
            Self::Delete => "Delete",
        }
    }
}

/// A request.
pub(crate) struct Call<'a> {
    pub(crate) verb: Verb,
    /// With the query, if there is one.
    pub(crate) path: &'a str,
    pub(crate) accept: &'a str,
    /// Of the body; empty where there is none.
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: &'a str, accept: &'a str) -> Self {
        Self { verb: Verb::Get, path, accept, content_type: "", body: &[] }
    }
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) verb: Verb,
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
        let proxy = filled(&target.cluster.proxy_url);
        let proxy = proxy.or_else(|| settings.proxies.proxy_for(&target.address).map(str::to_owned));
        let proxy = proxy.map(|proxy| if proxy.contains("://") { proxy } else { format!("http://{proxy}") });
        let proxy = proxy.map(|proxy| match Url::parse(&proxy) {
            Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => Ok(url),
            _ => Err(format!("the proxy {:?} is none of http or https", without_password(&proxy))),
        });
        let proxy = proxy.transpose()?;
        let asking = Asking {
            proxy: proxy.as_ref().map(Url::as_str),
            is_interactive: settings.is_interactive,
            request: &shown(&target.address, "/version"),
        };
        let user = resolve(&target, &asking)?;
        let Target { address, mut cluster, .. } = target;
        // Errors show the address as it was given; who asks is said by the user alone.
        let mut server = address.clone();
        let _ = server.set_username("");
        let _ = server.set_password(None);
        cluster.server = Some(server.to_string());
        cluster.proxy_url = None;
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
            // The server says when it wants to be asked again.
            config.default_retry = false;
            config.proxy_url = proxy
                .as_ref()
                .map(|proxy| proxy.as_str().parse())
                .transpose()
                .map_err(|_| "the proxy's address is not one".to_owned())?;
            let agent = HeaderValue::from_str(&settings.user_agent).map_err(|error| error.to_string())?;
            config.headers.push((header::USER_AGENT, agent));
            kube::Client::try_from(config).map_err(|error| error.to_string())
        })?;
        Ok(Self { runtime, client, address, proxy, patience: PATIENCE, largest: LARGEST_ANSWER })
    }

    /// Gets `path`, whatever the server says to it. An error is a server that does not answer.
    pub(crate) fn get(&self, path: &str, accept: &str) -> Result<Answer, Failure> {
        self.runtime.block_on(self.send(&Call::get(path, accept)))
    }

    /// Waits for `work`, which may make requests.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Makes a request, and again as long as the server asks for that, whatever it says in the end. An error is a server
    /// that does not answer.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let answered = async {
            for _ in 0..RETRIES {
                let (answer, wait) = self.send_once(call).await?;
                match wait {
                    Some(wait) if answer.status == 429 || answer.status >= 500 => tokio::time::sleep(wait).await,
                    _ => return Ok(answer),
                }
            }
            Ok(self.send_once(call).await?.0)
        };
        let late = |_| {
            let (verb, seconds) = (call.verb.in_url_errors(), self.patience.as_secs());
            Failure::new(format!("{verb} {:?}: no answer within {seconds} seconds", shown(&self.address, call.path)))
        };
        tokio::time::timeout(self.patience, answered).await.map_err(late)?
    }

    async fn send_once(&self, call: &Call<'_>) -> Result<(Answer, Option<Duration>), Failure> {
        let shown = || shown(&self.address, call.path);
        let verb = call.verb.in_url_errors();
        let mut request = Request::builder().method(call.verb.method()).uri(call.path);
        request = request.header(header::ACCEPT, call.accept);
        if !call.content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, call.content_type);
        }
        let body = if call.body.is_empty() { Body::empty() } else { Body::from(call.body.to_vec()) };
        let request = request.body(body).map_err(|error| Failure::new(format!("{verb} {:?}: {error}", shown())))?;
        let response = self.client.send(request).await;
        let response = response.map_err(|error| {
            Failure::new(format!("{verb} {:?}: {}", shown(), cause(&error, &self.address, self.proxy.as_ref())))
        })?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header(header::CONTENT_TYPE).to_owned();
        let wait = header(header::RETRY_AFTER).parse().ok().map(Duration::from_secs);
        let warnings = response.headers().get_all(header::WARNING).iter();
        let warnings = warnings.filter_map(|warning| warning_text(warning.to_str().ok()?)).collect();
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), self.largest).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::new(format!("{verb} {:?}: the answer is larger than {} MiB", shown(), self.largest >> 20)),
            false => Failure::new(format!(
                "unexpected error when reading response body. Please retry. Original error: {error}"
            )),
        })?;
        let body = body.to_bytes().into();
        Ok((Answer { verb: call.verb, status, content_type, body, warnings }, wait))
    }
}

/// The address of a request, as errors show it.
fn shown(server: &Url, path: &str) -> String {
    format!("{}{path}", without_password(server.as_str().trim_end_matches('/')))
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
        Err(self.refusal(asked))
    }

    /// Why the server refused.
    pub(crate) fn refusal(self, asked: &str) -> Failure {
        let status: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let field = |name: &str| status.as_ref().and_then(|status| status.get(name)?.as_str()).unwrap_or_default();
        if (field("kind"), field("status")) != ("Status", "Failure") {
            return self.by_status(asked);
        }
        let is_not_found = match field("reason") {
            "NotFound" => true,
            "" | "Unknown" => self.status == 404,
            _ => false,
        };
        Failure { message: field("message").to_owned(), is_not_found }
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
        let message = if asked.is_empty() {
            message
        } else {
            format!("{message} ({} {asked})", self.verb.in_url_errors().to_lowercase())
        };
        Failure { message, is_not_found: self.status == 404 }
    }
}

/// The text of a warning of the kind that Kubernetes sends: `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once(' ')?.1.strip_prefix('"')?.strip_suffix('"')?;
    Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            verb: Verb::Get,
            status,
            content_type: content_type.to_owned(),
            body: body.into(),
            warnings: Vec::new(),
        }
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

    /// Not a word, a word at a time without end, or "later" for ever.
    #[test]
    fn a_server_has_so_long_and_no_longer() {
        let later = "HTTP/1.1 429 Later\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
        for (head, drop) in [("", ""), ("HTTP/1.1 200 OK\r\n\r\n", "x"), (later, "")] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
            let server = format!("http://{}", listener.local_addr().expect("it is bound"));
            std::thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    let _ = stream.read(&mut [0; 4096]);
                    let mut goes_on = stream.write_all(head.as_bytes()).is_ok();
                    while goes_on {
                        std::thread::sleep(Duration::from_millis(50));
                        goes_on = stream.write_all(drop.as_bytes()).is_ok() && head != later;
                    }
                }
            });
            let settings = Settings { server: server.clone(), ..Settings::default() };
            let target = crate::kubeconfig::target(&settings).unwrap_or_else(|error| panic!("{error}"));
            let mut client = Client::new(target, &settings).unwrap_or_else(|error| panic!("{error}"));
            client.patience = Duration::from_secs(1);
            let error = client.get("/version", "*/*").err().map(|failure| failure.message);
            assert_eq!(error, Some(format!("Get \"{server}/version\": no answer within 1 seconds")));
        }
    }

    #[test]
    fn warnings_are_those_of_kubernetes() {
        assert_eq!(warning_text("299 - \"v1 X is \\\"old\\\"\"").as_deref(), Some("v1 X is \"old\""));
        assert_eq!(warning_text("199 - \"x\""), None);
    }
}
