//! What is under way, noted before its first step and forgotten after its last, so that whoever comes after one that was
//! killed knows what to end or to take back: [`Journal`].

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};

/// One note in a file. Who may write it is seen to by those who use it.
pub(crate) struct Journal {
    place: Utf8PathBuf,
}

impl Journal {
    /// The note in this file.
    pub(crate) fn at(place: impl Into<Utf8PathBuf>) -> Self {
        Self { place: place.into() }
    }

    /// Where it is, for messages.
    pub(crate) fn place(&self) -> &Utf8Path {
        &self.place
    }

    /// Whether something is under way.
    pub(crate) fn is_noted(&self) -> bool {
        self.place.exists()
    }

    /// Notes it, whole or not at all, so that even a machine that stops keeps it.
    pub(crate) fn note<N: Serialize>(&self, note: &N) -> io::Result<()> {
        self.write(note)?.sync_all()?;
        fs::rename(self.beside(), &self.place)
    }

    /// Notes it, whole or not at all, for whoever comes after a process that was killed.
    pub(crate) fn note_in_passing<N: Serialize>(&self, note: &N) -> io::Result<()> {
        self.write(note)?;
        fs::rename(self.beside(), &self.place)
    }

    fn beside(&self) -> Utf8PathBuf {
        self.place.with_extension("new")
    }

    fn write<N: Serialize>(&self, note: &N) -> io::Result<File> {
        let mut file = File::create(self.beside())?;
        file.write_all(&serde_json::to_vec(note)?)?;
        Ok(file)
    }

    /// What was noted; nothing, where nothing is under way. One that is no such note is an error.
    pub(crate) fn noted<N: DeserializeOwned>(&self) -> io::Result<Option<N>> {
        match fs::read(&self.place) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets it.
    pub(crate) fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_known_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let place = Utf8Path::from_path(folder.path()).expect("it is UTF-8").join("note");
        let journal = Journal::at(&place);
        journal.forget().expect("that there is nothing is fine");
        assert_eq!(journal.noted::<Vec<u8>>().expect("nothing is there"), None);
        journal.note(&[1, 2]).expect("it can be written");
        journal.note_in_passing(&[3]).expect("it can be written");
        assert_eq!((journal.noted::<Vec<u8>>().expect("it is one"), journal.is_noted()), (Some(vec![3]), true));
        assert!(!place.with_extension("new").exists());
        fs::write(&place, "[").expect("it can be written");
        assert_eq!(journal.noted::<Vec<u8>>().expect_err("it is none").kind(), io::ErrorKind::UnexpectedEof);
        journal.forget().expect("it can be removed");
        assert!(!journal.is_noted());
    }
}
