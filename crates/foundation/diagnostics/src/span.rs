//! Places in files: [`FileId`] names a file, [`Span`] a stretch of one line of it.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::fmt;
use std::sync::{OnceLock, RwLock};

/// A file, named by the path it was read under.
///
/// Ids are interned for the whole process, so that a span is four words, can be copied freely and needs no table to
/// be printed. A path stays interned for the life of the process; there are as many as distinct files were read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

#[derive(Default)]
struct Interner {
    /// By the paths' text: to hash their components takes several times as long.
    ids: HashMap<&'static str, u32>,
    paths: Vec<&'static Utf8Path>,
}

fn interner() -> &'static RwLock<Interner> {
    static INTERNER: OnceLock<RwLock<Interner>> = OnceLock::new();
    INTERNER.get_or_init(RwLock::default)
}

impl FileId {
    /// The id of `path`; the same path always gives the same id.
    pub fn new(path: impl AsRef<Utf8Path>) -> Self {
        let path = path.as_ref();
        let lock = "no code panics while it holds the interner";
        if let Some(id) = interner().read().expect(lock).ids.get(path.as_str()) {
            return Self(*id);
        }
        let mut interner = interner().write().expect(lock);
        if let Some(id) = interner.ids.get(path.as_str()) {
            return Self(*id);
        }
        let path: &'static Utf8Path = Box::leak(Utf8PathBuf::from(path).into_boxed_path());
        let id = u32::try_from(interner.paths.len()).expect("fewer than four thousand million files");
        interner.paths.push(path);
        interner.ids.insert(path.as_str(), id);
        Self(id)
    }

    /// The path it stands for.
    pub fn path(self) -> &'static Utf8Path {
        interner().read().expect("no code panics while it holds the interner").paths[self.0 as usize]
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path())
    }
}

/// A stretch of one line of a file.
///
/// Lines and columns count from 1, columns and lengths in characters. Length 0 is a point: the place is known, its
/// extent is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters of the line, or 0.
    pub length: u32,
}

impl Span {
    /// The place `line`:`column` of `file`, both from 1.
    pub fn new(file: FileId, line: u32, column: u32) -> Self {
        Self { file, line, column, length: 0 }
    }

    /// The first line of a file: where a finding about the file as a whole points.
    pub fn file(path: impl AsRef<Utf8Path>) -> Self {
        Self::new(FileId::new(path), 1, 1)
    }

    /// The same place, `length` characters long.
    pub fn with_length(self, length: u32) -> Self {
        Self { length, ..self }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.path(), self.line, self.column)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
