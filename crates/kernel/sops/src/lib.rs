//! Files whose values are encrypted by SOPS: read, checked, written, as its own program does.
//!
//! [`decrypt`] gives a file's plain text, [`encrypt`] makes an encrypted file of one; whoever edits a file or changes its
//! keys starts at [`Encrypted`]. The way is: a [`Format`] reads a text to a tree and takes SOPS's [`Metadata`] out
//! (`format`, `metadata`), a [`KeyService`] decrypts the data key (`service`, [`AgeKeys`], [`PgpKeys`]), a walk through
//! the tree decrypts each value with the keys above it as a seal of its place (`walk`, `cipher`), and a digest of all
//! values is held against the one that the file has (`tree`). [`SopsConfig`] says which keys a new file gets.
//!
//! Nothing here reads a file, asks a server or finds a key: keys are handed in. Plain texts are [`Secret`]s, no message
//! holds one.

mod age;
mod cipher;
mod config;
mod failure;
mod file;
mod format;
mod master_key;
mod metadata;
mod number;
mod pgp;
mod secret;
mod selection;
mod service;
mod shamir;
mod time;
mod tree;
mod value;
mod walk;

pub use age::{AgeKeys, NewAgeIdentity, check_age_recipient};
pub use config::{CONFIG_NAME, SopsConfig};
pub use file::{Decrypted, Encrypted, Integrity, Recipients, VERSION, decrypt, encrypt, is_encrypted};
pub use format::{Format, Layout};
pub use master_key::{KeyGroup, KeyId, MasterKey};
pub use metadata::Metadata;
pub use pgp::PgpKeys;
pub use secret::{Secret, redacted};
pub use selection::Selection;
pub use service::KeyService;

#[cfg(test)]
mod tests;
