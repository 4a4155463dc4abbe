//! Programs that others want started: fed, read to a limit, and ended with all that they started where something goes
//! wrong. What they are for is their callers' to know; what went wrong is said in Go's words, as the upstream tools do.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::World;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};

/// More of what a program complains is not kept.
const LARGEST_COMPLAINT: u64 = 1 << 20;

/// What becomes of a program's standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complaints {
    /// It is ours.
    Shown,
    /// It is kept for whoever started the program.
    Kept,
}

/// What a program left behind.
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    /// Its exit status in Go's words.
    pub(crate) status: String,
    pub(crate) output: Vec<u8>,
    pub(crate) complaint: String,
}

/// Why a program did not run to its end.
pub(crate) enum Unable {
    Start(std::io::Error),
    Read(String),
}

impl Unable {
    /// Go's words.
    pub(crate) fn words(&self, program: &str) -> String {
        match self {
            Self::Start(error) if error.kind() == std::io::ErrorKind::NotFound && !program.contains('/') => {
                format!("exec: {program:?}: executable file not found in $PATH")
            }
            Self::Start(error) => format!("fork/exec {program}: {}", go_words(error)),
            Self::Read(problem) => problem.clone(),
        }
    }
}

/// Runs `command` with `input` on its standard input and takes at most `limit` bytes of its output. That it does not
/// read all of the input is no failure.
pub(crate) fn run(mut command: Command, input: Vec<u8>, limit: u64, complaints: Complaints) -> Result<Ran, Unable> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(if complaints == Complaints::Kept { Stdio::piped() } else { Stdio::inherit() });
    let mut child = group::spawn(&mut command).map_err(Unable::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // Nobody waits for who writes and who keeps complaints: a program may end and leave its pipes to another one.
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let complaint = stderr.map(|mut stderr| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.by_ref().take(LARGEST_COMPLAINT).read_to_end(&mut text);
            // The rest is read as well, so that the program does not wait for a reader for ever.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            text
        })
    });
    let mut output = Vec::new();
    let read = stdout.map_or(Ok(0), |stdout| stdout.take(limit + 1).read_to_end(&mut output));
    if read.is_err() || output.len() as u64 > limit {
        group::kill(&mut child);
        read.map_err(|error| Unable::Read(go_words(&error)))?;
        return Err(Unable::Read(format!("its output is larger than {limit} bytes")));
    }
    let complaint = complaint.and_then(|complaint| complaint.join().ok()).unwrap_or_default();
    let status = group::wait(&mut child).map_err(Unable::Start)?;
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    Ok(Ran { succeeded: status.success(), status: in_words(status), output, complaint })
}

/// An exit status as Go writes it.
fn in_words(status: ExitStatus) -> String {
    if let Some(code) = status.code() {
        return format!("exit status {code}");
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            1 => "hangup",
            2 => "interrupt",
            3 => "quit",
            4 => "illegal instruction",
            6 => "aborted",
            8 => "floating point exception",
            9 => "killed",
            11 => "segmentation fault",
            13 => "broken pipe",
            14 => "alarm clock",
            15 => "terminated",
            _ => return format!("signal: signal {signal}"),
        };
        let dumped = std::os::unix::process::ExitStatusExt::core_dumped(&status);
        return format!("signal: {name}{}", if dumped { " (core dumped)" } else { "" });
    }
    status.to_string()
}

/// Each program is the first of a group of processes, which is ended as a whole where something is wrong with the
/// program, and gets what interrupts us.
#[cfg(unix)]
mod group {
    use super::{Child, Command, ExitStatus};
    use rustix::process::{Pid, Signal, kill_process_group};
    use signal_hook::consts::TERM_SIGNALS;
    use signal_hook::iterator::Signals;
    use std::os::unix::process::CommandExt;
    use std::sync::{Mutex, MutexGuard, Once, PoisonError};
    use std::time::{Duration, Instant};

    /// How long a program has to end by itself: `docker` is to pass on to its container that it must.
    const GRACE: Duration = Duration::from_secs(2);

    static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

