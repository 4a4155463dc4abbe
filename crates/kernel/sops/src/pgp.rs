//! PGP keys: [`PgpKeys`].

use crate::failure::unusable_key;
use crate::master_key::{KeyId, MasterKey};
use crate::secret::Secret;
use crate::service::KeyService;
use onepane_diagnostics::Result;
use onepane_world::World;
use pgp::composed::{
    ArmorOptions, DecryptionOptions, Message, MessageBuilder, PublicOrSecret, SignedPublicKey, SignedPublicSubKey,
    SignedSecretKey, TheRing,
};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::types::{KeyDetails, Password};
use rand::{CryptoRng, RngCore};
use std::fmt;
use std::io::Read;
use zeroize::Zeroizing;

/// No data key, nor a part of one, is longer.
const LONGEST: u64 = 1024;

/// Keys of PGP: secret ones to decrypt data keys, public ones to encrypt them.
#[derive(Default)]
pub struct PgpKeys {
    secret: Vec<SignedSecretKey>,
    public: Vec<SignedPublicKey>,
    passphrase: Secret,
}

impl PgpKeys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the keys of a keyring, packets or text armour, of which several may follow one another. Keys of kinds that
    /// are not known are left out.
    ///
    /// # Errors
    /// `sops-key` where nothing in it is a key.
    pub fn add(&mut self, keyring: &Secret, origin: &str) -> Result<()> {
        let before = self.secret.len() + self.public.len();
        let bytes = keyring.reveal();
        match keyring.reveal_text().filter(|text| text.contains(ARMOUR)) {
            Some(text) => {
                for (start, _) in text.match_indices(ARMOUR) {
                    let rest = &text[start..];
                    let end = rest[1..].find(ARMOUR).map_or(rest.len(), |end| end + 1);
                    if let Ok((keys, _)) = PublicOrSecret::from_armor_many(&rest.as_bytes()[..end]) {
                        keys.filter_map(|key| key.ok()).for_each(|key| self.add_key(key));
                    }
                }
            }
            None => {
                if let Ok(keys) = PublicOrSecret::from_bytes_many(bytes) {
                    keys.filter_map(|key| key.ok()).for_each(|key| self.add_key(key));
                }
            }
        }
        if self.secret.len() + self.public.len() == before {
            return Err(unusable_key(format!("{origin} has no PGP key")).hint("export one by `gpg --export`"));
        }
        Ok(())
    }

    fn add_key(&mut self, key: PublicOrSecret) {
        match key {
            PublicOrSecret::Secret(key) => {
                self.public.push(key.to_public_key());
                self.secret.push(key);
            }
            PublicOrSecret::Public(key) => self.public.push(key),
        }
    }

    /// The passphrase of the secret keys that have one.
    pub fn set_passphrase(&mut self, passphrase: Secret) {
        self.passphrase = passphrase;
    }

    /// Whether there is no secret key.
    pub fn is_empty(&self) -> bool {
        self.secret.is_empty()
    }

    fn open(&self, enc: &str) -> pgp::errors::Result<Secret> {
        let (message, _) = Message::from_armor(enc.as_bytes())?;
        let passwords = [Password::empty(), Password::from(self.passphrase.reveal())];
        let ring = TheRing {
            secret_keys: self.secret.iter().collect(),
            key_passwords: passwords.iter().collect(),
            // GnuPG encrypts in a way of its own for keys that ask for it, as those do that it makes.
            decrypt_options: DecryptionOptions::new().enable_gnupg_aead(),
            ..TheRing::default()
        };
        let (mut message, _) = message.decrypt_the_ring(ring, true)?;
        if message.is_compressed() {
            message = message.decompress()?;
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(64));
        message.take(LONGEST).read_to_end(&mut plain)?;
        Ok(plain.into())
    }

    fn seal(&self, fingerprint: &str, part: &Secret, world: &dyn World) -> Result<String> {
        let key = self.public.iter().find(|key| is_named(key, fingerprint)).ok_or_else(|| {
            unusable_key("its public key is not in the keyring").hint("import it, or hand in the keyring that has it")
        })?;
        let mut random = Random(world);
        let write = |random: &mut Random<'_>| -> pgp::errors::Result<String> {
            let source = MessageBuilder::from_bytes("", part.reveal().to_vec());
            let mut builder = source.seipd_v1(&mut *random, SymmetricKeyAlgorithm::AES256);
            match key.public_subkeys.iter().rev().find(|subkey| may_encrypt(key, subkey)) {
                Some(subkey) => builder.encrypt_to_key(&mut *random, subkey)?,
                None => builder.encrypt_to_key(&mut *random, key)?,
            };
            builder.to_armored_string(&mut *random, ArmorOptions { include_checksum: true, ..ArmorOptions::default() })
        };
        write(&mut random).map_err(|error| unusable_key(format!("the key can't encrypt: {error}")))
    }
}

const ARMOUR: &str = "-----BEGIN PGP ";

/// Whether a fingerprint, or the end of one, is the key's or one of its subkeys'.
fn is_named(key: &SignedPublicKey, fingerprint: &str) -> bool {
    const SHORTEST: usize = 16;
    let wanted = fingerprint.trim_end_matches('!').trim_start_matches("0x").to_lowercase();
    let matches = |own: String| wanted.len() >= SHORTEST && own.to_lowercase().ends_with(&wanted);
    matches(key.fingerprint().to_string())
        || key.public_subkeys.iter().any(|subkey| matches(subkey.key.fingerprint().to_string()))
}

/// Whether the key says of its subkey that one may encrypt to it.
fn may_encrypt(key: &SignedPublicKey, subkey: &SignedPublicSubKey) -> bool {
    subkey.signatures.iter().any(|signature| {
        let flags = signature.key_flags();
        (flags.encrypt_comms() || flags.encrypt_storage())
            && signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok()
    })
}

impl KeyService for PgpKeys {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>> {
        let KeyId::Pgp { .. } = &key.id else { return None };
        if self.is_empty() {
            return Some(Err(unusable_key("no PGP secret key was found")));
        }
        Some(self.open(&key.enc).map_err(|error| {
            unusable_key(match error {
                pgp::errors::Error::MissingKey => {
                    "none of the PGP secret keys here belongs to it, or its passphrase is wrong".to_owned()
                }
                // The library's texts are of packets and keys, never of what is in them.
                error => format!("the encrypted data key is damaged: {error}"),
            })
        }))
    }

    fn encrypt(&self, key: &mut MasterKey, part: &Secret, world: &dyn World) -> Option<Result<()>> {
        let KeyId::Pgp { fingerprint } = &key.id else { return None };
        Some(self.seal(fingerprint, part, world).map(|enc| key.enc = enc))
    }
}

impl fmt::Debug for PgpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgpKeys({} secret, {} public)", self.secret.len(), self.public.len())
    }
}

/// A world's randomness, as `pgp` asks for it.
struct Random<'w>(&'w dyn World);

impl RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.random(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
        self.0.random(bytes);
        Ok(())
    }
}

/// Worlds outside of tests have the operating system's.
impl CryptoRng for Random<'_> {}
