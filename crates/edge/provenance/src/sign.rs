//! Making a provenance file: [`sign`].

use crate::keyring::Owner;
use crate::{Keyring, SEPARATOR, digest};
use onepane_value::{Map, Value, to_yaml};
use pgp::composed::{ArmorOptions, CleartextSignedMessage, PublicOrSecret, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion, Password, SecretParams, Timestamp};

/// A secret key to sign with.
#[derive(Debug)]
pub struct SigningKey<'k> {
    key: &'k SignedSecretKey,
    /// The first user id, by which a passphrase is asked for.
    pub owner: String,
}

impl Keyring {
    /// The secret key whose user id is `id`, or the only one whose user id contains it. The error is Helm's text.
    pub fn signing_key(&self, id: &str) -> Result<SigningKey<'_>, String> {
        let owners: Vec<(&PublicOrSecret, Owner)> = self.keys.iter().map(|key| (key, Owner::new(key))).collect();
        let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let hits = owners.iter().enumerate().flat_map(|(index, (_, owner))| {
                owner.identities.iter().filter(|name| wanted(name)).map(move |_| index)
            });
            hits.collect()
        };
        let exact = named(&|name| name == id);
        let near = named(&|name| name.contains(id));
        let (key, owner) = match (exact.as_slice(), near.as_slice()) {
            ([index, ..], _) | ([], [index]) => &owners[*index],
            ([], []) => return Err("private key not found".to_owned()),
            _ => return Err(format!("more than one key contain the id {id:?}")),
        };
        match key {
            PublicOrSecret::Secret(key) => {
                Ok(SigningKey { key, owner: owner.identities.first().cloned().unwrap_or_else(|| "Unknown".to_owned()) })
            }
            PublicOrSecret::Public(_) => {
                Err("provided key is not a private key. Try providing a keyring with secret keys".to_owned())
            }
        }
    }
}

impl SigningKey<'_> {
    /// Whether it takes a passphrase.
    pub fn is_locked(&self) -> bool {
        matches!(self.key.primary_key.secret_params(), SecretParams::Encrypted(_))
    }
}

/// The provenance file of `archive`, which will lie under the file name `name` and has this Chart.yaml.
pub fn sign(
    archive: &[u8],
    name: &str,
    metadata: &str,
    key: &SigningKey<'_>,
    passphrase: &[u8],
) -> Result<String, String> {
    let files: Map = Map::from_iter([(name, Value::string(digest(archive)))]);
    let sums = to_yaml(&Map::from_iter([("files", Value::from(files))]).into())?;
    let text = format!("{metadata}{SEPARATOR}{sums}");
    // Space at the ends of lines is not signed, so it had better not be there.
    let text: Vec<&str> =
        text.trim_end_matches('\n').split('\n').map(|line| line.trim_end_matches([' ', '\t'])).collect();
    let secret = &key.key.primary_key;
    let config = || -> pgp::errors::Result<SignatureConfig> {
        let mut config = SignatureConfig::from_key(rand::rngs::OsRng, secret, SignatureType::Text)?;
        config.hash_alg = HashAlgorithm::Sha512;
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::now()))?,
            Subpacket::regular(SubpacketData::IssuerFingerprint(secret.fingerprint()))?,
        ];
        if secret.version() <= KeyVersion::V4 {
            config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(secret.legacy_key_id()))?];
        }
        Ok(config)
    };
    let failed =
        |error: pgp::errors::Error| format!("the package can't be signed with this key and passphrase: {error}");
    let password = if key.is_locked() { Password::from(passphrase) } else { Password::empty() };
    let config = config().map_err(failed)?;
    let message = CleartextSignedMessage::new(&text.join("\n"), config, secret, &password).map_err(failed)?;
    message.to_armored_string(ArmorOptions::default()).map_err(failed)
}
