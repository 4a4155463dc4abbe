//! One value, encrypted: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use crate::failure::{malformed, tampered};
use crate::number::parse_float;
use crate::secret::{DataKey, Secret};
use crate::value::{Comment, Value};
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::generic_array::ArrayLength;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{AesGcm, Tag, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_diagnostics::Result;
use onepane_world::World;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use zeroize::Zeroizing;

const START: &str = "ENC[AES256_GCM,data:";
const TAG: usize = 16;
/// The length of the nonces that SOPS makes.
const NONCE: usize = 32;

/// Encrypts and decrypts values with one data key, and remembers which nonce which value had, so that a value that did
/// not change is written as it was.
pub(crate) struct Cipher<'k> {
    key: &'k DataKey,
    nonces: Nonces,
}

/// Nonces by a digest of the value and its path.
#[derive(Clone, Default)]
pub(crate) struct Nonces(HashMap<[u8; 32], [u8; NONCE]>);

/// The parts of an encrypted value.
struct Sealed {
    data: Vec<u8>,
    nonce: Vec<u8>,
    kind: String,
}

/// Whether a text looks like an encrypted value.
pub(crate) fn is_sealed(text: &str) -> bool {
    text.starts_with(START)
}

impl<'k> Cipher<'k> {
    pub(crate) fn new(key: &'k DataKey, nonces: Nonces) -> Self {
        Self { key, nonces }
    }

    /// What it remembers.
    pub(crate) fn into_nonces(self) -> Nonces {
        self.nonces
    }

    /// Decrypts a text that belongs to `path`. An empty text was never encrypted.
    pub(crate) fn open(&mut self, text: &str, path: &str) -> Result<Value> {
        if text.is_empty() {
            return Ok(Value::text(""));
        }
        let Sealed { data, nonce, kind } = parse(text)?;
        let plain = match nonce.len() {
            NONCE => decrypt::<U32>(self.key, &nonce, data, path),
            // Other programs that write this format take the lengths that are usual elsewhere.
            12 => decrypt::<U12>(self.key, &nonce, data, path),
            16 => decrypt::<U16>(self.key, &nonce, data, path),
            length => return Err(malformed(format!("an encrypted value has an `iv` of {length} bytes instead of 32"))),
        };
        let plain =
            plain.ok_or_else(|| tampered("an encrypted value was changed, moved or belongs to another file"))?;
        if let Ok(nonce) = nonce.try_into() {
            self.nonces.0.insert(fingerprint(&kind, &plain, path), nonce);
        }
        typed(plain.into(), &kind)
    }

    /// Encrypts a value that belongs to `path`. Nothing and what is empty stays as it is; so does what holds values.
    pub(crate) fn seal(&mut self, value: &Value, path: &str, world: &dyn World) -> Option<String> {
        let kind = match value {
            Value::Text(_) => "str",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Bool(_) => "bool",
            Value::Time(_) => "time",
            Value::Comment(_) => "comment",
            Value::Null | Value::List(_) | Value::Branch(_) => return None,
        };
        let mut data = Zeroizing::new(value.bytes()?.into_owned());
        if data.is_empty() {
            return Some(String::new());
        }
        let nonce = *self.nonces.0.entry(fingerprint(kind, &data, path)).or_insert_with(|| {
            let mut nonce = [0; NONCE];
            world.random(&mut nonce);
            nonce
        });
        let gcm = AesGcm::<Aes256, U32>::new(self.key.bytes().into());
        let tag = gcm.encrypt_in_place_detached(&nonce.into(), path.as_bytes(), &mut data).ok()?;
        let [data, nonce, tag] = [&data[..], &nonce, &tag].map(|bytes| STANDARD.encode(bytes));
        Some(format!("{START}{data},iv:{nonce},tag:{tag},type:{kind}]"))
    }
}

