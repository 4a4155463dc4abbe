//! The content cache: archives by their SHA-256, laid out as Helm 4 does: `<root>/ab/<digest>.chart`.

use crate::failure::damaged;
use crate::registry::{LARGEST_PROVENANCE, hex};
use crate::{archive, write};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use sha2::{Digest, Sha256};

/// A SHA-256 as 64 hexadecimal digits, checked, so that it is a safe file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hash(String);

impl Hash {
    /// Reads the digest of an index: with or without the algorithm in front. Nothing gives nothing.
    pub(crate) fn parse(digest: &str) -> Result<Option<Self>> {
        let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits).to_ascii_lowercase();
        if digits.is_empty() {
            return Ok(None);
        }
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!("invalid digest length: {}", digits.len() / 2);
            return Err(damaged(message).hint("the repository's index has a digest that is no SHA-256"));
        }
        Ok(Some(Self(digits)))
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn place(root: &Utf8Path, hash: &Hash) -> Utf8PathBuf {
    root.join(&hash.0[..2]).join(format!("{}.chart", hash.0))
}

fn place_of_provenance(root: &Utf8Path, hash: &Hash) -> Utf8PathBuf {
    root.join(&hash.0[..2]).join(format!("{}.prov", hash.0))
}

/// The provenance file that is kept for the archive with this digest. Whoever wants it verifies it anew.
pub(crate) fn find_provenance(root: &Utf8Path, hash: &Hash) -> Option<Vec<u8>> {
    write::read(&place_of_provenance(root, hash), LARGEST_PROVENANCE).ok()?
}

/// Keeps the provenance file of the archive with this digest.
pub(crate) fn keep_provenance(root: &Utf8Path, hash: &Hash, provenance: &[u8]) -> Result<()> {
    write::write(&place_of_provenance(root, hash), provenance, 0o644)
}

/// The archive that has the digest, if it is kept; what has another digest than its name says counts as nothing.
pub(crate) fn find(root: &Utf8Path, hash: &Hash) -> Option<Vec<u8>> {
    let bytes = write::read(&place(root, hash), archive::LARGEST_ARCHIVE).ok()??;
    (Hash::of(&bytes) == *hash).then_some(bytes)
}

/// Keeps an archive, which was checked, and tells where.
pub(crate) fn keep(root: &Utf8Path, bytes: &[u8]) -> Result<Utf8PathBuf> {
    let path = place(root, &Hash::of(bytes));
    write::write(&path, bytes, 0o644)?;
    Ok(path)
}

/// Where the archive with this digest is kept, if it is.
pub(crate) fn path_of(root: &Utf8Path, hash: &Hash) -> Option<Utf8PathBuf> {
    find(root, hash).map(|_| place(root, hash))
}
