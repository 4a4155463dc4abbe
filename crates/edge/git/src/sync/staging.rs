//! Where what is not whole yet is kept: [`Staging`].
//!
//! Everything is made below `.git/onepane/sync`, and takes its place by a rename when it is whole. One process at a time is
//! at work there, so that what it finds is what a killed one left.

use crate::journal::Journal;
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::{BStr, ByteSlice};
use onepane_diagnostics::{Diagnostic, Result};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The folder, and the lock that keeps it ours.
pub(crate) struct Staging {
    folder: Utf8PathBuf,
    /// Moves of services that have begun.
    journal: Utf8PathBuf,
    pub(crate) lock: File,
    next: AtomicUsize,
    template: OnceLock<std::result::Result<Vec<(Utf8PathBuf, Part)>, String>>,
}

/// A value in a file of Git's configuration: section, subsection, key, value.
pub(crate) type Setting<'s> = (&'static str, Option<&'s str>, &'static str, String);

impl Staging {
    /// Waits until nobody else is at work, and clears away what was left.
    pub(crate) fn take(git_dir: &Utf8Path) -> Result<Self> {
        let fail = |error: std::io::Error| {
            Diagnostic::error("src-staging", format!("`{git_dir}/onepane` can't be used: {error}"))
        };
        let top = git_dir.join("onepane");
        let (folder, journal) = (top.join("sync"), top.join("moves"));
        fs::create_dir_all(&journal).map_err(fail)?;
        let lock = File::options().create(true).truncate(false).write(true).read(true).open(top.join("lock"));
        let lock = lock.map_err(fail)?;
        lock.lock().map_err(fail)?;
        release_left_locks(&folder);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => fs::create_dir_all(&folder).map_err(fail)?,
        }
        Ok(Self { folder, journal, lock, next: AtomicUsize::new(0), template: OnceLock::new() })
    }

    /// A path at which nothing is.
    pub(crate) fn place(&self) -> Utf8PathBuf {
        self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// A new repository's Git folder, as Git on this machine makes one, with the user's templates.
    pub(crate) fn new_repository(&self, program: &super::program::Program<'_>) -> std::io::Result<Utf8PathBuf> {
        let made = self.template.get_or_init(|| {
            let folder = self.place();
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            program.run(&folder, &["init", "--quiet"])?;
            let mut parts = Vec::new();
            read(&folder.join(".git"), "".into(), &mut parts).map_err(|error| error.to_string())?;
            Ok(parts)
        });
        let template = made.as_ref().map_err(|why| std::io::Error::other(why.clone()))?;
        let place = self.place();
        fs::create_dir(&place)?;
        template.iter().try_for_each(|(path, part)| part.write(&place.join(path)))?;
        Ok(place)
    }

    /// Where it is noted that a service is being moved.
    pub(crate) fn note_of(&self, modules: &Utf8Path) -> Utf8PathBuf {
        let name: String = modules
            .as_str()
            .bytes()
            .map(|byte| match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => char::from(byte).to_string(),
                other => format!("_{other:02x}"),
            })
            .collect();
        // Names of files have at most 255 bytes; the end is what differs.
        self.journal.join(&name[name.len().saturating_sub(200)..])
    }

    /// Where it is noted that a service is fetched, or brought to a branch.
    pub(crate) fn begun_of(&self, modules: &Utf8Path) -> Journal {
        Journal::at(self.note_of(modules).with_extension("fetch"))
    }

    /// Writes a file whole or not at all.
    pub(crate) fn write(&self, path: &Utf8Path, contents: &[u8]) -> std::io::Result<()> {
        let place = self.place();
        fs::write(&place, contents)?;
        fs::rename(place, path)
    }

    /// Sets values in a file of Git's configuration that nobody else knows of yet.
    pub(crate) fn configure_own(&self, path: &Utf8Path, settings: &[Setting<'_>]) -> std::io::Result<()> {
        self.write(path, &with_settings(path, settings)?)
    }

    /// Sets values in a file of Git's configuration, whose other bytes stay, with Git's own lock on it.
    pub(crate) fn configure(&self, path: &Utf8Path, settings: &[Setting<'_>]) -> std::io::Result<()> {
        let has = |config: &gix::config::File, (section, subsection, key, value): &Setting<'_>| {
            let found = config.string_by(section, subsection.map(BStr::new), key);
            found.is_some_and(|found| found.as_bytes() == value.as_bytes())
        };
        if read_config(path).is_ok_and(|config| settings.iter().all(|setting| has(&config, setting))) {
            return Ok(());
        }
        // The lock is made under another name first, so that one that a killed process has left is known to be ours.
        let (place, lock) = (self.place(), Utf8PathBuf::from(format!("{path}.lock")));
        fs::write(place.with_extension("of"), lock.as_str())?;
        File::create(&place)?.set_permissions(fs::metadata(path)?.permissions())?;
        let begin = Instant::now();
        while let Err(error) = fs::hard_link(&place, &lock) {
            if error.kind() != std::io::ErrorKind::AlreadyExists || begin.elapsed() > Duration::from_secs(2) {
                return Err(std::io::Error::new(error.kind(), format!("`{lock}` can't be made: {error}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let written = with_settings(path, settings).and_then(|text| fs::write(&place, text));
        match written.and_then(|()| fs::rename(&lock, path)) {
            Err(error) => {
                fs::remove_file(&lock)?;
                Err(error)
            }
            // A rename onto another name of the same file would leave both.
            Ok(()) => fs::remove_file(&place),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Whoever comes next would do it as well.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn read_config(path: &Utf8Path) -> std::io::Result<gix::config::File> {
    let bytes = fs::read(path)?;
    gix::config::File::try_from(BStr::new(&bytes)).map_err(|error| std::io::Error::other(error.to_string()))
}

/// The text of a file of Git's configuration with other values.
fn with_settings(path: &Utf8Path, settings: &[Setting<'_>]) -> std::io::Result<Vec<u8>> {
    let mut config = read_config(path)?;
    for (section, subsection, key, value) in settings {
        let set = config.set_raw_value_by(section, subsection.map(BStr::new), *key, BStr::new(value.as_str()));
        set.map_err(|error| std::io::Error::other(error.to_string()))?;
    }
    Ok(config.to_bstring().into())
}

/// Removes locks that a killed process of ours has left: they are the same files as those in our folder.
fn release_left_locks(folder: &Utf8Path) {
    for note in folder.read_dir_utf8().into_iter().flatten().flatten() {
        let note = note.path();
        if note.extension() != Some("of") {
            continue;
        }
        let Ok(lock) = fs::read_to_string(note) else { continue };
        let same = |path: &Utf8Path| path.symlink_metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
        let ours = same(&note.with_extension(""));
        if ours.is_some() && ours == same(Utf8Path::new(&lock)) {
            let _ = fs::remove_file(&lock);
        }
    }
}

/// A part of a new repository.
enum Part {
    Folder,
    /// Links are copied as what they are.
    Link(std::path::PathBuf),
    /// What is in it, since many repositories are going to have it.
    File(Vec<u8>, fs::Permissions),
    /// One that is too large for that.
    Large(Utf8PathBuf),
}

/// Reads what is below a folder, what is in a folder after it.
fn read(folder: &Utf8Path, below: &Utf8Path, parts: &mut Vec<(Utf8PathBuf, Part)>) -> std::io::Result<()> {
    const LARGE: u64 = 1 << 16;
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let (metadata, path, below) = (entry.metadata()?, entry.path(), below.join(entry.file_name()));
        if metadata.is_dir() {
            parts.push((below.clone(), Part::Folder));
            read(path, &below, parts)?;
        } else if metadata.is_symlink() {
            parts.push((below, Part::Link(fs::read_link(path)?)));
        } else if metadata.len() > LARGE {
            parts.push((below, Part::Large(path.to_owned())));
        } else {
            parts.push((below, Part::File(fs::read(path)?, metadata.permissions())));
        }
    }
    Ok(())
}

impl Part {
    fn write(&self, path: &Utf8Path) -> std::io::Result<()> {
        match self {
            Self::Folder => fs::create_dir(path),
            Self::Link(to) => std::os::unix::fs::symlink(to, path),
            Self::File(bytes, permissions) => {
                let file = File::create_new(path)?;
                (&file).write_all(bytes)?;
                file.set_permissions(permissions.clone())
            }
            Self::Large(from) => fs::copy(from, path).map(|_| ()),
        }
    }
}

/// The path from a folder to another place; both are absolute.
pub(crate) fn relative(from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| "..");
    up.chain(to.components().skip(shared).map(|part| part.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_leave_other_bytes_and_a_left_lock_is_released() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("it is UTF-8");
        let file = top.join("config");
        fs::write(&file, "# mine\n[core]\n  bare=false ; so\n[submodule \"a\"]\n\turl = x\n")
            .expect("it can be written");
        let staging = Staging::take(top).expect("it can be used");
        let settings: [Setting<'_>; 2] =
            [("submodule", Some("a"), "url", "y".to_owned()), ("submodule", Some("b\"c"), "active", "true".to_owned())];
        staging.configure(&file, &settings).expect("it can be set");
        let text = fs::read_to_string(&file).expect("it is there");
        assert!(text.starts_with("# mine\n[core]\n  bare=false ; so\n[submodule \"a\"]\n\turl = y\n"), "{text}");
        assert_eq!(onepane_testkit::git(folder.path(), &["config", "-f", "config", "submodule.b\"c.active"]), "true");
        // As one leaves it that is killed while it has the lock.
        let place = staging.place();
        fs::write(place.with_extension("of"), format!("{file}.lock")).expect("it can be written");
        fs::write(&place, "").expect("it can be written");
        fs::hard_link(&place, format!("{file}.lock")).expect("nothing is there");
        std::mem::forget(staging);
        release_left_locks(&top.join("onepane/sync"));
        assert!(!top.join("config.lock").exists());
    }

    #[test]
    fn paths_lead_from_one_place_to_another() {
        let cases = [
            ("/a/src/x", "/a/.git/modules/src/x", "../../.git/modules/src/x"),
            ("/a", "/a/b", "b"),
            ("/a/b", "/c", "../../c"),
        ];
        for (from, to, wanted) in cases {
            assert_eq!(relative(from.into(), to.into()), wanted);
        }
    }
}
