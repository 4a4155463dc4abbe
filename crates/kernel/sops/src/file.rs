//! Files: [`Encrypted`], [`Decrypted`], and [`decrypt`] and [`encrypt`] for whoever wants only a text.

use crate::cipher::{Cipher, Nonces};
use crate::failure::{refused, tampered};
use crate::format::{Format, Layout};
use crate::master_key::KeyGroup;
use crate::metadata::Metadata;
use crate::secret::{DataKey, Secret};
use crate::selection::Selection;
use crate::service::{self, KeyService};
use crate::time;
use crate::tree;
use crate::value::Branch;
use onepane_diagnostics::{FileId, Result};
use onepane_world::World;
use std::fmt;

/// The version of SOPS whose files these are.
pub const VERSION: &str = "3.13.2";

/// Whether it matters that a file was changed since it was encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// It does: a file that was changed is refused.
    #[default]
    Checked,
    /// It does not: `--ignore-mac`. Each encrypted value is still proof against changes of its own.
    Ignored,
}

/// The plain text of an encrypted file, the same bytes that `sops --decrypt` prints.
///
/// # Errors
/// `yaml-syntax` and `sops-format` for what is no encrypted file, `sops-key` where no service decrypts the data key,
/// `sops-mac` for a file that was changed.
pub fn decrypt(
    text: &[u8],
    format: Format,
    file: FileId,
    services: &[&dyn KeyService],
    integrity: Integrity,
) -> Result<Secret> {
    Encrypted::read(text, format, file)?.decrypt(services, integrity)?.text(format, Layout::default())
}

/// Whether a file is one that SOPS has encrypted; what can't be read is none.
pub fn is_encrypted(text: &[u8], format: Format, file: FileId) -> bool {
    Encrypted::read(text, format, file).is_ok()
}

/// For whom a file is encrypted, and what of it.
#[derive(Clone, Debug)]
pub struct Recipients {
    /// Groups of keys; of each group, any key decrypts the group's part of the data key.
    pub groups: Vec<KeyGroup>,
    /// How many of several groups are needed; 0 for all.
    pub shamir_threshold: usize,
    /// Which values are encrypted; `None` for what SOPS takes then. Of a binary file it is all of it, whatever stands here.
    pub selection: Option<Selection>,
    /// Only encrypted values are protected against changes.
    pub mac_only_encrypted: bool,
}

/// Encrypts a plain text.
///
/// # Errors
/// Those of reading it, `sops-refused` for what SOPS can't encrypt, `sops-key` for a key that can't be used.
pub fn encrypt(
    text: &[u8],
    format: Format,
    file: FileId,
    recipients: Recipients,
    services: &[&dyn KeyService],
    layout: Layout,
    world: &dyn World,
) -> Result<Vec<u8>> {
    let branches = read_plain(text, format, file)?;
    let is_binary = format == Format::Binary;
    // A rule that is about keys would leave the one value of a binary file plain.
    let selection = if is_binary { Selection::All } else { recipients.selection.unwrap_or_default() };
    let mut metadata = Metadata {
        groups: recipients.groups,
        shamir_threshold: recipients.shamir_threshold,
        selection,
        mac_only_encrypted: recipients.mac_only_encrypted && !is_binary,
        last_modified: String::new(),
        version: VERSION.to_owned(),
        mac: String::new(),
    };
    let secret = service::new_data_key(world);
    service::distribute(&mut metadata, &secret, services, &time::now(world), world)?;
    let key = DataKey::new(&secret).expect("a new key has the length of one");
    seal(branches, metadata, Cipher::new(&key, Nonces::default()), format, layout, world)
}

fn read_plain(text: &[u8], format: Format, file: FileId) -> Result<Vec<Branch>> {
    let branches = format.read_plain(text, file)?;
    if branches.is_empty() {
        return Err(refused("an empty file can't be encrypted: SOPS wants at least one document"));
    }
    if format.has_metadata(&branches) {
        let message = "the file is encrypted already: it has SOPS's metadata";
        return Err(refused(message).hint("edit it, or give its entry `sops` another name"));
    }
    Ok(branches)
}

fn seal(
    mut branches: Vec<Branch>,
    mut metadata: Metadata,
    mut cipher: Cipher<'_>,
    format: Format,
    layout: Layout,
    world: &dyn World,
) -> Result<Vec<u8>> {
    let mac = tree::seal(&mut branches, &metadata, &mut cipher, world)?;
    metadata.last_modified = time::now(world);
    metadata.mac = cipher.seal(&crate::value::Value::text(mac), &metadata.last_modified, world).unwrap_or_default();
    format.write_encrypted(&branches, &metadata, layout)
}

/// A file as it was read.
pub struct Encrypted {
    branches: Vec<Branch>,
    metadata: Metadata,
    format: Format,
}

impl Encrypted {
    /// Reads a file.
    ///
    /// # Errors
    /// `yaml-syntax`, and `sops-format` for a file without SOPS's metadata or with something wrong in it.
    pub fn read(text: &[u8], format: Format, file: FileId) -> Result<Self> {
        let (branches, metadata) = format.read_encrypted(text, file)?;
        Ok(Self { branches, metadata, format })
    }

