//! Keys of age: [`AgeKeys`].

use crate::failure::unusable_key;
use crate::master_key::{KeyId, MasterKey};
use crate::secret::Secret;
use crate::service::KeyService;
use age::armor::ArmoredReader;
use age::secrecy::ExposeSecret;
use age::{DecryptError, Decryptor, ssh, x25519};
use onepane_diagnostics::Result;
use onepane_world::World;
use std::fmt;
use std::io::Read;
use zeroize::Zeroizing;

/// No data key, nor a part of one, is longer.
const LONGEST: u64 = 1024;

/// Identities of age, with which data keys are decrypted. To encrypt takes none.
///
/// Randomness for encryption comes from the operating system, which is how the `age` crate has it.
#[derive(Default)]
pub struct AgeKeys {
    identities: Vec<Identity>,
}

enum Identity {
    Native(x25519::Identity),
    Ssh(Box<ssh::Identity>),
}

impl Identity {
    fn as_age(&self) -> &dyn age::Identity {
        match self {
            Self::Native(identity) => identity,
            Self::Ssh(identity) => &**identity,
        }
    }
}

/// A new identity and the recipient that belongs to it.
#[derive(Debug)]
pub struct NewAgeIdentity {
    /// What others encrypt to.
    pub recipient: String,
    /// The text of a file that holds the identity, as `age-keygen` writes it.
    pub file: Secret,
}

impl AgeKeys {
    /// No identities, which is enough to encrypt.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the identities of a text: the content of a key file, or of `SOPS_AGE_KEY`. `origin` is what errors call it.
    ///
    /// # Errors
    /// `sops-key` for what is no identity, and for those that need a plugin.
    pub fn add(&mut self, text: &Secret, origin: &str) -> Result<()> {
        let text = text.reveal_text().ok_or_else(|| unusable_key(format!("{origin} is no text")))?;
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
        for (word, line) in lines.flat_map(|(text, line)| text.split_whitespace().map(move |word| (word, line))) {
            // The text is not shown: it may be a secret with a typing error.
            let place = format!("line {line} of {origin}");
            if word.starts_with("AGE-PLUGIN-") || word.starts_with("AGE-SECRET-KEY-PQ-") {
                return Err(unusable_key(format!("{place} is an identity of a kind that onepane does not know"))
                    .hint("identities of plugins and post-quantum ones are known to `sops` only; take one that begins with AGE-SECRET-KEY-1"));
            }
            let identity = word.parse().map_err(|_| {
                unusable_key(format!("{place} is no age identity")).hint("one begins with AGE-SECRET-KEY-1")
            })?;
            self.identities.push(Identity::Native(identity));
        }
        Ok(())
    }

    /// Adds an SSH private key, of RSA or Ed25519.
    ///
    /// # Errors
    /// `sops-key` for what is none, and for one with a passphrase.
    pub fn add_ssh(&mut self, key: &Secret, origin: &str) -> Result<()> {
        let identity = ssh::Identity::from_buffer(key.reveal(), None)
            .map_err(|_| unusable_key(format!("{origin} is no SSH private key")))?;
        match identity {
            ssh::Identity::Unencrypted(_) => self.identities.push(Identity::Ssh(Box::new(identity))),
            ssh::Identity::Encrypted(_) | ssh::Identity::Unsupported(ssh::UnsupportedKey::EncryptedPem) => {
                return Err(unusable_key(format!(
                    "the SSH key in {origin} has a passphrase, which nobody is asked for"
                ))
                .hint("take an age identity, or a key without a passphrase"));
            }
            ssh::Identity::Unsupported(_) => {
                return Err(unusable_key(format!("the SSH key in {origin} is of a kind that age does not know"))
                    .hint("age knows RSA and Ed25519"));
            }
        }
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// The recipients of the identities that are age's own.
    pub fn recipients(&self) -> Vec<String> {
        let native = self.identities.iter().filter_map(|identity| match identity {
            Identity::Native(identity) => Some(identity.to_public().to_string()),
            Identity::Ssh(_) => None,
        });
        native.collect()
    }

    /// Makes an identity. `created` is a time for the comment in its file.
    pub fn generate(created: &str) -> NewAgeIdentity {
        let identity = x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let mut file = Zeroizing::new(format!("# created: {created}\n# public key: {recipient}\n").into_bytes());
        // So that it does not move and leave a copy.
        file.reserve_exact(128);
        file.extend_from_slice(identity.to_string().expose_secret().as_bytes());
        file.push(b'\n');
        NewAgeIdentity { recipient, file: file.into() }
    }
}

/// Checks that a text is a recipient that data keys can be encrypted to.
///
/// # Errors
/// `sops-key`, which says why.
pub fn check_age_recipient(recipient: &str) -> Result<()> {
    Recipient::parse(recipient).map(drop)
}

enum Recipient {
    Native(x25519::Recipient),
    Ssh(ssh::Recipient),
}

impl Recipient {
    fn parse(text: &str) -> Result<Self> {
        let plugin = text.starts_with("age1") && text.matches('1').count() > 1;
        let wrong = || unusable_key(format!("`{text}` is no recipient of age"));
        if text.starts_with("age1pq1") || plugin {
            let message = format!("the recipient `{text}` needs a plugin of age, or is post-quantum");
            return Err(unusable_key(message).hint("take one of age's own, age1… without a second 1, or an SSH key"));
        }
        if text.starts_with("age1") {
            return text.parse().map(Self::Native).map_err(|_| wrong().hint("it has a typing error"));
        }
        if text.starts_with("ssh-") {
            return text.parse().map(Self::Ssh).map_err(|_| wrong().hint("age knows SSH keys of RSA and Ed25519"));
        }
        Err(wrong().hint("one begins with `age1` or `ssh-`"))
    }

