//! Git itself, for what is its users' own to set up: credentials helpers, ssh, keys that sign, hooks.

use crate::credentials::shown_urls;
use crate::local::LocalRepository;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use std::io::{IsTerminal, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

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
    /// `git-program` where it can't be run, `git-remote` for a server that says nothing any more.
    pub(crate) fn program(&self, arguments: &[&str], input: &[u8]) -> Result<Ran> {
        self.program_with(arguments, input, &[])
    }

    /// The same, with further variables in its environment.
    pub(crate) fn program_with(&self, arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Result<Ran> {
        let is = |name: &str| arguments.first() == Some(&name);
        // Whoever is at the terminal may have to look for a password; with a push, hooks of both sides may be at work.
        let is_slow = is("push") || std::io::stdin().is_terminal();
        let asks = is("fetch") || is("ls-remote") || is("push");
        self.program_within(arguments, input, variables, asks.then_some(if is_slow { LONG_SILENCE } else { SILENCE }))
    }

    fn program_within(
        &self,
        arguments: &[&str],
        input: &[u8],
        variables: &[(&str, &str)],
        silence: Option<Duration>,
    ) -> Result<Ran> {
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
        if silence.is_some() {
            bound_ssh(&mut command, self.folder());
        }
        command.envs(variables.iter().copied()).stdin(Stdio::piped());
        match watched(command, input.to_vec(), silence) {
            Ok(Printed { status, output, complaint }) => Ok(Ran {
                code: status.code(),
                output: String::from_utf8_lossy(&output).into_owned(),
                complaint: shown_urls(&without_progress(&complaint).join("\n")),
            }),
            Err(Failed::Silent(silence)) => Err(Diagnostic::error("git-remote", said_nothing(silence))
                .hint("what it was sent may have arrived all the same; run it again")),
            Err(Failed::Program(error)) => {
                Err(Diagnostic::error("git-program", format!("`git` can't be run: {error}")))
            }
        }
    }
}

/// A server that says nothing for so long is left.
pub(crate) const SILENCE: Duration = Duration::from_secs(120);

/// And where somebody else than it may be what is waited for.
const LONG_SILENCE: Duration = Duration::from_secs(600);

/// What a program has printed until its end.
pub(crate) struct Printed {
    pub(crate) status: ExitStatus,
    pub(crate) output: Vec<u8>,
    pub(crate) complaint: Vec<u8>,
}

/// Why a program did not come to its end.
pub(crate) enum Failed {
    Program(std::io::Error),
    /// It said nothing for so long.
    Silent(Duration),
}

/// What is said of a server that was left.
pub(crate) fn said_nothing(silence: Duration) -> String {
    format!("the server said nothing for {} seconds", silence.as_secs())
}

/// Runs a program to its end. It is ended itself where it says nothing for `silence`; without one it may take its time.
/// `input` is for one whose standard input is a pipe.
pub(crate) fn watched(
    mut command: Command,
    input: Vec<u8>,
    silence: Option<Duration>,
) -> std::result::Result<Printed, Failed> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Failed::Program)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read it all has a reason, which it tells.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let (sender, receiver) = channel();
    forward(child.stdout.take(), false, sender.clone());
    forward(child.stderr.take(), true, sender);
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    loop {
        let next = match silence {
            Some(silence) => receiver.recv_timeout(silence),
            None => receiver.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok((true, bytes)) => complaint.extend(bytes),
            Ok((false, bytes)) => output.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                // What it has started ends where its pipes do, or its own time is up.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failed::Silent(silence.unwrap_or_default()));
            }
        }
    }
    let status = child.wait().map_err(Failed::Program)?;
    Ok(Printed { status, output, complaint })
}

fn forward(stream: Option<impl Read + Send + 'static>, is_complaint: bool, to: Sender<(bool, Vec<u8>)>) {
    let Some(mut stream) = stream else { return };
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if to.send((is_complaint, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
}

/// The lines of a complaint that tell what is wrong, and not how far something is.
pub(crate) fn without_progress(complaint: &[u8]) -> Vec<String> {
    let complaint = String::from_utf8_lossy(complaint);
    complaint.split(['\n', '\r']).map(str::trim).filter(|line| !is_progress(line)).map(str::to_owned).collect()
}

/// Whether a line tells how far something is, and not what is wrong.
fn is_progress(line: &str) -> bool {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    let begins = [
        "Enumerating ",
        "Counting ",
        "Compressing ",
        "Delta compression ",
        "Writing ",
        "Receiving ",
        "Resolving ",
        "Total ",
        "From ",
        "* ",
        "Cloning ",
    ];
    line.is_empty() || begins.iter().any(|begin| line.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;

    #[test]
    fn a_server_that_says_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("it is UTF-8");
        onepane_testkit::git(folder.path(), &["init", "--quiet"]);
        onepane_testkit::git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "one"]);
        let repository = LocalRepository::of(top).expect("it is one");
        // They take what they are told, and answer nothing.
        let server = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = server.local_addr().expect("it has one").port();
        let second = Some(Duration::from_secs(1));
        let begin = Instant::now();
        for url in [format!("git://127.0.0.1:{port}/x"), format!("http://127.0.0.1:{port}/x"), "ssh://h/x".to_owned()] {
            if url.starts_with("ssh") {
                onepane_testkit::git(folder.path(), &["config", "core.sshCommand", "sleep 20; :"]);
            }
            for arguments in
                [&["fetch", "--progress", &url][..], &["push", &url, "HEAD:refs/heads/a"], &["ls-remote", &url]]
            {
                let failed = repository.program_within(arguments, b"", &[], second).err().expect("nobody answers");
                assert_eq!(
                    (failed.code, failed.message.as_str()),
                    ("git-remote", "the server said nothing for 1 seconds")
                );
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
        // Whoever asks no server may be silent: such as a hook, or a key that signs.
        let alias = ["-c", "alias.wait=!sleep 2", "wait"];
        assert_eq!(repository.program(&alias, b"").expect("it can be run").code, Some(0));
        // What is wrong is told, and not how far it came.
        let failed = repository.program(&["fetch", "--progress", "git://127.0.0.1:1/x"], b"").expect("it can be run");
        assert!(
            failed.code != Some(0) && failed.complaint.contains("unable to connect to 127.0.0.1"),
            "{}",
            failed.complaint
        );
    }
}
