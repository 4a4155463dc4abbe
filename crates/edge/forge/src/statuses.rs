//! Statuses of commits: what tests came to, where reviewers see it ([`Forge::post_status`]), and who else can ask for it
//! ([`Forge::passed`]).

use crate::{CODE, Forge, Kind};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_http::text;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How tests of a commit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They have not ended.
    Pending,
    /// They have passed.
    Passed,
    /// They have failed.
    Failed,
    /// They could not be run, or were stopped.
    Error,
}

/// A status of a commit.
#[derive(Clone, Copy, Debug)]
pub struct NewStatus<'s> {
    /// The commit, by its whole name.
    pub commit: &'s str,
    /// How it is.
    pub state: State,
    /// Whose status it is, such as `onepane-ci/dev`. The last of that name counts.
    pub context: &'s str,
    /// A line of up to 140 characters; what is beyond is cut off.
    pub description: &'s str,
    /// Where people look at what has been run.
    pub target: Option<&'s str>,
}

impl Forge {
    /// Posts a status of a commit.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn post_status(&self, new: &NewStatus<'_>) -> Result<()> {
        /// What GitHub takes.
        const LONGEST: usize = 140;
        let NewStatus { commit, state, context, description, target } = *new;
        let is_gitlab = self.address.kind() == Kind::GitLab;
        let state = match (state, is_gitlab) {
            (State::Pending, _) => "pending",
            (State::Passed, _) => "success",
            (State::Failed, false) => "failure",
            (State::Failed, true) => "failed",
            (State::Error, false) => "error",
            (State::Error, true) => "canceled",
        };
        let description: String = description.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let name = if is_gitlab { "name" } else { "context" };
        let mut content = json!({"state": state, "description": description});
        content[name] = context.into();
        if let Some(target) = target {
            content["target_url"] = target.into();
        }
        let url = self.address.below(&format!("statuses/{}", commit_name(commit)?));
        let answer = self.answer(Method::POST, &url, Some(&content))?;
        // GitLab does not let a status become what it is already.
        let is_so = is_gitlab && answer.status == StatusCode::BAD_REQUEST;
        if is_so && String::from_utf8_lossy(&answer.body).contains("Cannot transition status") {
            return Ok(());
        }
        self.accepted(answer).map(|_| ())
    }

    /// The statuses of a commit that say that it has passed, by whose they are: of each name the last.
    ///
    /// # Errors
    /// `forge-unanswered`, with the forge's word.
    pub fn passed(&self, commit: &str) -> Result<Vec<String>> {
        /// No commit has more.
        const MOST_PAGES: usize = 50;
        let commit = commit_name(commit)?;
        let (path, size, name, state) = match self.address.kind() {
            Kind::GitHub => (format!("commits/{commit}/status"), ("per_page", "100"), "context", "state"),
            Kind::Gitea => (format!("commits/{commit}/status"), ("limit", "50"), "context", "status"),
            Kind::GitLab => (format!("repository/commits/{commit}/statuses"), ("per_page", "100"), "name", "status"),
        };
        let mut passed = Vec::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let answer = self.ask(Method::GET, &self.address.query(&path, &[size, ("page", &*page)]), None)?;
            let listed = match self.address.kind() {
                Kind::GitLab => answer,
                Kind::GitHub | Kind::Gitea => answer.get("statuses").cloned().unwrap_or(Value::Null),
            };
            let listed = match listed {
                Value::Array(listed) => listed,
                // Gitea says nothing where there are none.
                Value::Null => Vec::new(),
                _ => return Err(Diagnostic::error(CODE, "the forge answers with something else than statuses")),
            };
            if listed.is_empty() {
                break;
            }
            let is_passed = listed.iter().filter(|status| text(status, &[state]) == Some("success"));
            passed.extend(is_passed.filter_map(|status| text(status, &[name]).map(str::to_owned)));
        }
        Ok(passed)
    }
}

/// The name of a commit, which becomes a part of an address.
fn commit_name(commit: &str) -> Result<&str> {
    let is_whole = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_whole.then_some(commit).ok_or_else(|| Diagnostic::error(CODE, format!("`{commit}` is no name of a commit")))
}
