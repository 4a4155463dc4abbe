//! A plain text on disk for as long as an editor has it: [`EditedFile`].

use crate::process::look_up;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_keys::words;
use onepane_sops::Secret;
use onepane_world::OsWorld;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// A file that only the user can read, in a folder of its own. Both are gone when this is dropped, and when we are told
/// to end.
pub(super) struct EditedFile {
    path: PathBuf,
    /// Removes itself, and what an editor left in it.
    _folder: tempfile::TempDir,
    watch: watch::Watch,
}

/// What is tried where no variable names an editor, as `sops` does.
const EDITORS: [&str; 3] = ["vim", "nano", "vi"];

impl EditedFile {
    /// Writes `text` to a file called `name`, so that the editor knows what it is.
    pub(super) fn new(name: &str, text: &Secret) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Diagnostic::error("secrets-edit", format!("there can be no temporary file: {error}"))
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix("onepane-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir().map_err(failed)?;
        // From now on, so that nothing is left when we are ended while we write.
        let watch = watch::Watch::start(folder.path());
        let path = folder.path().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).and_then(|mut file| file.write_all(text.reveal())).map_err(failed)?;
        Ok(Self { path, _folder: folder, watch })
    }

    /// What is in it.
    pub(super) fn read(&self) -> Result<Secret> {
        let unreadable = |error| Diagnostic::error("secrets-edit", format!("what was edited can't be read: {error}"));
        std::fs::read(&self.path).map(Secret::new).map_err(unreadable)
    }

    /// Runs the user's editor on it and waits.
    pub(super) fn open_editor(&self) -> Result<()> {
        let words = editor()?;
        let failed = |what: String| {
            Diagnostic::error("secrets-edit", format!("the editor `{}` {what}", words[0]))
                .hint("SOPS_EDITOR or EDITOR name another one")
        };
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(&self.path);
        let mut child = command.spawn().map_err(|error| failed(format!("can't be started: {error}")))?;
        let status = self.watch.wait(&mut child).map_err(|error| failed(format!("was lost: {error}")))?;
        if status.success() { Ok(()) } else { Err(failed(format!("failed: {status}"))) }
    }
}

/// The program and its arguments.
fn editor() -> Result<Vec<String>> {
    let wrong = |message: String| Diagnostic::error("secrets-edit", message).hint("SOPS_EDITOR or EDITOR name one");
    for name in ["SOPS_EDITOR", "EDITOR"] {
        if let Some(line) = std::env::var(name).ok().filter(|line| !line.trim().is_empty()) {
            return words(&line).ok_or_else(|| wrong(format!("{name} has an open quote")));
        }
    }
    let world = OsWorld::unrestricted("/");
    let found = EDITORS.iter().find_map(|name| look_up(name, &world).ok());
    let found = found.ok_or_else(|| wrong(format!("there is none of the editors {}", EDITORS.join(", "))))?;
    Ok(vec![found.into_string()])
}

/// What ends us ends the editor first, and leaves no plain text behind.
#[cfg(unix)]
mod watch {
    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::TERM_SIGNALS;
    use signal_hook::iterator::Signals;
    use std::path::Path;
    use std::process::{Child, ExitStatus};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    /// How long an editor has to end by itself.
    const GRACE: Duration = Duration::from_secs(2);

    #[derive(Default)]
    struct State {
        /// The editor's process; 0 where there is none.
        editor: AtomicU32,
        is_ending: AtomicBool,
    }

    pub(super) struct Watch(Arc<State>);

    impl Watch {
        pub(super) fn start(folder: &Path) -> Self {
            let state = Arc::<State>::default();
            let watch = Self(state.clone());
            let Ok(mut signals) = Signals::new(TERM_SIGNALS) else { return watch };
            let folder = folder.to_owned();
            std::thread::spawn(move || {
                for number in signals.forever() {
                    state.is_ending.store(true, Ordering::SeqCst);
                    let id = i32::try_from(state.editor.load(Ordering::SeqCst)).ok().and_then(Pid::from_raw);
                    if let (Some(id), Some(signal)) = (id, Signal::from_named_raw(number)) {
                        // It may be gone already.
                        let _ = kill_process(id, signal);
                    }
                    let start = Instant::now();
                    while state.editor.load(Ordering::SeqCst) != 0 && start.elapsed() < GRACE {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    let _ = std::fs::remove_dir_all(&folder);
                    let _ = signal_hook::low_level::emulate_default_handler(number);
                }
            });
            watch
        }

        pub(super) fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
            self.0.editor.store(child.id(), Ordering::SeqCst);
            let status = child.wait();
            self.0.editor.store(0, Ordering::SeqCst);
            // Whatever the editor made of its end is no edit; the other thread ends us.
            while self.0.is_ending.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            status
        }
    }
}

#[cfg(not(unix))]
mod watch {
    use std::path::Path;
    use std::process::{Child, ExitStatus};

    pub(super) struct Watch;

    impl Watch {
        pub(super) fn start(_: &Path) -> Self {
            Self
        }

        pub(super) fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
            child.wait()
        }
    }
}
