//! The program `git`, for what it alone can do: [`Program`].

use crate::program::{Failed, Printed, SILENCE, bound_ssh, git, said_nothing, watched, without_progress};
use camino::Utf8Path;
use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

/// What asks a server.
const ASKING: [&str; 3] = ["fetch", "ls-remote", "add"];

/// A fetch of just what is asked for.
pub(crate) const FETCH: [&str; 4] = ["fetch", "--quiet", "--no-write-fetch-head", "--recurse-submodules=no"];

/// `git`, run so that nothing but what is asked for happens: no hooks, no questions on the terminal, no upkeep.
pub(crate) struct Program<'l> {
    /// Held by every process that is started, so that whoever wants the lock waits for those that we left behind.
    pub(crate) lock: Option<&'l File>,
}

impl Program<'_> {
    /// Runs it in `folder`, and gives what it prints, or what it complains about.
    pub(crate) fn run(&self, folder: &Utf8Path, arguments: &[&str]) -> Result<String, String> {
        self.run_within(folder, arguments, SILENCE)
    }

    fn run_within(&self, folder: &Utf8Path, arguments: &[&str], silence: Duration) -> Result<String, String> {
        let mut command = git(folder);
        command
            .args(["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"])
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.ext.allow=never"])
            .args(["-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false"])
            // A server that falls silent is left after a minute.
            .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"])
            .env("GIT_PROTOCOL_FROM_USER", "0")
            // Whoever only asks writes nothing, and leaves no lock where he is killed.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_DEFAULT_HASH", "sha1")
            .env("GIT_DEFAULT_REF_FORMAT", "files");
        let asks = arguments.iter().any(|argument| ASKING.contains(argument));
        let is_fetch = arguments.contains(&"fetch");
        for argument in arguments {
            // That it gets on is known by what it says.
            command.arg(if is_fetch && *argument == "--quiet" { "--progress" } else { argument });
        }
        if asks {
            bound_ssh(&mut command, folder);
        }
        if std::env::var_os("GIT_TERMINAL_PROMPT").is_none() {
            // Several ask at once, and nobody could tell for whom.
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        let held = self.lock.and_then(|lock| lock.try_clone().ok());
        command.stdin(held.map_or_else(Stdio::null, Stdio::from));
        match watched(command, Vec::new(), asks.then_some(silence)) {
            Ok(Printed { status, output, .. }) if status.success() => Ok(String::from_utf8_lossy(&output).into_owned()),
            Ok(Printed { status, complaint, .. }) => {
                let lines = without_progress(&complaint);
                let last = &lines[lines.len().saturating_sub(6)..];
                Err(if last.is_empty() { format!("git {status}") } else { last.join("; ") })
            }
            Err(Failed::Silent(silence)) => Err(said_nothing(silence)),
            Err(Failed::Program(error)) => Err(format!("`git` can't be run: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_server_that_says_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("it is UTF-8");
        let program = Program { lock: None };
        program.run(top, &["init", "--quiet"]).expect("it can be made");
        // It takes what it is told, and answers nothing.
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = server.local_addr().expect("it has one").port();
        let begin = Instant::now();
        let url = format!("git://127.0.0.1:{port}/x");
        let failed = program.run_within(top, &["fetch", "--quiet", &url], Duration::from_secs(1));
        assert_eq!(failed, Err("the server said nothing for 1 seconds".to_owned()));
        program.run(top, &["config", "core.sshCommand", "sleep 20; :"]).expect("it can be set");
        let failed = program.run_within(top, &["ls-remote", "ssh://h/x"], Duration::from_secs(1));
        assert_eq!(failed, Err("the server said nothing for 1 seconds".to_owned()));
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        // What is wrong is told without how far it was.
        let failed = program.run(top, &["fetch", "--quiet", "git://127.0.0.1:1/x"]);
        assert!(failed.as_ref().is_err_and(|why| why.contains("unable to connect to 127.0.0.1")), "{failed:?}");
    }
}
