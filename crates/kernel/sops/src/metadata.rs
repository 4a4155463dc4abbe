//! What SOPS notes in a file beside its values: [`Metadata`].

mod read;
mod write;

use crate::master_key::{KeyGroup, MasterKey};
use crate::selection::Selection;

/// Which keys decrypt a file, which of its values are encrypted, and what proves that nothing was changed.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Groups of keys; of each group, any key decrypts the group's part of the data key.
    pub groups: Vec<KeyGroup>,
    /// How many groups are needed where there are several.
    pub shamir_threshold: usize,
    /// Which values are encrypted.
    pub selection: Selection,
    /// Only encrypted values are protected against changes.
    pub mac_only_encrypted: bool,
    /// When the file was encrypted last, as RFC 3339.
    pub last_modified: String,
    /// The version of SOPS that wrote it.
    pub version: String,
    /// The message authentication code, encrypted.
    pub(crate) mac: String,
}

impl Metadata {
    /// All master keys.
    pub fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        self.groups.iter().flatten()
    }
}

/// The name under which files hold it, and before `_` the start of the names where they are flat.
pub(crate) const NAME: &str = "sops";

/// The kinds of keys as metadata names them, in the order in which SOPS reads them.
const KINDS: [&str; 7] = ["kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age"];
