//! Requests that may change something, made for who says what is to be changed: [`Cluster::ask`].

use crate::client::{Call, Verb};
use crate::cluster::Cluster;
use crate::failure::Failure;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is done.
    pub verb: Verb,
    /// With what, and the query behind it.
    pub path: String,
    /// What client-go knows of it, for errors that the server gives no words for: `configmaps a`.
    pub asked: String,
    /// What the body is; empty where there is none.
    pub content_type: &'static str,
    /// What is sent.
    pub body: Vec<u8>,
    /// What is wanted back.
    pub accept: &'static str,
}

impl Request {
    /// Reads what is at `path`.
    pub fn get(path: impl Into<String>, asked: impl Into<String>) -> Self {
        Self {
            verb: Verb::Get,
            path: path.into(),
            asked: asked.into(),
            content_type: "",
            body: Vec::new(),
            accept: "application/json",
        }
    }

    /// Does something with what is at `path`, for which `body` says what.
    pub fn send(verb: Verb, path: impl Into<String>, asked: impl Into<String>, body: &Value) -> Self {
        Self { verb, content_type: "application/json", body: body.to_string().into_bytes(), ..Self::get(path, asked) }
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// client-go's text.
    pub message: String,
    /// The status in HTTP; 0 where there was no answer.
    pub code: u16,
    /// Kubernetes' word for it: `NotFound`, `AlreadyExists`.
    pub reason: String,
}

impl Refusal {
    /// Whether there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Whether there is such a thing already.
    pub fn is_already_there(&self) -> bool {
        self.code == 409 && self.reason == "AlreadyExists"
    }

    /// Whether it is another one than was thought, or others have a say in it.
    pub fn is_conflict(&self) -> bool {
        self.code == 409 && self.reason == "Conflict"
    }

    /// Whether the same may be answered the next moment.
    fn may_pass(&self) -> bool {
        matches!(self.code, 0 | 429 | 500 | 502 | 503 | 504)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Failure> for Refusal {
    fn from(Failure { message, is_not_found }: Failure) -> Self {
        Self { message, code: if is_not_found { 404 } else { 0 }, reason: String::new() }
    }
}

/// How often a request that may be repeated is made again, and how long is waited before that the first time; twice as
/// long each time.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl Cluster {
    /// Makes a request; gives the object that the server answers with. Where the server was not reached or can't answer
    /// now, all but `POST` are made again a few times: they do the same a second time.
    pub async fn ask(&self, request: &Request) -> Result<Value, Refusal> {
        let body = self.ask_for_bytes(request).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::new(error.to_string()).into())
    }

    /// The same where the answer need be no object: logs.
    pub async fn ask_for_bytes(&self, request: &Request) -> Result<Vec<u8>, Refusal> {
        let (mut pause, mut retries) = (FIRST_PAUSE, RETRIES);
        loop {
            match self.ask_once(request).await {
                Err(refusal) if refusal.may_pass() && request.verb != Verb::Post && retries > 0 => {
                    retries -= 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
    }

    async fn ask_once(&self, request: &Request) -> Result<Vec<u8>, Refusal> {
        let Request { verb, path, content_type, body, accept, .. } = request;
        // Names that lead elsewhere are names of nothing.
        let place = path.split('?').next().unwrap_or_default();
        if place.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(Failure::new(format!("{place:?} is no path of a resource")).into());
        }
        let answer = self.client().send(&Call { verb: *verb, path, accept, content_type, body }).await?;
        self.tell_warnings(&answer);
        let code = answer.status;
        if (200..=206).contains(&code) {
            return Ok(answer.body);
        }
        let status: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let reason = status.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = answer.refusal(&request.asked).message;
        Err(Refusal { message, code, reason })
    }

    /// Waits a while.
    pub async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
