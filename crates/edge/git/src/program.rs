//! Git itself, for what is its users' own to set up: credentials helpers, ssh, keys that sign, hooks.

use crate::local::LocalRepository;
use onepane_diagnostics::{Diagnostic, Result};
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

/// What Git has left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    /// What it complains of, without passwords.
    pub(crate) complaint: String,
}

impl Ran {
    /// What it printed, if all went well.
    pub(crate) fn succeeded(&self) -> Option<&str> {
        (self.code == Some(0)).then_some(self.output.as_str())
    }
}

impl LocalRepository {
    /// Runs `git` in the repository.
    ///
    /// # Errors
    /// `git-program` where it can't be run.
    pub(crate) fn program(&self, arguments: &[&str], input: &[u8]) -> Result<Ran> {
        let fail = |error: std::io::Error| Diagnostic::error("git-program", format!("`git` can't be run: {error}"));
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder()).args(arguments);
        // Its words are read.
        command.env("LC_ALL", "C");
        if !std::io::stdin().is_terminal() || arguments.contains(&"credential") {
            // Nobody would answer, or is to be asked.
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        // A server that has fallen silent is not waited for; who has set other bounds keeps them.
        for (name, value) in [("GIT_HTTP_LOW_SPEED_LIMIT", "1"), ("GIT_HTTP_LOW_SPEED_TIME", "60")] {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(fail)?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // One that does not read it all has a reason, which it tells.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        });
        let output = output.map_err(fail)?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        Ok(Ran {
            code: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: without_passwords(complaint.trim()),
        })
    }
}

/// A text in whose addresses no password stands.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = address.find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"')).unwrap_or(address.len());
        let (authority, after) = address.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                clean.push_str(user.split(':').next().unwrap_or_default());
                clean.push('@');
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_repeated() {
        for (text, clean) in [
            ("fatal: 'https://u:p@h/x' and ssh://git@h:22/y", "fatal: 'https://u@h/x' and ssh://git@h:22/y"),
            ("http://a:b@c@h/", "http://a@h/"),
            ("nothing: here", "nothing: here"),
        ] {
            assert_eq!(without_passwords(text), clean);
        }
    }
}
