//! What comes and goes in several steps, noted before the first: [`LocalRepository::settle`] takes an addition back that was
//! interrupted, and ends a removal.
//!
//! Whatever is done here may be interrupted as well: each step does nothing where it was done before.

use super::{Program, Staging, absolute};
use crate::journal::Journal;
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::BStr;
use onepane_diagnostics::{Diagnostic, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::time::Duration;

/// A service that is on its way.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note {
    name: String,
    path: Utf8PathBuf,
    is_removal: bool,
    /// Whether its files were there before it was added.
    has_files: bool,
    /// `.gitmodules` as it was.
    modules: Option<String>,
    /// What the index had of it: mode and name of its contents.
    staged: Option<(String, String)>,
}

impl LocalRepository {
    /// Notes that a service comes or goes.
    pub(crate) fn note_membership(&self, name: &str, path: &Utf8Path, is_removal: bool, has_files: bool) -> Result<()> {
        let journal = self.membership()?;
        let fail =
            |why: String| Diagnostic::error("src-staging", format!("`{}` can't be written: {why}", journal.place()));
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let index = self.git().index_or_empty().map_err(|error| fail(error.to_string()))?;
        let staged = index
            .entry_by_path(BStr::new(".gitmodules"))
            .map(|entry| (format!("{:o}", entry.mode.bits()), entry.id.to_string()));
        let modules = fs::read_to_string(top.join(".gitmodules")).ok();
        let note = Note { name: name.to_owned(), path: path.to_owned(), is_removal, has_files, modules, staged };
        journal.note(&note).map_err(|error| fail(error.to_string()))
    }

    /// Forgets that one came or went.
    pub(crate) fn forget_membership(&self) -> Result<()> {
        let journal = self.membership()?;
        journal.forget().map_err(|error| {
            Diagnostic::error("src-staging", format!("`{}` can't be removed: {error}", journal.place()))
        })
    }

    /// Takes an addition back, or ends a removal, that was interrupted.
    pub(crate) fn settle(&self, staging: &Staging) -> Result<()> {
        let journal = self.membership()?;
        let place = journal.place();
        let fail = |why: String| {
            Diagnostic::error(
                "src-staging",
                format!("what was interrupted, and noted in `{place}`, can't be settled: {why}"),
            )
        };
        let noted =
            journal.noted::<Note>().map_err(|error| fail(format!("it is no such note ({error}): delete it")))?;
        let Some(note) = noted else { return Ok(()) };
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let git_dir = absolute(self.git().git_dir())?;
        // Whoever of ours had them is gone, since the lock is ours. Somebody else who has begun meanwhile keeps theirs.
        let locks = [git_dir.join("index.lock"), git_dir.join("config.lock"), top.join(".gitmodules.lock")];
        let held: Vec<&Utf8PathBuf> = locks.iter().filter(|lock| lock.exists()).collect();
        if !held.is_empty() && !is_left_alone(&top) {
            return Err(fail(format!("another Git is at work in `{top}`")));
        }
        for lock in held {
            let made = |path: &Utf8Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
            if made(lock) >= made(place) {
                let _ = fs::remove_file(lock);
            }
        }
        let program = Program { lock: Some(&staging.lock) };
        let settled = if note.is_removal {
            removed(&program, &top, &git_dir, &note)
        } else {
            taken_back(&program, &top, &git_dir, &note)
        };
        settled.map_err(fail)?;
        self.forget_membership()
    }

    fn membership(&self) -> Result<Journal> {
        Ok(Journal::at(absolute(self.git().git_dir())?.join("onepane/membership")))
    }
}

/// Whether no Git works at the top of a working tree, where all that change its index do. One that was left behind by a killed
/// run gets the time to end. Where processes can't be listed, a moment has to do.
fn is_left_alone(top: &Utf8Path) -> bool {
    const PAUSE: Duration = Duration::from_millis(300);
    const PAUSES: usize = 20;
    let top = top.canonicalize().ok();
    let is_at_work = || {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes.map(|process| process.path()).any(|process| {
            fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "git")
                && fs::read_link(process.join("cwd")).ok() == top
        })
    };
    (0..PAUSES).any(|_| {
        std::thread::sleep(PAUSE);
        !is_at_work()
    })
}

fn gone(folder: &Utf8Path) -> std::result::Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("`{folder}`: {error}")),
        _ => Ok(()),
    }
}

fn without_section(program: &Program<'_>, top: &Utf8Path, file: &[&str], name: &str) {
    // It complains where there is none.
    let section = format!("submodule.{name}");
    let _ = program.run(top, &[&["config"], file, &["--remove-section", &section]].concat());
}

fn taken_back(
    program: &Program<'_>,
    top: &Utf8Path,
    git_dir: &Utf8Path,
    note: &Note,
) -> std::result::Result<(), String> {
    program.run(top, &["update-index", "--force-remove", "--", note.path.as_str()])?;
    if !note.has_files {
        gone(&top.join(&note.path))?;
        gone(&git_dir.join("modules").join(&note.name))?;
        // Folders that were made for it, and hold nothing else.
        for above in note.path.ancestors().skip(1).filter(|above| !above.as_str().is_empty()) {
            let _ = fs::remove_dir(top.join(above));
        }
    }
    without_section(program, top, &["--local"], &note.name);
    let file = top.join(".gitmodules");
    let now = fs::read_to_string(&file).ok();
    if now != note.modules {
        match &note.modules {
            // What Git has added stands behind what was there.
            Some(before) if now.as_ref().is_none_or(|now| now.starts_with(before.as_str())) => {
                fs::write(&file, before).map_err(|error| format!("`{file}`: {error}"))?;
            }
            None if now.as_ref().is_some_and(|now| now.matches("[submodule").count() <= 1) => {
                fs::remove_file(&file).map_err(|error| format!("`{file}`: {error}"))?;
            }
            // Somebody has written to it meanwhile.
            _ => without_section(program, top, &["--file", ".gitmodules"], &note.name),
        }
    }
    match &note.staged {
        Some((mode, id)) => {
            program.run(top, &["update-index", "--add", "--cacheinfo", &format!("{mode},{id},.gitmodules")])?;
        }
        None => {
            program.run(top, &["update-index", "--force-remove", "--", ".gitmodules"])?;
        }
    }
    // As if nobody had touched it.
    let _ = program.run(top, &["update-index", "-q", "--refresh"]);
    Ok(())
}

fn removed(program: &Program<'_>, top: &Utf8Path, git_dir: &Utf8Path, note: &Note) -> std::result::Result<(), String> {
    gone(&top.join(&note.path))?;
    program.run(top, &["update-index", "--force-remove", "--", note.path.as_str()])?;
    without_section(program, top, &["--file", ".gitmodules"], &note.name);
    if top.join(".gitmodules").exists() {
        program.run(top, &["add", "--", ".gitmodules"])?;
    }
    without_section(program, top, &["--local"], &note.name);
    gone(&git_dir.join("modules").join(&note.name))
}
