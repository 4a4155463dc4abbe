//! Provenance files: what lies beside a packaged chart as `chart-1.0.0.tgz.prov` and says, signed by PGP, what is in it.
//!
//! [`sign`] makes one, [`verify`] checks one against a [`Keyring`]. The format is Helm's: a clear-signed message of
//! Chart.yaml, a line `...` and the SHA-256 of the archive under its name. Nothing here reads files or asks for
//! passphrases.

mod keybox;
mod keyring;
mod sign;
mod verify;

pub use keyring::Keyring;
pub use sign::{SigningKey, sign};
pub use verify::{Verified, claims, verify};

use sha2::{Digest, Sha256};

/// What parts the metadata from the digests.
const SEPARATOR: &str = "\n...\n";

/// The digest of an archive as provenance files have it.
fn digest(archive: &[u8]) -> String {
    let hex: String = Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests;
