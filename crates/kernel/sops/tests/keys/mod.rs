//! Throw-away keys that were made for these tests and are used nowhere else.

use onepane_sops::{AgeKeys, PgpKeys, Secret};
use pgp::composed::{Deserializable, SignedSecretKey};
use pgp::ser::Serialize;
use pgp::types::KeyDetails;

/// Keys of both kinds; not each test needs each field.
#[allow(dead_code, reason = "it is a part of two tests, of which one needs less")]
pub(crate) struct Keys {
    pub(crate) age: AgeKeys,
    /// What `age` was read from.
    pub(crate) age_text: Secret,
    pub(crate) age_recipients: Vec<String>,
    pub(crate) pgp: PgpKeys,
    /// Packets, as GnuPG's keyrings were.
    pub(crate) pgp_secret: Secret,
    pub(crate) pgp_public: Vec<u8>,
    pub(crate) pgp_fingerprint: String,
}

impl Keys {
    pub(crate) fn read() -> Self {
        let age_text = Secret::new(include_bytes!("age.txt").as_slice());
        let armoured = include_bytes!("pgp.asc").as_slice();
        let (mut age, mut pgp) = (AgeKeys::new(), PgpKeys::new());
        age.add(&age_text, "age.txt").expect("it holds identities");
        pgp.add(&Secret::new(armoured), "pgp.asc").expect("it holds a key");
        let (key, _) = SignedSecretKey::from_armor_single(armoured).expect("it is a key");
        Self {
            age_recipients: age.recipients(),
            age,
            age_text,
            pgp,
            pgp_secret: Secret::new(key.to_bytes().expect("it is a key")),
            pgp_public: key.to_public_key().to_bytes().expect("it is a key"),
            pgp_fingerprint: key.fingerprint().to_string().to_uppercase(),
        }
    }
}
