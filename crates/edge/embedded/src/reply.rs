//! What is answered: [`Reply`].

use crate::failure::Failure;
use crate::watch::Watch;
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Json(Value),
    Text(String),
    /// One event a line, as they come.
    Watch(Box<Watch>),
}

impl Reply {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(value) }
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text(text.into()) }
    }

    /// Warnings are headers of their own (RFC 7234, `Warning`).
    pub(crate) fn warn(mut self, warnings: &[String]) -> Self {
        for warning in warnings {
            let text: String = warning.chars().filter(|c| !c.is_control() && c.is_ascii()).collect();
            self.headers.push(("Warning", format!("299 - {text:?}")));
        }
        self
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        let mut reply = Self::json(failure.code, failure.status());
        if let Some(seconds) = failure.retry_after() {
            reply.headers.push(("Retry-After", seconds.to_string()));
        }
        reply
    }
}
