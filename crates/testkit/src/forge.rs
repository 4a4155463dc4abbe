//! A stand-in for the pull requests and the statuses of commits of a forge, by the descriptions that GitHub, GitLab and Gitea
//! publish of their interfaces: [`Forge`].
//!
//! It knows the pull requests of a repository `acme/shop` and the statuses of all that are `acme`'s, asks for the token `t0ken`,
//! and refuses what those would refuse: bodies without what they require, a second pull request of the same branches, people
//! that it does not know, states and descriptions that there are not.

use serde_json::{Value, json};
use std::collections::HashMap;

/// A forge with one repository.
#[derive(Clone, Debug)]
pub struct Forge {
    kind: &'static str,
    /// The pull requests, as bodies that asked for them, with `reviewers` as they were asked; `state` is `closed` or `merged`
    /// where it is not open, and `commit` what its branch had last.
    pub pulls: Vec<Value>,
    /// The statuses, the first first.
    pub statuses: Vec<PostedStatus>,
}

/// A status of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedStatus {
    /// The repository, as `api`.
    pub repository: String,
    /// The commit.
    pub commit: String,
    /// Whose it is.
    pub context: String,
    /// How it is, in the forge's word.
    pub state: String,
    /// All that was posted.
    pub body: Value,
}

/// A request.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) authorization: &'a str,
    pub(crate) body: &'a [u8],
}

impl Forge {
    /// One that behaves like `github`, `gitlab` or `gitea`.
    pub fn like(kind: &'static str) -> Self {
        Self { kind, pulls: Vec::new(), statuses: Vec::new() }
    }

