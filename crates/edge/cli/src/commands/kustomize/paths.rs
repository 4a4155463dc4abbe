//! Paths on the command line: patterns, and what may be a repository.

use super::Failure;
use crate::remotes::FetchedRemotes;
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_kustomize::{Remotes, RepositoryUrl};

/// The files and folders that a pattern matches, hidden ones left out.
pub(super) fn globbed(pattern: &str) -> Result<Vec<String>, Failure> {
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    // Two asterisks are as good as one to Go.
    let mut plain = pattern.to_owned();
    while plain.contains("**") {
        plain = plain.replace("**", "*");
    }
    let paths = glob::glob_with(&plain, options)
        .map_err(|_| Failure::text("error checking the filesystem: syntax error in pattern"))?;
    let paths = paths.flatten().filter_map(|path| path.into_os_string().into_string().ok());
    let hidden = |path: &String| {
        Utf8Path::new(path).iter().any(|part| part.starts_with('.') && !part.trim_matches('.').is_empty())
    };
    Ok(paths.filter(|path| !hidden(path)).collect())
}

/// What a pattern matches; what is no pattern may be a repository.
pub(super) fn matching(pattern: &str) -> Result<Vec<String>, Failure> {
    let found = globbed(pattern)?;
    if !found.is_empty() {
        return Ok(found);
    }
    match RepositoryUrl::parse(pattern) {
        Some(url) => FetchedRemotes::new(false).repository(&url).map(drop)?,
        None if Utf8Path::new(pattern).is_dir() => {}
        None => {
            let message = format!("{pattern} has no match: there is no such file or folder");
            return Err(Diagnostic::error("kustomize-missing-file", message).into());
        }
    }
    Ok(vec![pattern.to_owned()])
}
