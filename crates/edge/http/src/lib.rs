//! Requests to the interfaces of services, and their answers: [`Http`], set up as for charts.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_fetch::Proxies;
use reqwest::{Client, Method, NoProxy, Proxy, StatusCode, redirect};
use serde_json::Value;
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;
use zeroize::Zeroizing;

/// How long a request may take as a whole.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a server may take to answer the door.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// No answer of these services is larger.
const LARGEST: usize = 1 << 20;

/// Sends requests on the calling thread. Runtime and client are made for the first one.
pub struct Http {
    proxies: Proxies,
    /// The code of errors.
    code: &'static str,
    made: OnceLock<(Runtime, Client)>,
}

/// What a service answered.
pub struct Answer {
    /// What it says of it.
    pub status: StatusCode,
    /// The answer itself.
    pub body: Zeroizing<Vec<u8>>,
    host: String,
    code: &'static str,
}

impl Answer {
    /// The body if the service says yes. `explain` finds in another one what it says instead.
    ///
    /// # Errors
    /// One with the service's word.
    pub fn accepted(self, service: &str, explain: fn(&Value) -> Option<String>) -> Result<Zeroizing<Vec<u8>>> {
        let Self { status, body, host, code } = self;
        if status.is_success() {
            return Ok(body);
        }
        let said = serde_json::from_slice(&body).ok().and_then(|body| explain(&body)).unwrap_or_default();
        let said: String = said.chars().filter(|character| !character.is_control()).take(500).collect();
        let colon = if said.is_empty() { "" } else { ": " };
        Err(Diagnostic::error(code, format!("{service} at `{host}` says {status}{colon}{said}")))
    }
}

/// A request to a service.
pub struct Request<'a> {
    /// What errors call the service.
    pub service: &'a str,
    /// What is asked for.
    pub method: Method,
    /// Where.
    pub url: &'a str,
    /// Further headers.
    pub headers: Vec<(&'a str, String)>,
    /// What is sent.
    pub body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// One that reaches servers through `proxies`, and whose errors have this code.
    pub fn new(proxies: Proxies, code: &'static str) -> Self {
        Self { proxies, code, made: OnceLock::new() }
    }

    fn unanswered(&self, message: impl Into<String>) -> Box<Diagnostic> {
        Diagnostic::error(self.code, message)
    }

    /// Sends a request and waits for an answer that says yes. `explain` finds in the body of another one what the
    /// service says of it.
    ///
    /// # Errors
    /// One with the service's word.
    pub fn send(&self, request: Request<'_>, explain: fn(&Value) -> Option<String>) -> Result<Zeroizing<Vec<u8>>> {
        let service = request.service;
        self.answer(request)?.accepted(service, explain)
    }

    /// Sends a request and waits for an answer, whatever it says.
    ///
    /// # Errors
    /// One that says why there is none.
    pub fn answer(&self, request: Request<'_>) -> Result<Answer> {
        let Request { service, method, url, headers, body } = request;
        let (runtime, client) = self.made(service)?;
        let url =
            Url::parse(url).map_err(|_| self.unanswered(format!("{service} has no address that could be asked")))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: &reqwest::Error| {
            let mut cause: &dyn Error = error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            let cause = if error.is_timeout() { "it took too long".to_owned() } else { cause.to_string() };
            self.unanswered(format!("{service} at `{host}` can't be reached: {cause}"))
        };
        let mut request = client.request(method, url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (status, body) = runtime.block_on(async {
            let mut answer = request.send().await.map_err(|error| failed(&error))?;
            let mut body = Zeroizing::new(Vec::with_capacity(8192));
            while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
                if body.len() + chunk.len() > LARGEST {
                    return Err(self.unanswered(format!("the answer of {service} at `{host}` is too large")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok((answer.status(), body))
        })?;
        Ok(Answer { status, body, host, code: self.code })
    }

    /// [`Http::send`] for an answer in JSON.
    ///
    /// # Errors
    /// As there, and where the answer is something else.
    pub fn json(&self, request: Request<'_>, explain: fn(&Value) -> Option<String>) -> Result<Value> {
        let service = request.service.to_owned();
        let body = self.send(request, explain)?;
        serde_json::from_slice(&body)
            .map_err(|_| self.unanswered(format!("{service} answers with something else than JSON")))
    }

    fn made(&self, service: &str) -> Result<&(Runtime, Client)> {
        if self.made.get().is_none() {
            let failed = |error: String| self.unanswered(format!("{service} can't be asked: {error}"));
            // It fails if there is a provider already, and then that one serves.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| failed(error.to_string()))?;
            let client = self.client().map_err(|error| failed(error.to_string()))?;
            let _ = self.made.set((runtime, client));
        }
        Ok(self.made.get().expect("it was set above"))
    }

    /// Redirects are not followed: they would take credentials to where they are not for.
    fn client(&self) -> reqwest::Result<Client> {
        let mut builder = Client::builder().no_proxy().referer(false).redirect(redirect::Policy::none());
        builder = builder.user_agent(concat!("onepane/", env!("CARGO_PKG_VERSION")));
        builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        let http = self.proxies.http.as_deref().map(Proxy::http);
        let https = self.proxies.https.as_deref().map(Proxy::https);
        let own = "localhost,127.0.0.0/8,::1";
        let direct = self.proxies.none_for.as_ref().map_or_else(|| own.to_owned(), |hosts| format!("{hosts},{own}"));
        for proxy in [http, https].into_iter().flatten() {
            // An address that is none may hold a password, which reqwest does not show.
            builder = builder.proxy(proxy?.no_proxy(NoProxy::from_string(&direct)));
        }
        builder.build()
    }
}

/// A text in an answer.
pub fn text<'v>(answer: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(answer, |value, key| value.get(key))?.as_str()
}

/// The body of a form.
pub fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    Zeroizing::new(form.finish().into_bytes())
}

/// A body of JSON.
pub fn body(value: &Value) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.to_string().into_bytes())
}