    fn encrypt(&self, part: &Secret) -> std::result::Result<String, age::EncryptError> {
        match self {
            Self::Native(recipient) => age::encrypt_and_armor(recipient, part.reveal()),
            Self::Ssh(recipient) => age::encrypt_and_armor(recipient, part.reveal()),
        }
    }
}

impl KeyService for AgeKeys {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>> {
        let KeyId::Age { .. } = &key.id else { return None };
        if self.is_empty() {
            let error = unusable_key("no age identity was found");
            return Some(Err(error.hint("put it into the file that SOPS_AGE_KEY_FILE names")));
        }
        Some(self.open(&key.enc).map_err(|error| unusable_key(reason(&error))))
    }

    fn encrypt(&self, key: &mut MasterKey, part: &Secret, _: &dyn World) -> Option<Result<()>> {
        let KeyId::Age { recipient } = &key.id else { return None };
        let outcome = Recipient::parse(recipient)
            .and_then(|recipient| recipient.encrypt(part).map_err(|error| unusable_key(error.to_string())));
        Some(outcome.map(|enc| key.enc = enc))
    }
}

impl AgeKeys {
    fn open(&self, enc: &str) -> std::result::Result<Secret, DecryptError> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(enc.as_bytes()))?;
        let identities = self.identities.iter().map(Identity::as_age);
        let mut plain = Zeroizing::new(Vec::with_capacity(64));
        decryptor.decrypt(identities)?.take(LONGEST).read_to_end(&mut plain)?;
        Ok(plain.into())
    }
}

fn reason(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::NoMatchingKeys => "none of the age identities here belongs to it",
        DecryptError::DecryptionFailed | DecryptError::InvalidMac | DecryptError::KeyDecryptionFailed => {
            "the encrypted data key was changed"
        }
        _ => "the encrypted data key is damaged: it is no age file",
    }
}

impl fmt::Debug for AgeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeKeys({} identities)", self.identities.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::Diagnostic;
    use onepane_world::MemoryWorld;

    fn error(result: Result<()>) -> Box<Diagnostic> {
        result.expect_err("it is refused")
    }

    #[test]
    fn what_is_encrypted_to_a_recipient_opens_with_its_identity_only() {
        let new = AgeKeys::generate("2024-01-02T03:04:05Z");
        assert!(!format!("{new:?}").contains("SECRET"));
        let mut keys = AgeKeys::new();
        keys.add(&new.file, "a test").expect("it is an identity");
        assert_eq!(keys.recipients(), std::slice::from_ref(&new.recipient));
        let mut key = KeyId::age(&new.recipient).into_key();
        let part = Secret::new([9; 32]);
        keys.encrypt(&mut key, &part, &MemoryWorld::new()).expect("it is age").expect("it can be encrypted");
        assert!(key.enc.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{}", key.enc);
        assert_eq!(keys.decrypt(&key).expect("it is age").expect("it can be decrypted"), part);
        let mut stranger = AgeKeys::new();
        stranger.add(&AgeKeys::generate("").file, "a test").expect("it is an identity");
        let refused = stranger.decrypt(&key).expect("it is age").expect_err("it is another's");
        assert_eq!(refused.message, "none of the age identities here belongs to it");
        for (from, to) in [("A", "B"), ("\n-----END", "\n")] {
            let changed = MasterKey { enc: key.enc.replace(from, to), ..key.clone() };
            assert!(keys.decrypt(&changed).expect("it is age").is_err());
        }
    }

    #[test]
    fn what_is_no_identity_is_refused_and_not_shown() {
        let mut keys = AgeKeys::new();
        for text in ["AGE-SECRET-KEY-1HUSH", "AGE-PLUGIN-HUSH-1", "AGE-SECRET-KEY-PQ-1HUSH", "hush"] {
            let error = error(keys.add(&Secret::new(format!("# a comment\n{text}")), "`k`"));
            assert!(error.message.starts_with("line 2 of `k` is "), "{error}");
            assert!(!format!("{error:?}").to_lowercase().contains("hush"), "{error:?}");
        }
        assert!(error(keys.add_ssh(&Secret::new("hush"), "`k`")).message.contains("no SSH private key"));
        assert!(keys.is_empty());
    }

    #[test]
    fn recipients_of_plugins_are_refused_with_a_word() {
        for (recipient, wanted) in [
            ("age1yubikey1q2w3e", "needs a plugin"),
            ("age1pq1xyz", "post-quantum"),
            ("age1xyz", "no recipient"),
            ("ssh-dss AAAA", "no recipient"),
            ("x", "no recipient"),
        ] {
            assert!(error(check_age_recipient(recipient)).message.contains(wanted), "{recipient}");
        }
    }
}
