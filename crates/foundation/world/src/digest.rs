//! What stands for a file's bytes: [`Digest`].

use serde::{Deserialize, Serialize};
use sha1_checked::Sha1;
use std::fmt;

/// The name that Git has for a file's bytes, so that what is on disk and what was committed have one in common.
///
/// Two files of one digest have the same bytes. The other way round that need not be so: a repository may name them in
/// another way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 20]);

impl Digest {
    /// The digest of `bytes`; `None` for bytes that were made so that others have the same.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut hasher = Sha1::new();
        sha1_checked::Digest::update(&mut hasher, format!("blob {}\0", bytes.len()));
        sha1_checked::Digest::update(&mut hasher, bytes);
        let result = hasher.try_finalize();
        (!result.has_collision()).then(|| Self((*result.hash()).into()))
    }

    /// A digest that Git has computed; `None` for one of another kind.
    pub fn from_git(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_git_calls_them() {
        let digest = Digest::of(b"hello\n").expect("nobody made it");
        assert_eq!(format!("{digest:?}"), "ce013625030ba8dba906f756967f9e9ca394464a");
    }
}
