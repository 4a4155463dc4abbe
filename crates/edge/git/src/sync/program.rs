//! The program `git`, for what it alone can do: [`Program`].

use crate::program::git;
use camino::Utf8Path;
use std::fs::File;
use std::process::Stdio;

/// `git`, run so that nothing but what is asked for happens: no hooks, no questions on the terminal, no upkeep.
pub(crate) struct Program<'l> {
    /// Held by every process that is started, so that whoever wants the lock waits for those that we left behind.
    pub(crate) lock: Option<&'l File>,
}

impl Program<'_> {
    /// Runs it in `folder`, and gives what it prints, or what it complains about.
    pub(crate) fn run(&self, folder: &Utf8Path, arguments: &[&str]) -> Result<String, String> {
        let mut command = git(folder);
        command
            .args(["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"])
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.ext.allow=never"])
            .args(["-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false"])
            // A server that falls silent is left after a minute.
            .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"])
            .args(arguments)
            .env("GIT_PROTOCOL_FROM_USER", "0")
            // Whoever only asks writes nothing, and leaves no lock where he is killed.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_DEFAULT_HASH", "sha1")
            .env("GIT_DEFAULT_REF_FORMAT", "files");
        if std::env::var_os("GIT_TERMINAL_PROMPT").is_none() {
            // Several ask at once, and nobody could tell for whom.
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        let held = self.lock.and_then(|lock| lock.try_clone().ok());
        command.stdin(held.map_or_else(Stdio::null, Stdio::from));
        let output = command.output().map_err(|error| format!("`git` can't be started: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(6)..];
        Err(if last.is_empty() { format!("git {}", output.status) } else { last.join("; ") })
    }
}
