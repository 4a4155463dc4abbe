use super::*;
use pgp::composed::{ArmorOptions, KeyType, SecretKeyParamsBuilder};
use pgp::ser::Serialize;
use std::time::{Duration, SystemTime};

/// A secret key and its public half, as keyring files.
fn key(owner: &str, passphrase: Option<&str>) -> (Vec<u8>, Vec<u8>) {
    let mut builder = SecretKeyParamsBuilder::default();
    builder.key_type(KeyType::Ed25519Legacy).can_sign(true).can_certify(true);
    builder.primary_user_id(owner.to_owned()).passphrase(passphrase.map(str::to_owned));
    let parameters = builder.build().expect("the parameters are whole");
    let secret = parameters.generate(rand::rngs::OsRng).expect("a key can be made");
    let public = secret.to_public_key();
    (secret.to_bytes().expect("it is a key"), public.to_armored_bytes(ArmorOptions::default()).expect("it is a key"))
}

const METADATA: &str = "apiVersion: v2\ndescription: |\n  - dashed   \nname: c\nversion: 1.0.0\n";

#[test]
fn what_is_signed_verifies_and_nothing_else() {
    let (secret, public) = key("Ann <ann@example.com>", None);
    let secret = Keyring::parse(&secret).expect("it is a keyring");
    let signer = secret.signing_key("ann@").expect("the key is there");
    assert!(!signer.is_locked());
    let provenance = sign(b"archive", "c-1.0.0.tgz", METADATA, &signer, b"").expect("it can be signed");
    assert!(
        provenance.starts_with("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\n"),
        "{provenance}"
    );

    let public = Keyring::parse(&public).expect("it is a keyring");
    let now = SystemTime::now() + Duration::from_secs(1);
    let check = |archive: &[u8], provenance: &str, name: &str, keyring: &Keyring| {
        verify(archive, provenance.as_bytes(), name, keyring, now)
    };
    let verified = check(b"archive", &provenance, "c-1.0.0.tgz", &public).expect("it is good");
    assert_eq!(verified.signed_by, ["Ann <ann@example.com>"]);
    assert_eq!((verified.fingerprint.len(), verified.digest.len()), (40, 71));

    let bad = [
        (b"another".as_slice(), provenance.clone(), "c-1.0.0.tgz", "sha256 sum does not match"),
        (b"archive", provenance.clone(), "d-1.0.0.tgz", "does not contain a SHA for a file named \"d-1.0.0.tgz\""),
        (b"archive", provenance.replace("name: c", "name: d"), "c-1.0.0.tgz", "invalid signature"),
        (b"archive", "nothing".to_owned(), "c-1.0.0.tgz", "signature block not found"),
        (b"archive", provenance[..provenance.len() / 2].to_owned(), "c-1.0.0.tgz", "signature block not found"),
    ];
    for (archive, provenance, name, wanted) in bad {
        let error = check(archive, &provenance, name, &public).expect_err(wanted);
        assert!(error.contains(wanted), "{error}");
    }
    let stranger = Keyring::parse(&key("Bob <bob@example.com>", None).1).expect("it is a keyring");
    let error = check(b"archive", &provenance, "c-1.0.0.tgz", &stranger).expect_err("it is not his");
    assert_eq!(error, "openpgp: signature made by unknown entity");
}

#[test]
fn locked_keys_take_their_passphrase() {
    let (secret, public) = key("Cid <cid@example.com>", Some("secret"));
    let keyring = Keyring::parse(&secret).expect("it is a keyring");
    let signer = keyring.signing_key("Cid <cid@example.com>").expect("the key is there");
    assert!(signer.is_locked());
    assert!(sign(b"a", "a", METADATA, &signer, b"wrong").is_err());
    assert!(sign(b"a", "a", METADATA, &signer, b"secret").is_ok());
    let public = Keyring::parse(&public).expect("it is a keyring");
    assert!(public.signing_key("Cid").expect_err("it is public").contains("not a private key"));
    assert_eq!(public.signing_key("Dan").expect_err("he is not there"), "private key not found");
}

#[test]
fn several_armoured_keys_make_one_keyring() {
    let mut text = key("Eve <eve@example.com>", None).1;
    text.extend(key("Eva <eva@example.com>", None).1);
    let keyring = Keyring::parse(&text).expect("it is a keyring");
    assert_eq!(keyring.keys.len(), 2);
    assert!(keyring.signing_key("example.com").expect_err("it is vague").starts_with("more than one key"));
    assert!(Keyring::parse(b"-----BEGIN PGP nonsense").is_err());
}
