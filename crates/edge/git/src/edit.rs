//! Files on disk and pins in the index, changed as a set: [`LocalRepository::write_edit`].
//!
//! All that is to be written is put below `.git/onepane/edit` first, with a note of what was there before and what is to be
//! there after; then one after another takes its place by a rename. Whoever is killed before the first has left everything as
//! it was; later on, the note says what is missing, and whoever comes next does the rest
//! ([`LocalRepository::finish_edit`]). What somebody has changed meanwhile is theirs.

use crate::journal::Journal;
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use tempfile::NamedTempFile;

/// What became of what a killed process has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftEdit {
    /// It had changed nothing yet, and is forgotten.
    TakenBack,
    /// The rest of it is written, these files and pins.
    Finished(Vec<Utf8PathBuf>),
    /// Somebody has changed this since; it is left as it is, and so are all others.
    Overtaken(Utf8PathBuf),
}

/// What is to be done.
#[derive(Serialize, Deserialize)]
struct Note {
    files: Vec<Change>,
    pins: Vec<Change>,
}

/// A file with its contents, or a submodule with its commit.
#[derive(Serialize, Deserialize)]
struct Change {
    path: Utf8PathBuf,
    before: Option<String>,
    after: String,
}

/// Keeps everybody else from it.
struct Desk {
    folder: Utf8PathBuf,
    _lock: File,
}

impl LocalRepository {
    /// Writes files that are there already, by their paths below the folder, and pins submodules in the index: all of it, or
    /// nothing. Files are written through links, and keep their rights.
    ///
    /// # Errors
    /// `git-edit` where something can't be written; then all is as it was before.
    pub fn write_edit(&self, files: &[(Utf8PathBuf, String)], pins: &[(Utf8PathBuf, String)]) -> Result<()> {
        let desk = self.desk()?;
        if self.finish_at(&desk)?.is_some_and(|left| left != LeftEdit::TakenBack) {
            let message = "another run was killed meanwhile, and what it has left is not what this one began with";
            return Err(Diagnostic::error("git-edit", message).hint("run it again"));
        }
        fs::create_dir_all(&desk.folder).map_err(|error| cannot_write(&desk.folder, &error))?;
        let note = self.note(files, pins)?;
        let fail = |error: io::Error| cannot_write(&desk.folder, &error);
        // A full disk shows here, before anything has changed.
        let made = note.files.iter().map(|change| self.make(&desk, change)).collect::<Result<Vec<_>>>()?;
        desk.journal().note(&note).map_err(fail)?;
        let outcome = self.carry_out(&note, made, usize::MAX);
        if let Err(error) = outcome {
            self.take_back(&note);
            desk.clear();
            return Err(error);
        }
        desk.clear();
        Ok(())
    }

    /// Finishes or takes back what a process that was killed has left; `None` where there is nothing.
    ///
    /// # Errors
    /// `git-edit` where something can't be read or written.
    pub fn finish_edit(&self) -> Result<Option<LeftEdit>> {
        // Most find nothing, and need not wait.
        if !journal_in(&self.desk_folder()).is_noted() {
            return Ok(None);
        }
        self.finish_at(&self.desk()?)
    }

    fn finish_at(&self, desk: &Desk) -> Result<Option<LeftEdit>> {
        let journal = desk.journal();
        let noted = journal.noted::<Note>().map_err(|error| {
            Diagnostic::error("git-edit", format!("`{}` can't be read: {error}", journal.place()))
                .hint("it is left of a run that was killed; look at the files, and remove it")
        })?;
        let Some(note) = noted else {
            desk.clear();
            return Ok(None);
        };
        let left = self.finish(desk, note)?;
        desk.clear();
        Ok(Some(left))
    }

