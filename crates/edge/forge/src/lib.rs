//! Pull requests and statuses of commits at forges, by the interfaces that these publish: [`Forge::open`],
//! [`Forge::post_status`].
//!
//! A token goes to the host that the repository is pushed to, and nowhere else: no file of a repository can send it away.

mod address;
mod statuses;

pub use address::Address;
pub use statuses::{NewStatus, State};

use onepane_diagnostics::{Diagnostic, Result};
use onepane_fetch::{Proxies, Secret};
use onepane_http::{Answer, Http, Request, body, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

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

/// A branch that is to be merged into another one.
#[derive(Clone, Debug)]
pub struct NewPullRequest<'p> {
    /// The branch.
    pub head: &'p str,
    /// The one that it is to be merged into.
    pub base: &'p str,
    /// A line.
    pub title: &'p str,
    /// What it says, in Markdown.
    pub text: &'p str,
    /// Who is asked to review it: names of users, and on GitHub and Gitea of teams, as `ORGANIZATION/TEAM`.
    pub reviewers: &'p [String],
}

/// A pull request, or merge request, that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// Where people look at it.
    pub url: String,
    /// Whether it was opened now, and not before.
    pub is_new: bool,
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

    /// Opens a pull request, unless one of that branch into that branch is open already. Its reviewers are asked then.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn open(&self, new: &NewPullRequest<'_>) -> Result<PullRequest> {
        let found = match self.address.kind {
            Kind::GitHub => self.find_at_github(new)?,
            Kind::GitLab => self.find_at_gitlab(new)?,
            Kind::Gitea => self.find_at_gitea(new)?,
        };
        if let Some(found) = found {
            return self.read(&found, false);
        }
        let NewPullRequest { head, base, title, text, .. } = *new;
        let (path, content) = match self.address.kind {
            Kind::GitHub | Kind::Gitea => ("pulls", json!({"title": title, "head": head, "base": base, "body": text})),
            Kind::GitLab => {
                let reviewers = self.gitlab_users(new.reviewers)?;
                let content = json!({
                    "source_branch": head, "target_branch": base, "title": title, "description": text,
                    "reviewer_ids": reviewers,
                });
                ("merge_requests", content)
            }
        };
        let made = self.read(&self.ask(Method::POST, &self.address.below(path), Some(&content))?, true)?;
        if self.address.kind != Kind::GitLab && !new.reviewers.is_empty() {
            let (teams, users): (Vec<&String>, Vec<&String>) =
                new.reviewers.iter().partition(|reviewer| reviewer.contains('/'));
            let teams: Vec<&str> = teams.iter().filter_map(|team| team.split('/').next_back()).collect();
            let content = json!({"reviewers": users, "team_reviewers": teams});
            let path = format!("pulls/{}/requested_reviewers", made.number);
            self.ask(Method::POST, &self.address.below(&path), Some(&content))?;
        }
        Ok(made)
    }

    fn find_at_github(&self, new: &NewPullRequest<'_>) -> Result<Option<Value>> {
        let owner = self.address.path.split('/').next().unwrap_or_default();
        let head = format!("{owner}:{}", new.head);
        let query = [("state", "open"), ("head", &*head), ("base", new.base)];
        Ok(first(self.ask(Method::GET, &self.address.query("pulls", &query), None)?))
    }

    fn find_at_gitlab(&self, new: &NewPullRequest<'_>) -> Result<Option<Value>> {
        let query = [("state", "opened"), ("source_branch", new.head), ("target_branch", new.base)];
        Ok(first(self.ask(Method::GET, &self.address.query("merge_requests", &query), None)?))
    }

    /// Gitea does not look for branches, and is asked for all that are open.
    fn find_at_gitea(&self, new: &NewPullRequest<'_>) -> Result<Option<Value>> {
        const MOST_PAGES: usize = 100;
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query = [("state", "open"), ("limit", "50"), ("page", &*page)];
            let listed = self.ask(Method::GET, &self.address.query("pulls", &query), None)?;
            let listed = listed.as_array().cloned().unwrap_or_default();
            if listed.is_empty() {
                break;
            }
            let name = |pull: &Value, side: &str| text(pull, &[side, "ref"]).map(str::to_owned);
            let is_it = |pull: &Value| {
                name(pull, "head").as_deref() == Some(new.head) && name(pull, "base").as_deref() == Some(new.base)
            };
            if let Some(found) = listed.into_iter().find(is_it) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// GitLab asks for numbers of users.
    fn gitlab_users(&self, names: &[String]) -> Result<Vec<u64>> {
        let number = |name: &String| {
            let found = first(self.ask(Method::GET, &self.address.users(name), None)?);
            let number = found.and_then(|user| user.get("id")?.as_u64());
            number.ok_or_else(|| Diagnostic::error(CODE, format!("GitLab knows no user `{name}`")))
        };
        names.iter().map(number).collect()
    }

    fn read(&self, answer: &Value, is_new: bool) -> Result<PullRequest> {
        let (number, url) = match self.address.kind {
            Kind::GitLab => ("iid", "web_url"),
            Kind::GitHub | Kind::Gitea => ("number", "html_url"),
        };
        let number = answer.get(number).and_then(Value::as_u64);
        let url = text(answer, &[url]).map(|url| url.chars().filter(|character| !character.is_control()).collect());
        number.zip(url).map(|(number, url)| PullRequest { number, url, is_new }).ok_or_else(|| {
            let name = self.address.kind.name();
            Diagnostic::error(CODE, format!("{name} answers with something else than a pull request"))
        })
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

/// The first of a list.
fn first(list: Value) -> Option<Value> {
    match list {
        Value::Array(items) => items.into_iter().next(),
        _ => None,
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