    /// Which keys decrypt it, and the rest of what is said of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Decrypts it.
    ///
    /// # Errors
    /// `sops-key` where no service decrypts the data key, `sops-mac` for a file that was changed.
    pub fn decrypt(mut self, services: &[&dyn KeyService], integrity: Integrity) -> Result<Decrypted> {
        let key = service::recover(&self.metadata, services)?;
        let mut cipher = Cipher::new(&key, Nonces::default());
        let opened = tree::open(&mut self.branches, &self.metadata, &mut cipher)?;
        if integrity == Integrity::Checked {
            let changed = |what: &str| {
                tampered(format!("{what}: the file was changed by something other than SOPS"))
                    .hint("get it as it was, or look at what changed and pass `--ignore-mac`")
            };
            let noted = cipher.open(&self.metadata.mac, &self.metadata.last_modified);
            let noted =
                noted.map_err(|_| changed("its message authentication code or `lastmodified` does not hold"))?;
            match noted.as_str() {
                Some("") => return Err(changed("it has no message authentication code")),
                Some(noted) if noted == opened.mac => {}
                _ => return Err(changed("its values have another message authentication code")),
            }
        }
        let nonces = cipher.into_nonces();
        let Self { branches, metadata, format } = self;
        Ok(Decrypted { branches, metadata, key, nonces, format, comments_left: opened.comments_left })
    }

    /// The file for other keys with the same data key, whose values stay as they are: `sops updatekeys`. A threshold of
    /// `None` is the one it has, as far as there are groups.
    pub fn with_keys(
        mut self,
        groups: Vec<KeyGroup>,
        shamir_threshold: Option<usize>,
        services: &[&dyn KeyService],
        layout: Layout,
        world: &dyn World,
    ) -> Result<Vec<u8>> {
        let key = service::recover(&self.metadata, services)?;
        let threshold = shamir_threshold.unwrap_or(self.metadata.shamir_threshold);
        self.metadata.shamir_threshold = threshold.min(groups.len());
        self.metadata.groups = groups;
        let secret = Secret::new(*key.bytes());
        service::distribute(&mut self.metadata, &secret, services, &time::now(world), world)?;
        self.format.write_encrypted(&self.branches, &self.metadata, layout)
    }
}

/// A file that was decrypted, with what is needed to encrypt it again.
pub struct Decrypted {
    branches: Vec<Branch>,
    metadata: Metadata,
    key: DataKey,
    nonces: Nonces,
    format: Format,
    comments_left: usize,
}

impl Decrypted {
    /// How many comments stay encrypted, since they stand elsewhere than where they were encrypted. SOPS warns of them.
    pub fn comments_left(&self) -> usize {
        self.comments_left
    }

    /// What is said of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its plain text, in its own or another format.
    ///
    /// # Errors
    /// `sops-refused` for what the format has not.
    pub fn text(&self, format: Format, layout: Layout) -> Result<Secret> {
        format.write_plain(&self.branches, layout)
    }

    /// Encrypts an edited text with the same data key. Values that did not change are written as they were.
    ///
    /// # Errors
    /// Those of reading it, and `sops-refused` for what can't be encrypted.
    pub fn edited(&self, text: &[u8], file: FileId, layout: Layout, world: &dyn World) -> Result<Vec<u8>> {
        let branches = read_plain(text, self.format, file)?;
        let metadata = Metadata { version: newest(&self.metadata.version).to_owned(), ..self.metadata.clone() };
        seal(branches, metadata, Cipher::new(&self.key, self.nonces.clone()), self.format, layout, world)
    }

    /// Encrypts it for `groups` with a new data key, so that who had the old one can't read it any more: `sops rotate`.
    ///
    /// # Errors
    /// `sops-key` for a key that can't be used.
    pub fn rotated(
        &self,
        groups: Vec<KeyGroup>,
        services: &[&dyn KeyService],
        layout: Layout,
        world: &dyn World,
    ) -> Result<Vec<u8>> {
        let mut metadata = Metadata { groups, ..self.metadata.clone() };
        let secret = service::new_data_key(world);
        service::distribute(&mut metadata, &secret, services, &time::now(world), world)?;
        let key = DataKey::new(&secret).expect("a new key has the length of one");
        seal(self.branches.clone(), metadata, Cipher::new(&key, Nonces::default()), self.format, layout, world)
    }
}

/// The version that an edited file has: ours, unless a later one wrote it.
fn newest(found: &str) -> &str {
    let numbers = |version: &str| -> Option<Vec<u64>> { version.split('.').map(|part| part.parse().ok()).collect() };
    if numbers(found) > numbers(VERSION) { found } else { VERSION }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_never_makes_a_file_older() {
        for (found, wanted) in
            [("3.7.3", VERSION), ("3.14.0", "3.14.0"), ("4.0.0", "4.0.0"), ("", VERSION), ("x", VERSION)]
        {
            assert_eq!(newest(found), wanted, "{found}");
        }
    }
}