    fn finish(&self, desk: &Desk, note: Note) -> Result<LeftEdit> {
        let pinned = self.pinned(note.pins.iter().map(|pin| &pin.path));
        let now = |is_file: bool, change: &Change| match is_file {
            true => fs::read_to_string(self.folder().join(&change.path)).ok(),
            false => pinned.iter().find(|(path, _)| *path == change.path).map(|(_, commit)| commit.clone()),
        };
        let all = note.files.iter().map(|change| (true, change)).chain(note.pins.iter().map(|change| (false, change)));
        let (mut is_begun, mut missing) = (false, Vec::new());
        for (is_file, change) in all {
            match now(is_file, change) {
                Some(now) if now == change.after => is_begun = true,
                now if now == change.before => missing.push(change.path.clone()),
                _ => return Ok(LeftEdit::Overtaken(change.path.clone())),
            }
        }
        if !is_begun {
            return Ok(LeftEdit::TakenBack);
        }
        let made = note.files.iter().map(|change| self.make(desk, change)).collect::<Result<Vec<_>>>()?;
        self.carry_out(&note, made, usize::MAX)?;
        Ok(LeftEdit::Finished(missing))
    }

    /// What there is, and what is to be.
    fn note(&self, files: &[(Utf8PathBuf, String)], pins: &[(Utf8PathBuf, String)]) -> Result<Note> {
        let file = |(path, after): &(Utf8PathBuf, String)| {
            let place = self.folder().join(path);
            let before = fs::read_to_string(&place).map_err(|error| cannot_write(&place, &error))?;
            Ok(Change { path: path.clone(), before: Some(before), after: after.clone() })
        };
        let pinned = self.pinned(pins.iter().map(|(path, _)| path));
        let pin = |(path, after): &(Utf8PathBuf, String)| Change {
            path: path.clone(),
            before: pinned.iter().find(|(other, _)| other == path).map(|(_, commit)| commit.clone()),
            after: after.clone(),
        };
        Ok(Note { files: files.iter().map(file).collect::<Result<_>>()?, pins: pins.iter().map(pin).collect() })
    }