/// The parts of a text; the tag stands behind the data.
fn parse(text: &str) -> Result<Sealed> {
    let parts = || {
        let rest = text.strip_prefix(START)?.strip_suffix(']')?;
        let (data, rest) = rest.split_once(",iv:")?;
        let (nonce, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        let [data, nonce, tag] = [data, nonce, tag].map(|part| STANDARD.decode(part).ok());
        let mut data = data?;
        let tag = tag.filter(|tag| tag.len() == TAG)?;
        data.extend(tag);
        Some(Sealed { data, nonce: nonce?, kind: kind.to_owned() })
    };
    parts().ok_or_else(|| {
        let message = if is_sealed(text) {
            "an encrypted value is damaged: it is not as SOPS writes them"
        } else {
            "a value should be encrypted and is not"
        };
        malformed(message)
    })
}

fn decrypt<N: ArrayLength<u8>>(key: &DataKey, nonce: &[u8], data: Vec<u8>, path: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut data = Zeroizing::new(data);
    let length = data.len().checked_sub(TAG)?;
    let tag = data.split_off(length);
    let gcm = AesGcm::<Aes256, N>::new(key.bytes().into());
    gcm.decrypt_in_place_detached(nonce.into(), path.as_bytes(), &mut data, Tag::from_slice(&tag)).ok()?;
    Some(data)
}

/// The value that a plain text is. Its type is not protected by the cipher; what does not fit it is refused.
fn typed(plain: Secret, kind: &str) -> Result<Value> {
    let unfit = || tampered(format!("an encrypted value is said to be of type `{kind}`, which it is not"));
    let text = || plain.reveal_text().ok_or_else(unfit);
    Ok(match kind {
        "str" | "bytes" => Value::Text(plain),
        "comment" => Value::Comment(Comment { text: plain, inline: false }),
        "int" => Value::Int(text()?.parse().map_err(|_| unfit())?),
        "float" => Value::Float(parse_float(text()?).ok_or_else(unfit)?),
        "bool" => match text()? {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Value::Bool(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Value::Bool(false),
            _ => return Err(unfit()),
        },
        "time" => match onepane_yaml::resolve_plain(text()?, onepane_yaml::Dialect::V3) {
            onepane_yaml::Scalar::Timestamp(time) => Value::Time(time),
            _ => return Err(unfit()),
        },
        _ => return Err(malformed(format!("an encrypted value has the type `{kind}`, which is not known"))),
    })
}

/// By what a nonce is remembered: no plain text is kept for it.
fn fingerprint(kind: &str, plain: &[u8], path: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [kind.as_bytes(), path.as_bytes(), plain] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    fn key() -> DataKey {
        DataKey::new(&Secret::new([7; 32])).expect("it is as long as a key")
    }

    #[test]
    fn what_is_sealed_opens_at_its_path_only() {
        let (key, world) = (key(), MemoryWorld::new());
        let mut cipher = Cipher::new(&key, Nonces::default());
        for value in [Value::text("a"), Value::Int(-3), Value::Float(1.5), Value::Bool(true), Value::text([0, 255])] {
            let sealed = cipher.seal(&value, "a:b:", &world).expect("it can be encrypted");
            let opened = cipher.open(&sealed, "a:b:").expect("it can be decrypted");
            assert_eq!(opened.bytes(), value.bytes());
            assert_eq!(std::mem::discriminant(&opened), std::mem::discriminant(&value));
            assert_eq!(cipher.seal(&value, "a:b:", &world).as_ref(), Some(&sealed));
            assert_eq!(cipher.open(&sealed, "a:c:").err().map(|error| error.code), Some("sops-mac"));
        }
        assert_eq!(cipher.seal(&Value::text(""), "a:", &world).as_deref(), Some(""));
    }

    #[test]
    fn every_flipped_bit_is_refused_or_leaves_the_plain_text() {
        let (key, world) = (key(), MemoryWorld::new());
        let mut cipher = Cipher::new(&key, Nonces::default());
        let sealed = cipher.seal(&Value::text("hush"), "a:", &world).expect("it can be encrypted");
        let kind = sealed.find(",type:").expect("it has a type") + ",type:".len();
        for at in 0..sealed.len() {
            for bit in 0..7 {
                let mut bytes = sealed.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).expect("it is ASCII");
                assert!(cipher.open(&changed, "a:").is_err() || at >= kind, "{changed}");
            }
        }
        for cut in 1..sealed.len() {
            assert!(cipher.open(&sealed[..cut], "a:").is_err(), "{cut}");
        }
    }
}
