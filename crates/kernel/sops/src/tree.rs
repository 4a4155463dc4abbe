//! Whole trees: decrypted and encrypted, with the code that proves that nothing was changed.

use crate::cipher::{Cipher, is_sealed};
use crate::failure::{malformed, refused};
use crate::metadata::Metadata;
use crate::value::{Branch, Value};
use crate::walk::walk;
use onepane_diagnostics::Result;
use onepane_world::World;
use sha2::{Digest, Sha512};

/// What the digest begins with where only encrypted values take part, so that nobody can pretend that they alone did.
/// It is the SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8A, 0x3F, 0xD2, 0xAD, 0x54, 0xCE, 0x66, 0x52, 0x7B, 0x10, 0x34, 0xF3, 0xD1, 0x47, 0xBE, 0x0B, 0x0B, 0x97, 0x5B,
    0x3B, 0xF4, 0x4F, 0x72, 0xC6, 0xFD, 0xAD, 0xEC, 0x81, 0x76, 0xF2, 0x7D, 0x69,
];

/// What decrypting a tree tells.
pub(crate) struct Opened {
    /// The code that its values give.
    pub(crate) mac: String,
    /// How many comments look encrypted and could not be decrypted.
    pub(crate) comments_left: usize,
}

/// Digests the plain values of a tree in the order of the text. Comments and keys do not take part.
struct Mac {
    digest: Sha512,
    only_encrypted: bool,
}

impl Mac {
    fn new(only_encrypted: bool) -> Self {
        let mut digest = Sha512::new();
        if only_encrypted {
            digest.update(ONLY_ENCRYPTED);
        }
        Self { digest, only_encrypted }
    }

    fn add(&mut self, value: &Value, encrypted: bool) {
        if (encrypted || !self.only_encrypted)
            && let Some(bytes) = value.bytes()
        {
            self.digest.update(&*bytes);
        }
    }

    fn finish(self) -> String {
        self.digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

/// Decrypts all values in place.
pub(crate) fn open(branches: &mut [Branch], metadata: &Metadata, cipher: &mut Cipher<'_>) -> Result<Opened> {
    let mut mac = Mac::new(metadata.mac_only_encrypted);
    let mut comments_left = 0;
    walk(branches, &metadata.selection, &mut |value, leaf| {
        let plain = match (leaf.encrypted, value) {
            (true, Value::Comment(comment)) => {
                // Comments are not protected. SOPS writes some where it finds them under another key when it reads its
                // file again, and can't decrypt them then; files of its old versions have plain ones.
                let text = comment.text.reveal_text().unwrap_or_default();
                if let Ok(plain) = cipher.open(text, leaf.path) {
                    return Ok(plain);
                }
                comments_left += usize::from(is_sealed(text));
                return Ok(Value::Comment(comment));
            }
            (true, Value::Text(text)) => {
                let text = text.reveal_text().ok_or_else(|| malformed("an encrypted value is damaged"))?;
                cipher.open(text, leaf.path)?
            }
            (true, _) => return Err(malformed("a value should be encrypted and is not")),
            (false, value) => value,
        };
        if !matches!(plain, Value::Comment(_)) {
            mac.add(&plain, leaf.encrypted);
        }
        Ok(plain)
    })?;
    Ok(Opened { mac: mac.finish(), comments_left })
}

/// Encrypts all values in place and says which code they had.
pub(crate) fn seal(
    branches: &mut [Branch],
    metadata: &Metadata,
    cipher: &mut Cipher<'_>,
    world: &dyn World,
) -> Result<String> {
    let mut mac = Mac::new(metadata.mac_only_encrypted);
    walk(branches, &metadata.selection, &mut |value, leaf| {
        let is_comment = matches!(value, Value::Comment(_));
        if !is_comment {
            mac.add(&value, leaf.encrypted);
        }
        if !leaf.encrypted {
            return Ok(value);
        }
        let Some(sealed) = cipher.seal(&value, leaf.path, world) else { return Ok(value) };
        if is_comment && !metadata.selection.names_encrypted() && metadata.selection.names_comment(&sealed) {
            let message = "an encrypted comment matches `unencrypted_comment_regex`, so that it could not be decrypted";
            return Err(refused(message).hint("let the expression match whole words of plain comments only"));
        }
        Ok(Value::text(sealed))
    })?;
    Ok(mac.finish())
}
