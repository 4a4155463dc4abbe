//! Running the binary under test: with a clean environment and a time limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use wait_timeout::ChildExt;

/// A process that has ended.
pub struct Finished {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
}

impl Finished {
    /// Whether it ended in a signal or a panic.
    pub fn crashed(&self) -> bool {
        matches!(self.code, None | Some(101 | 134 | 139))
    }
}

/// The real tool `name`, to be asked the same; where it is not there, the comparison is skipped and says so.
pub fn peer(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("ONEPANE_PEERS").map(PathBuf::from);
    let cached = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/onepane-peers"));
    let program = given.or_else(cached)?.join(name);
    if !program.is_file() {
        println!("SKIPPED comparison with {name}: it is not in $ONEPANE_PEERS or ~/.cache/onepane-peers");
        return None;
    }
    Some(program)
}

/// Runs `program` in `folder` with nothing in its environment but `PATH`, a home of its own and UTC.
pub fn run(program: &Path, arguments: &[String], folder: &Path, home: &Path) -> Result<Finished, String> {
    run_with(program, arguments, folder, home, &[])
}

/// [`run`] with a home that is gone afterwards.
///
/// # Panics
/// If the program can't be started, or does not end.
pub fn run_once(program: &str, arguments: &[&str], folder: &Path) -> Finished {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    run(Path::new(program), &arguments, folder, home.path()).expect("it ends in time")
}

/// [`run`] with more `variables` in its environment.
pub fn run_with(
    program: &Path,
    arguments: &[String],
    folder: &Path,
    home: &Path,
    variables: &[(String, String)],
) -> Result<Finished, String> {
    const LIMIT: Duration = Duration::from_secs(120);
    let (out, err) = (home.join("stdout"), home.join("stderr"));
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("TZ", "UTC"), ("LC_ALL", "C")])
        .env("HOME", home)
        .env("TMPDIR", home)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(create(&out)?)
        .stderr(create(&err)?)
        .spawn()
        .map_err(|error| format!("{} can't be started: {error}", program.display()))?;
    let Some(status) = child.wait_timeout(LIMIT).map_err(|error| error.to_string())? else {
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        return Err(format!("it did not end within {} s", LIMIT.as_secs()));
    };
    let read = |path: &Path| -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    Ok(Finished {
        code: status.code(),
        stdout: read(&out)?,
        stderr: String::from_utf8_lossy(&read(&err)?).into_owned(),
    })
}