    fn running() -> MutexGuard<'static, Vec<u32>> {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spawn(command: &mut Command) -> std::io::Result<Child> {
        static WATCH: Once = Once::new();
        WATCH.call_once(watch);
        // Held until the program is listed, so that an interruption meanwhile reaches it.
        let mut running = running();
        let child = command.process_group(0).spawn()?;
        running.push(child.id());
        Ok(child)
    }

    /// Passes on what ends us: a terminal interrupts our group, in which the programs are not.
    fn watch() {
        let Ok(mut signals) = Signals::new(TERM_SIGNALS) else { return };
        std::thread::spawn(move || {
            for number in signals.forever() {
                if let Some(signal) = Signal::from_named_raw(number) {
                    running().iter().for_each(|id| send(*id, signal));
                }
                let _ = signal_hook::low_level::emulate_default_handler(number);
            }
        });
    }

    fn send(id: u32, signal: Signal) {
        if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process_group(group, signal);
        }
    }

    pub(super) fn kill(child: &mut Child) {
        send(child.id(), Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whatever it started and left.
        send(child.id(), Signal::KILL);
        let _ = wait(child);
    }

    pub(super) fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
        let status = child.wait();
        running().retain(|id| *id != child.id());
        status
    }
}

#[cfg(not(unix))]
mod group {
    use super::{Child, Command, ExitStatus};

    pub(super) fn spawn(command: &mut Command) -> std::io::Result<Child> {
        command.spawn()
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
        let _ = child.wait();
    }

    pub(super) fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
        child.wait()
    }
}

/// Where a program lies: `$PATH` is looked through for a bare name, as Go's `exec.LookPath` does.
pub(crate) fn look_up(name: &str, world: &dyn World) -> Result<Utf8PathBuf, String> {
    let absolute = |path: &Utf8Path| camino::absolute_utf8(path).map_err(|error| error.to_string());
    if name.contains('/') {
        return match is_program(Utf8Path::new(name)) {
            Ok(()) => absolute(Utf8Path::new(name)),
            Err(problem) => Err(format!("exec: {name:?}: {problem}")),
        };
    }
    let path = world.env("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok());
    let mut places = folders.map(|folder| folder.join(name));
    match places.find(|place| is_program(place).is_ok()) {
        Some(place) => absolute(&place),
        None => Err(format!("exec: {name:?}: executable file not found in $PATH")),
    }
}

fn is_program(path: &Utf8Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("stat {path}: {}", go_words(&error)))?;
    if metadata.is_dir() {
        return Err("is a directory".to_owned());
    }
    if is_executable(&metadata) { Ok(()) } else { Err("permission denied".to_owned()) }
}

/// Whether somebody may execute a file.
#[cfg(unix)]
pub(crate) fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

/// Whether somebody may execute a file, which only its name says here.
#[cfg(not(unix))]
pub(crate) fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

/// An error of the system in Go's letter case, without Rust's number behind it.
pub(crate) fn go_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, input: Vec<u8>, limit: u64) -> Result<Ran, Unable> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, input, limit, Complaints::Kept)
    }

    #[test]
    fn a_program_that_writes_while_it_is_written_to_is_read() {
        let input = vec![b'x'; 4 << 20];
        let ran = shell("cat", input.clone(), 8 << 20).unwrap_or_else(|error| panic!("{}", error.words("sh")));
        assert!(ran.succeeded && ran.output == input);
        let unread = shell("echo done; exit 3", input, 1 << 10).unwrap_or_else(|error| panic!("{}", error.words("sh")));
        assert_eq!((unread.status.as_str(), &*unread.output), ("exit status 3", &b"done\n"[..]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_prints_too_much_is_ended_with_all_that_it_started() {
        // The one that it starts holds the pipes as well, and would never end.
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("id");
        let file_name = file.display();
        let script = format!("sh -c 'echo $$ > {file_name}; yes' & while [ ! -s {file_name} ]; do :; done; yes");
        let error = shell(&script, Vec::new(), 1 << 16).err().map(|error| error.words("sh"));
        assert_eq!(error.as_deref(), Some("its output is larger than 65536 bytes"));
        let id = std::fs::read_to_string(&file).unwrap_or_default();
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        let is_gone = |state: String| state.is_empty() || state.contains(" Z ");
        for _ in 0..100 {
            if is_gone(state()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert!(!id.is_empty() && is_gone(state()), "{id} still runs: {}", state());
    }

    #[test]
    fn a_signal_has_gos_name() {
        let ran = shell("kill -TERM $$", Vec::new(), 10).unwrap_or_else(|error| panic!("{}", error.words("sh")));
        assert_eq!(ran.status, "signal: terminated");
    }
}