    /// What the index has of these submodules, as Git's own program sees it now.
    fn pinned<'p>(&self, paths: impl Iterator<Item = &'p Utf8PathBuf>) -> Vec<(Utf8PathBuf, String)> {
        let staged = |path: &Utf8PathBuf| {
            let entry = self.prefix().join(path);
            let listed = self.program(&["ls-files", "--stage", "--", &format!(":(top,literal){entry}")], b"").ok()?;
            let commit = listed.succeeded()?.split_whitespace().nth(1)?.to_owned();
            Some((path.clone(), commit))
        };
        paths.filter_map(staged).collect()
    }

    /// The new contents of a file, beside nothing that anybody reads.
    fn make(&self, desk: &Desk, change: &Change) -> Result<NamedTempFile> {
        let target = self.folder().join(&change.path);
        let made = || {
            let rights = target.canonicalize_utf8()?.metadata()?.permissions();
            let mut file = NamedTempFile::new_in(&desk.folder)?;
            file.as_file().set_permissions(rights)?;
            file.write_all(change.after.as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        made().map_err(|error| cannot_write(&target, &error))
    }

    /// The first `most` of the steps.
    fn carry_out(&self, note: &Note, made: Vec<NamedTempFile>, most: usize) -> Result<()> {
        for (change, file) in note.files.iter().zip(made).take(most) {
            let target = self.folder().join(&change.path);
            put(file, &target, &change.after).map_err(|error| cannot_write(&target, &error))?;
        }
        for pin in note.pins.iter().take(most.saturating_sub(note.files.len())) {
            self.stage_pins(&[(pin.path.clone(), pin.after.clone())])?;
        }
        Ok(())
    }

    /// As it was before. What can't be is told by the error that led here.
    fn take_back(&self, note: &Note) {
        for Change { path, before, after } in &note.files {
            let target = self.folder().join(path);
            if let Some(before) = before.as_ref().filter(|_| fs::read_to_string(&target).is_ok_and(|now| now == *after))
            {
                let _ = fs::write(&target, before);
            }
        }
        for Change { path, before, .. } in &note.pins {
            if let Some(before) = before {
                let _ = self.stage_pins(&[(path.clone(), before.clone())]);
            }
        }
    }

    fn desk_folder(&self) -> Utf8PathBuf {
        let git_dir = Utf8Path::from_path(self.git().path()).map(Utf8Path::to_owned).unwrap_or_default();
        git_dir.join("onepane/edit")
    }

    fn desk(&self) -> Result<Desk> {
        let folder = self.desk_folder();
        let take = || {
            fs::create_dir_all(&folder)?;
            let mut options = File::options();
            options.create(true).truncate(false).write(true).read(true);
            let lock = options.open(folder.with_extension("lock"))?;
            lock.lock()?;
            // Whoever had it may have cleared it away.
            fs::create_dir_all(&folder)?;
            Ok(lock)
        };
        let lock = take().map_err(|error: io::Error| cannot_write(&folder, &error))?;
        Ok(Desk { folder, _lock: lock })
    }
}

/// What is noted on a desk.
fn journal_in(folder: &Utf8Path) -> Journal {
    Journal::at(folder.join("note"))
}

impl Desk {
    fn journal(&self) -> Journal {
        journal_in(&self.folder)
    }

    /// The note first: without it nothing else counts.
    fn clear(&self) {
        let _ = self.journal().forget();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Puts a file in the place of another one, through a link; beside it first where that is on another file system.
fn put(file: NamedTempFile, target: &Utf8Path, text: &str) -> io::Result<()> {
    let target = target.canonicalize_utf8()?;
    let Err(refused) = file.persist(&target) else { return Ok(()) };
    if refused.error.kind() != io::ErrorKind::CrossesDevices {
        return Err(refused.error);
    }
    let mut beside = tempfile::Builder::new().prefix(".onepane-").tempfile_in(target.parent().unwrap_or(&target))?;
    beside.as_file().set_permissions(target.metadata()?.permissions())?;
    beside.write_all(text.as_bytes())?;
    beside.persist(&target)?;
    Ok(())
}

fn cannot_write(path: &Utf8Path, error: &io::Error) -> Box<Diagnostic> {
    Diagnostic::error("git-edit", format!("`{path}` can't be written: {error}"))
        .hint("nothing has changed; free the path or the disk and run it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_testkit::git;
    use std::path::Path;
    use tempfile::TempDir;

    const SHA: [&str; 2] = ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"];

    /// A repository with the files `a`, `deep/b` and `c`, and the submodule `s`.
    fn lab() -> (TempDir, LocalRepository) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path();
        git(root, &["init", "--quiet"]);
        fs::create_dir(root.join("deep")).expect("it can be made");
        for name in ["a", "deep/b", "c"] {
            fs::write(root.join(name), "old\n").expect("it can be written");
        }
        git(root, &["update-index", "--add", "--cacheinfo", &format!("160000,{},s", SHA[0])]);
        let repository = LocalRepository::of(Utf8Path::from_path(root).expect("it is UTF-8")).expect("it is one");
        (folder, repository)
    }

    fn wanted() -> [Vec<(Utf8PathBuf, String)>; 2] {
        let files = ["a", "deep/b", "c"].map(|name| (name.into(), "new\n".to_owned())).to_vec();
        [files, vec![("s".into(), SHA[1].to_owned())]]
    }

    /// What the files and the pin are.
    fn state(root: &Path) -> Vec<String> {
        let mut state: Vec<String> = ["a", "deep/b", "c"]
            .iter()
            .map(|name| fs::read_to_string(root.join(name)).expect("it is there").trim().to_owned())
            .collect();
        state.push(git(root, &["ls-files", "--stage", "s"]).split_whitespace().nth(1).expect("it is there").to_owned());
        state
    }

    fn old() -> Vec<String> {
        ["old", "old", "old", SHA[0]].map(str::to_owned).to_vec()
    }

    fn new() -> Vec<String> {
        ["new", "new", "new", SHA[1]].map(str::to_owned).to_vec()
    }

    /// Does the first steps, and leaves what one that is killed then would leave.
    fn killed_after(repository: &LocalRepository, steps: usize) {
        let [files, pins] = wanted();
        let desk = repository.desk().expect("it is free");
        let note = repository.note(&files, &pins).expect("all is there");
        let made: Vec<NamedTempFile> =
            note.files.iter().map(|change| repository.make(&desk, change).expect("it can be made")).collect();
        desk.journal().note(&note).expect("it can be written");
        repository.carry_out(&note, made, steps).expect("they can be done");
    }

    #[test]
    fn all_is_written_and_nothing_is_left() {
        let (folder, repository) = lab();
        let root = folder.path();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o754)).expect("it is ours");
            fs::rename(root.join("c"), root.join("kept")).expect("it is ours");
            symlink("kept", root.join("c")).expect("it can be made");
        }
        let [files, pins] = wanted();
        repository.write_edit(&files, &pins).expect("it can be written");
        assert_eq!(state(root), new());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(root.join("a")).expect("it is there").permissions().mode() & 0o777, 0o754);
            assert!(fs::symlink_metadata(root.join("c")).expect("it is there").is_symlink());
        }
        assert_eq!(repository.finish_edit().expect("nothing is there"), None);
        assert!(!repository.desk_folder().exists());
    }

    #[test]
    fn whoever_is_killed_at_any_step_leaves_all_or_nothing_to_the_next() {
        for steps in 0..=4 {
            let (folder, repository) = lab();
            killed_after(&repository, steps);
            let left = repository.finish_edit().expect("it can be finished").expect("something is left");
            match steps {
                0 => assert_eq!((left, state(folder.path())), (LeftEdit::TakenBack, old())),
                _ => {
                    let LeftEdit::Finished(missing) = left else { panic!("{steps}: {left:?}") };
                    assert_eq!((missing.len(), state(folder.path())), (4 - steps, new()), "{steps}");
                }
            }
            assert_eq!(repository.finish_edit().expect("nothing is there"), None);
            // Whoever wants the same afterwards can have it.
            let [files, pins] = wanted();
            repository.write_edit(&files, &pins).expect("it can be written");
            assert_eq!(state(folder.path()), new());
        }
    }

    #[test]
    fn what_somebody_has_changed_meanwhile_is_theirs() {
        let (folder, repository) = lab();
        killed_after(&repository, 2);
        fs::write(folder.path().join("c"), "mine\n").expect("it can be written");
        let left = repository.finish_edit().expect("it can be looked at");
        assert_eq!(left, Some(LeftEdit::Overtaken("c".into())));
        assert_eq!(state(folder.path())[..3], ["new", "new", "mine"]);
        assert_eq!(repository.finish_edit().expect("it is told once"), None);
        // Whoever has written the files anew has taken it back.
        let (folder, repository) = lab();
        killed_after(&repository, 2);
        for name in ["a", "deep/b"] {
            fs::write(folder.path().join(name), "old\n").expect("it can be written");
        }
        assert_eq!(repository.finish_edit().expect("it can be looked at"), Some(LeftEdit::TakenBack));
        // One that comes upon it while it is at work begins anew.
        let (folder, repository) = lab();
        killed_after(&repository, 1);
        let [files, pins] = wanted();
        let error = repository.write_edit(&files, &pins).expect_err("it began with something else");
        assert!(error.message.contains("killed"), "{error}");
        assert_eq!(state(folder.path()), new());
    }

    #[test]
    fn what_can_not_be_written_changes_nothing() {
        let (folder, repository) = lab();
        let [mut files, pins] = wanted();
        files.push(("gone".into(), "new\n".to_owned()));
        assert_eq!(repository.write_edit(&files, &pins).expect_err("it is not there").code, "git-edit");
        assert_eq!((state(folder.path()), journal_in(&repository.desk_folder()).is_noted()), (old(), false));
        // A pin that Git does not take.
        let [files, _] = wanted();
        assert!(repository.write_edit(&files, &[("s".into(), "no commit".to_owned())]).is_err());
        assert_eq!(state(folder.path()), old());
        // A note that nobody can read is told of, and not acted upon.
        fs::create_dir_all(repository.desk_folder()).expect("it can be made");
        fs::write(journal_in(&repository.desk_folder()).place(), "{").expect("it can be written");
        assert!(repository.finish_edit().is_err());
        assert_eq!(state(folder.path()), old());
    }
}
