//! Which rules are looked at: [`Selection`].

use crate::terminal::Failure;
use onepane_diagnostics::{Diagnostic, closest};
use onepane_rules::{RULES, covers, rule};

/// The rules that were asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    with: Vec<String>,
}

impl Selection {
    /// As the flags say; a code that is none is an error, so that a typo does not switch a rule off.
    pub(crate) fn new(only: &[String], skip: &[String], with: &[String]) -> Result<Self, Failure> {
        for code in only.iter().chain(skip).chain(with) {
            // What builds and renders find wrong has codes of its own.
            let is_builds = ["kustomize-", "resource-", "patch-", "yaml-"].iter().any(|head| code.starts_with(head));
            if !is_builds && !RULES.iter().any(|rule| covers(code, rule.code)) {
                let error = Diagnostic::error("check-rule", format!("there is no rule `{code}`"));
                let meant = closest(code, RULES.iter().map(|rule| rule.code));
                let hint =
                    meant.map_or("`--list-rules` lists them".to_owned(), |meant| format!("did you mean `{meant}`?"));
                return Err(error.hint(hint).into());
            }
        }
        Ok(Self { only: only.to_vec(), skip: skip.to_vec(), with: with.to_vec() })
    }

    /// Whether what has this code is told.
    pub(crate) fn has(&self, code: &str) -> bool {
        let is_in = |list: &[String]| list.iter().any(|pattern| covers(pattern, code));
        if is_in(&self.skip) {
            return false;
        }
        if !self.only.is_empty() {
            return is_in(&self.only);
        }
        rule(code).is_none_or(|rule| rule.is_on) || is_in(&self.with)
    }

    /// Whether all rules that are on by default are: only then it can be said that a suppression is of no use.
    pub(crate) fn is_whole(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }
}
