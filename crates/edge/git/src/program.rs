//! Git itself, for what is its users' own to set up: credentials helpers, ssh, keys that sign, hooks.

use crate::credentials::shown_urls;
use crate::local::LocalRepository;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

/// What Git has left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    /// What it complains of, without credentials.
    pub(crate) complaint: String,
}

impl Ran {
    /// What it printed, if all went well.
    pub(crate) fn succeeded(&self) -> Option<&str> {
        (self.code == Some(0)).then_some(self.output.as_str())
    }
}

/// What would lead Git elsewhere.
const LEADING: [&str; 10] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
];

/// `git` in a folder and in no other repository, with words that can be read.
pub(crate) fn git(folder: &Utf8Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).env("LC_ALL", "C");
    LEADING.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// Sees to it that ssh does not wait without end for a server that is gone, unless its user has said how ssh is to be run.
pub(crate) fn bound_ssh(command: &mut Command, folder: &Utf8Path) {
    let is_said = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some());
    let is_configured = || {
        let asked = git(folder).args(["config", "--get", "core.sshCommand"]).stdin(Stdio::null()).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    if !is_said && !is_configured() {
        let bounded = "ssh -o ConnectTimeout=60 -o ServerAliveInterval=20 -o ServerAliveCountMax=3";
        command.env("GIT_SSH_COMMAND", bounded);
    }
}

impl LocalRepository {
    /// Runs `git` in the repository, as its user would: with hooks and helpers.
    ///
    /// # Errors
    /// `git-program` where it can't be run.
    pub(crate) fn program(&self, arguments: &[&str], input: &[u8]) -> Result<Ran> {
        self.program_with(arguments, input, &[])
    }

    /// The same, with further variables in its environment.
    pub(crate) fn program_with(&self, arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Result<Ran> {
        let fail = |error: std::io::Error| Diagnostic::error("git-program", format!("`git` can't be run: {error}"));
        let mut command = git(self.folder());
        command.args(arguments);
        if !std::io::stdin().is_terminal() {
            // Nobody would answer.
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        // A server that has fallen silent is not waited for; who has set other bounds keeps them.
        for (name, value) in [("GIT_HTTP_LOW_SPEED_LIMIT", "1"), ("GIT_HTTP_LOW_SPEED_TIME", "60")] {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        if arguments.iter().any(|argument| ["fetch", "push", "ls-remote"].contains(argument)) {
            bound_ssh(&mut command, self.folder());
        }
        command.envs(variables.iter().copied());
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
            complaint: shown_urls(complaint.trim()),
        })
    }
}
