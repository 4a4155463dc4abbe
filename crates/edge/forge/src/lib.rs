//! Pull requests and statuses of commits at forges, by the interfaces that these publish: [`Forge::open`],
//! [`Forge::post_status`].
//!
//! A token goes to the host that the repository is pushed to, and nowhere else: no file of a repository can send it away.

mod address;
mod pulls;
mod statuses;

pub use address::Address;
pub use pulls::{NewPullRequest, PullRequest};
pub use statuses::{NewStatus, State};

use onepane_diagnostics::{Diagnostic, Result};
use onepane_fetch::{Proxies, Secret};
use onepane_http::{Answer, Http, Request, body, text};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Which interface a forge has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GitHub, and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
}

impl Kind {
    /// By its name: `github`, `gitlab`, `gitea` or `forgejo`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "gitea" | "forgejo" => Self::Gitea,
            _ => return None,
        })
    }

    /// What it is called in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
        }
    }
}

/// A repository at a forge.
pub struct Forge {
    address: Address,
    token: Secret,
    http: Http,
}

const CODE: &str = "forge-unanswered";

impl Forge {
    /// The repository at `address`, asked with `token`.
    pub fn new(address: Address, token: Secret, proxies: Proxies) -> Self {
        Self { address, token, http: Http::new(proxies, CODE) }
    }

    fn ask(&self, method: Method, url: &str, content: Option<&Value>) -> Result<Value> {
        self.accepted(self.answer(method, url, content)?)
    }

    /// What the forge answers, whatever that is.
    fn answer(&self, method: Method, url: &str, content: Option<&Value>) -> Result<Answer> {
        let token = self.token.reveal();
        let mut headers = vec![("accept", "application/json".to_owned())];
        headers.push(match self.address.kind {
            Kind::Gitea => ("authorization", format!("token {token}")),
            Kind::GitHub | Kind::GitLab => ("authorization", format!("Bearer {token}")),
        });
        if self.address.kind == Kind::GitHub {
            headers.push(("x-github-api-version", "2022-11-28".to_owned()));
        }
        if content.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let service = self.address.kind.name();
        let content = body(content.unwrap_or(&Value::Null));
        self.http.answer(Request { service, method, url, headers, body: content })
    }

    /// The answer, if the forge says yes.
    fn accepted(&self, answer: Answer) -> Result<Value> {
        let service = self.address.kind.name();
        let status = answer.status;
        let answered = answer.accepted(service, explain).map_err(|error| match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                let variables = self.address.token_variables().join(" or ");
                error.hint(format!("the token in {variables} has to be allowed to do this there"))
            }
            _ => error,
        })?;
        if answered.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answered)
            .map_err(|_| Diagnostic::error(CODE, format!("{service} answers with something else than JSON")))
    }
}

/// Where forges say what is wrong: GitHub and Gitea in `message`, GitHub also in `errors`, GitLab in one of several shapes.
fn explain(answer: &Value) -> Option<String> {
    let said = ["message", "error", "error_description"].iter().filter_map(|key| {
        let said = answer.get(key)?;
        Some(said.as_str().map_or_else(|| said.to_string(), str::to_owned))
    });
    let errors = answer.get("errors").and_then(Value::as_array).into_iter().flatten();
    let errors = errors.filter_map(|error| {
        let text = text(error, &["message"]).or_else(|| error.as_str());
        text.map(str::to_owned)
    });
    let all: Vec<String> = said.chain(errors).collect();
    (!all.is_empty()).then(|| all.join(": "))
}
