//! Pull requests, merge requests on GitLab: found, opened, and written anew ([`Forge::open`]).
//!
//! Only those count whose branch is one of the repository itself: a fork may have a branch of any name.

use crate::{CODE, Forge, Kind};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_http::text;
use reqwest::Method;
use serde_json::{Value, json};

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

/// A pull request, or merge request, that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// Where people look at it.
    pub url: String,
    /// What it says.
    pub text: String,
    /// The last commit that its branch had, if that is told.
    pub commit: Option<String>,
}

impl Forge {
    /// The pull request of that branch into that branch that is open.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn open_one(&self, head: &str, base: &str) -> Result<Option<PullRequest>> {
        /// More are open nowhere.
        const MOST_PAGES: usize = 100;
        let found = match self.address.kind {
            Kind::GitHub => self.listed_at_github(head, base, "open")?,
            Kind::GitLab => self.listed_at_gitlab(head, base, "opened")?,
            Kind::Gitea => self.listed_at_gitea(head, base, "open", MOST_PAGES)?,
        };
        found.first().map(|found| self.read(found)).transpose()
    }

    /// Those of that branch into that branch that somebody has closed and not merged: the newest, for a while back.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn closed_ones(&self, head: &str, base: &str) -> Result<Vec<PullRequest>> {
        /// Of Gitea, which lists those of all branches, so many are looked at, those that last changed first.
        const MOST_PAGES: usize = 10;
        let found = match self.address.kind {
            Kind::GitHub => self.listed_at_github(head, base, "closed")?,
            Kind::GitLab => self.listed_at_gitlab(head, base, "closed")?,
            Kind::Gitea => self.listed_at_gitea(head, base, "closed", MOST_PAGES)?,
        };
        // GitLab calls only those closed that were not merged.
        let is_merged = |pull: &&Value| {
            pull.get("merged_at").is_some_and(|merged| !merged.is_null())
                || pull.get("merged") == Some(&Value::Bool(true))
        };
        found.iter().filter(|pull| !is_merged(pull)).map(|pull| self.read(pull)).collect()
    }

    /// Opens a pull request, and asks its reviewers.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn open(&self, new: &NewPullRequest<'_>) -> Result<PullRequest> {
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
        let made = self.read(&self.ask(Method::POST, &self.address.below(path), Some(&content))?)?;
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

    /// Gives a pull request another title and another text.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn rewrite(&self, number: u64, title: &str, text: &str) -> Result<()> {
        let (method, path, content) = match self.address.kind {
            Kind::GitHub | Kind::Gitea => {
                (Method::PATCH, format!("pulls/{number}"), json!({"title": title, "body": text}))
            }
            Kind::GitLab => {
                (Method::PUT, format!("merge_requests/{number}"), json!({"title": title, "description": text}))
            }
        };
        self.ask(method, &self.address.below(&path), Some(&content)).map(|_| ())
    }

    fn listed_at_github(&self, head: &str, base: &str, state: &str) -> Result<Vec<Value>> {
        let owner = self.address.path.split('/').next().unwrap_or_default();
        let head = format!("{owner}:{head}");
        let query = [("state", state), ("head", &*head), ("base", base), ("per_page", "100")];
        Ok(items(self.ask(Method::GET, &self.address.query("pulls", &query), None)?))
    }

    fn listed_at_gitlab(&self, head: &str, base: &str, state: &str) -> Result<Vec<Value>> {
        let query = [("state", state), ("source_branch", head), ("target_branch", base), ("per_page", "100")];
        let listed = items(self.ask(Method::GET, &self.address.query("merge_requests", &query), None)?);
        let is_own = |pull: &Value| pull.get("source_project_id") == pull.get("target_project_id");
        Ok(listed.into_iter().filter(is_own).collect())
    }

    /// Gitea does not look for branches, and is asked for all.
    fn listed_at_gitea(&self, head: &str, base: &str, state: &str, most_pages: usize) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        for page in 1..=most_pages {
            let page = page.to_string();
            let query = [("state", state), ("sort", "recentupdate"), ("limit", "50"), ("page", &*page)];
            let listed = items(self.ask(Method::GET, &self.address.query("pulls", &query), None)?);
            if listed.is_empty() {
                break;
            }
            // The label stays when the branch is deleted.
            let is_named = |pull: &Value, side: &str, name: &str| {
                ["ref", "label"].iter().any(|key| text(pull, &[side, key]) == Some(name))
            };
            let repository = |pull: &Value, side: &str| text(pull, &[side, "repo", "full_name"]).map(str::to_owned);
            let is_it = |pull: &Value| {
                is_named(pull, "head", head)
                    && is_named(pull, "base", base)
                    && repository(pull, "head") == repository(pull, "base")
            };
            found.extend(listed.into_iter().filter(is_it));
            // One is open at most.
            if state == "open" && !found.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// GitLab asks for numbers of users.
    fn gitlab_users(&self, names: &[String]) -> Result<Vec<u64>> {
        let number = |name: &String| {
            let found = items(self.ask(Method::GET, &self.address.users(name), None)?);
            let number = found.first().and_then(|user| user.get("id")?.as_u64());
            number.ok_or_else(|| Diagnostic::error(CODE, format!("GitLab knows no user `{name}`")))
        };
        names.iter().map(number).collect()
    }

    fn read(&self, answer: &Value) -> Result<PullRequest> {
        let is_gitlab = self.address.kind == Kind::GitLab;
        let (number, url, says) =
            if is_gitlab { ("iid", "web_url", "description") } else { ("number", "html_url", "body") };
        let number = answer.get(number).and_then(Value::as_u64);
        let url = text(answer, &[url]).map(|url| url.chars().filter(|character| !character.is_control()).collect());
        let says = text(answer, &[says]).unwrap_or_default().to_owned();
        let commit = text(answer, if is_gitlab { &["sha"] } else { &["head", "sha"] }).map(str::to_owned);
        number.zip(url).map(|(number, url)| PullRequest { number, url, text: says, commit }).ok_or_else(|| {
            let name = self.address.kind.name();
            Diagnostic::error(CODE, format!("{name} answers with something else than a pull request"))
        })
    }
}

/// The items of a list.
fn items(list: Value) -> Vec<Value> {
    match list {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