    /// The status and the text of an answer; `None` for what is no part of the interface.
    pub(crate) fn answer(&mut self, asked: &Asked<'_>) -> Option<(u16, String)> {
        let (api, repository, authorization) = match self.kind {
            "github" => ("/api/v3", "/repos/acme/shop", "Bearer t0ken"),
            "gitlab" => ("/api/v4", "/projects/acme%2Fshop", "Bearer t0ken"),
            _ => ("/api/v1", "/repos/acme/shop", "token t0ken"),
        };
        let path = asked.path.strip_prefix(api)?;
        if asked.authorization != authorization {
            return Some((401, json!({"message": "Bad credentials"}).to_string()));
        }
        let query: HashMap<String, String> = asked
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.replace("%2F", "/").replace("%3A", ":")))
            .collect();
        let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let (status, answer) = self.answer_to(asked.method, path, path.strip_prefix(repository), &query, &body);
        Some((status, answer.to_string()))
    }

    fn answer_to(
        &mut self,
        method: &str,
        path: &str,
        in_repository: Option<&str>,
        query: &HashMap<String, String>,
        body: &Value,
    ) -> (u16, Value) {
        let asked = |key: &str| query.get(key).map(String::as_str);
        let all = if self.kind == "gitlab" { "/projects/acme%2F" } else { "/repos/acme/" };
        if let Some((repository, rest)) = path.strip_prefix(all).and_then(|rest| rest.split_once('/'))
            && rest.contains("status")
        {
            return self.answer_about_statuses(method, repository, rest, query, body);
        }
        match (self.kind, method, in_repository) {
            ("gitlab", "GET", _) if path == "/users" => match asked("username") {
                Some("ann") => (200, json!([{"id": 7, "username": "ann"}])),
                _ => (200, json!([])),
            },
            ("gitlab", "GET", Some("/merge_requests")) => {
                let branches = [asked("source_branch"), asked("target_branch")];
                let state = asked("state").map(|state| if state == "opened" { "open" } else { state });
                self.list(&["source_branch", "target_branch"], branches, &|is| state.is_none_or(|state| state == is))
            }
            ("gitlab", "POST", Some("/merge_requests")) => {
                self.open(body, &["source_branch", "target_branch", "title"], ["source_branch", "target_branch"])
            }
            ("github", "GET", Some("/pulls")) => {
                let head = asked("head").and_then(|head| head.strip_prefix("acme:"));
                self.list(&["head", "base"], [head, asked("base")], &|is| is_in_state(asked("state"), is))
            }
            ("gitea", "GET", Some("/pulls")) => {
                let page: usize = asked("page").and_then(|page| page.parse().ok()).unwrap_or(1);
                let all =
                    (0..self.pulls.len()).rev().filter(|&index| is_in_state(asked("state"), self.state_of(index)));
                (200, all.map(|index| self.shown(index)).skip((page - 1) * 50).take(50).collect())
            }
            (_, "POST", Some("/pulls")) => self.open(body, &["title", "head", "base"], ["head", "base"]),
            ("github" | "gitea", "PATCH", Some(path)) | ("gitlab", "PUT", Some(path)) => {
                let number = path.rsplit_once('/').and_then(|(_, number)| number.parse::<usize>().ok());
                let Some(pull) = number.and_then(|number| self.pulls.get_mut(number.checked_sub(1)?)) else {
                    return (404, json!({"message": "Not Found"}));
                };
                for (key, value) in body.as_object().into_iter().flatten() {
                    pull[key] = value.clone();
                }
                (200, json!({}))
            }
            (_, "POST", Some(path)) if path.ends_with("/requested_reviewers") => {
                let number =
                    path.strip_prefix("/pulls/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
                let pull = number.and_then(|number| self.pulls.get_mut(number - 1));
                let known = body["reviewers"].as_array().is_some_and(|users| users.iter().all(|user| user == "ann"));
                match pull {
                    Some(pull) if known => {
                        pull["reviewers"] = body.clone();
                        (201, json!({}))
                    }
                    Some(_) => (422, json!({"message": "Reviews may only be requested from collaborators."})),
                    None => (404, json!({"message": "Not Found"})),
                }
            }
            _ => (404, json!({"message": "Not Found"})),
        }
    }

    fn answer_about_statuses(
        &mut self,
        method: &str,
        repository: &str,
        rest: &str,
        query: &HashMap<String, String>,
        body: &Value,
    ) -> (u16, Value) {
        let is_gitlab = self.kind == "gitlab";
        let parts: Vec<&str> = rest.split('/').collect();
        let (name, state_key, states): (_, _, &[&str]) = match self.kind {
            "github" => ("context", "state", &["error", "failure", "pending", "success"]),
            "gitlab" => ("name", "status", &["pending", "running", "success", "failed", "canceled", "skipped"]),
            _ => ("context", "status", &["pending", "success", "error", "failure", "warning"]),
        };
        let of = |commit: &str| -> Vec<PostedStatus> {
            let is_of = |posted: &&PostedStatus| posted.repository == repository && posted.commit == commit;
            self.statuses.iter().filter(is_of).cloned().collect()
        };
        match (method, parts.as_slice()) {
            ("POST", ["statuses", commit]) if commit.len() == 40 => {
                let (state, context) =
                    (body["state"].as_str().unwrap_or_default(), body[name].as_str().unwrap_or("default"));
                if !states.contains(&state) {
                    return (
                        if is_gitlab { 400 } else { 422 },
                        json!({"message": "state does not have a valid value"}),
                    );
                }
                if body["description"].as_str().is_some_and(|text| self.kind == "github" && text.chars().count() > 140)
                {
                    return (422, json!({"message": "Validation Failed", "errors": ["description is too long"]}));
                }
                let last = of(commit).into_iter().rfind(|posted| posted.context == context);
                if is_gitlab && last.is_some_and(|last| last.state == state && state == "pending") {
                    return (400, json!({"message": "Cannot transition status via :enqueue from :pending"}));
                }
                let (repository, commit, context) = (repository.into(), (*commit).into(), context.into());
                let posted = PostedStatus { repository, commit, context, state: state.into(), body: body.clone() };
                self.statuses.push(posted);
                (201, json!({}))
            }
            ("GET", ["commits", commit, "status"] | ["repository", "commits", commit, "statuses"]) => {
                let mut last: Vec<PostedStatus> = Vec::new();
                for posted in of(commit) {
                    last.retain(|other| other.context != posted.context);
                    last.insert(0, posted);
                }
                let number = |key: &str| query.get(key).and_then(|number| number.parse::<usize>().ok());
                let size = number(if self.kind == "gitea" { "limit" } else { "per_page" }).unwrap_or(30);
                let shown = last.iter().map(|posted| json!({name: posted.context, state_key: posted.state}));
                let shown: Vec<Value> =
                    shown.skip((number("page").unwrap_or(1).max(1) - 1) * size).take(size).collect();
                match self.kind {
                    "gitlab" => (200, shown.into()),
                    "gitea" if shown.is_empty() => (200, json!({"statuses": null})),
                    _ => (200, json!({"statuses": shown, "total_count": last.len()})),
                }
            }
            _ => (404, json!({"message": "Not Found"})),
        }
    }

    /// `open`, `closed` or `merged`.
    fn state_of(&self, index: usize) -> &str {
        self.pulls[index]["state"].as_str().unwrap_or("open")
    }

    fn list(&self, keys: &[&str; 2], wanted: [Option<&str>; 2], is_state: &dyn Fn(&str) -> bool) -> (u16, Value) {
        let is_it = |index: &usize| {
            is_state(self.state_of(*index))
                && keys
                    .iter()
                    .zip(wanted)
                    .all(|(key, wanted)| wanted.is_none() || self.pulls[*index][*key].as_str() == wanted)
        };
        (200, (0..self.pulls.len()).rev().filter(is_it).map(|index| self.shown(index)).collect())
    }

    fn open(&mut self, body: &Value, required: &[&str], branches: [&str; 2]) -> (u16, Value) {
        if let Some(missing) = required.iter().find(|key| body[**key].as_str().is_none_or(str::is_empty)) {
            return (
                422,
                json!({"message": "Validation Failed", "errors": [{"message": format!("missing {missing}")}]}),
            );
        }
        let is_open = |pull: &&Value| pull["state"].is_null() && pull["fork"].is_null();
        if self.pulls.iter().filter(is_open).any(|pull| branches.iter().all(|key| pull[*key] == body[*key])) {
            return (409, json!({"message": ["Another open merge request already exists for this source branch"]}));
        }
        self.pulls.push(body.clone());
        (201, self.shown(self.pulls.len() - 1))
    }

    /// A pull request as the forge tells of it.
    fn shown(&self, index: usize) -> Value {
        let (number, pull) = (index + 1, &self.pulls[index]);
        let owner = if pull["fork"].is_null() { "acme/shop" } else { "mallory/shop" };
        match self.kind {
            "gitlab" => json!({
                "iid": number, "web_url": format!("https://forge/acme/shop/-/merge_requests/{number}"),
                "description": pull["description"], "sha": pull["commit"],
                "source_project_id": pull["fork"].as_u64().unwrap_or(1), "target_project_id": 1,
            }),
            _ => json!({
                "number": number, "html_url": format!("https://forge/acme/shop/pull/{number}"),
                "head": {"ref": pull["head"], "sha": pull["commit"], "repo": {"full_name": owner}},
                "base": {"ref": pull["base"], "repo": {"full_name": "acme/shop"}}, "body": pull["body"],
                "merged_at": (self.state_of(index) == "merged").then_some("2026-11-30T16:00:00Z"),
            }),
        }
    }
}

/// Whether a pull request is one of a list of those that are `open`, `closed`, merged or not, or `all`.
fn is_in_state(asked: Option<&str>, state: &str) -> bool {
    match asked.unwrap_or("open") {
        "all" => true,
        "closed" => state != "open",
        asked => state == asked,
    }
}
