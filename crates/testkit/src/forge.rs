//! A stand-in for the pull requests of a forge, by the descriptions that GitHub, GitLab and Gitea publish of their
//! interfaces: [`Forge`].
//!
//! It knows the requests of a repository `acme/shop`, asks for the token `t0ken`, and refuses what those would refuse: bodies
//! without what they require, a second pull request of the same branches, people that it does not know.

use serde_json::{Value, json};
use std::collections::HashMap;

/// A forge with one repository.
#[derive(Clone, Debug)]
pub struct Forge {
    kind: &'static str,
    /// The pull requests, as bodies that asked for them, with `reviewers` as they were asked.
    pub pulls: Vec<Value>,
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
        Self { kind, pulls: Vec::new() }
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
        match (self.kind, method, in_repository) {
            ("gitlab", "GET", _) if path == "/users" => match asked("username") {
                Some("ann") => (200, json!([{"id": 7, "username": "ann"}])),
                _ => (200, json!([])),
            },
            ("gitlab", "GET", Some("/merge_requests")) => {
                self.list(&["source_branch", "target_branch"], [asked("source_branch"), asked("target_branch")])
            }
            ("gitlab", "POST", Some("/merge_requests")) => {
                self.open(body, &["source_branch", "target_branch", "title"], ["source_branch", "target_branch"])
            }
            ("github", "GET", Some("/pulls")) => {
                let head = asked("head").and_then(|head| head.strip_prefix("acme:"));
                self.list(&["head", "base"], [head, asked("base")])
            }
            ("gitea", "GET", Some("/pulls")) => {
                let page: usize = asked("page").and_then(|page| page.parse().ok()).unwrap_or(1);
                let all = (0..self.pulls.len()).map(|index| self.shown(index)).skip((page - 1) * 50).take(50);
                (200, all.collect())
            }
            (_, "POST", Some("/pulls")) => self.open(body, &["title", "head", "base"], ["head", "base"]),
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

    fn list(&self, keys: &[&str; 2], wanted: [Option<&str>; 2]) -> (u16, Value) {
        let is_it = |index: &usize| {
            keys.iter().zip(wanted).all(|(key, wanted)| wanted.is_none() || self.pulls[*index][*key].as_str() == wanted)
        };
        (200, (0..self.pulls.len()).filter(is_it).map(|index| self.shown(index)).collect())
    }

    fn open(&mut self, body: &Value, required: &[&str], branches: [&str; 2]) -> (u16, Value) {
        if let Some(missing) = required.iter().find(|key| body[**key].as_str().is_none_or(str::is_empty)) {
            return (
                422,
                json!({"message": "Validation Failed", "errors": [{"message": format!("missing {missing}")}]}),
            );
        }
        if self.pulls.iter().any(|pull| branches.iter().all(|key| pull[*key] == body[*key])) {
            return (409, json!({"message": ["Another open merge request already exists for this source branch"]}));
        }
        self.pulls.push(body.clone());
        (201, self.shown(self.pulls.len() - 1))
    }

    /// A pull request as the forge tells of it.
    fn shown(&self, index: usize) -> Value {
        let (number, pull) = (index + 1, &self.pulls[index]);
        match self.kind {
            "gitlab" => json!({"iid": number, "web_url": format!("https://forge/acme/shop/-/merge_requests/{number}")}),
            _ => json!({
                "number": number, "html_url": format!("https://forge/acme/shop/pull/{number}"),
                "head": {"ref": pull["head"]}, "base": {"ref": pull["base"]},
            }),
        }
    }
}
