//! Certificates against those that Go made, and what they refuse.

use super::certificate::{Issuer, Subject, sign};
use super::key::{Bits, Key};
use super::{der, pem};
use crate::date::Moment;
use crate::random::Random;
use onepane_world::MemoryWorld;

/// An Ed25519 key, whose signatures have nothing random in them.
fn key(seed: u8) -> Key {
    let seed = der::value(der::OCTET_STRING, &[seed; 32]);
    let algorithm = der::sequence(&[der::value(der::OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70])]);
    let parts = [der::integer(&[]), algorithm, der::value(der::OCTET_STRING, &seed)];
    let text = pem::encode("PRIVATE KEY", &der::sequence(&parts));
    Key::from_pem(text.as_bytes()).expect("a good key")
}

fn subject(common_name: &str, is_authority: bool) -> Subject<'_> {
    const DAY: i64 = 86_400_000_000_000;
    let now = Moment::now(&MemoryWorld::new());
    let (addresses, dns_names) = if is_authority {
        (Vec::new(), Vec::new())
    } else {
        let addresses = ["10.0.0.1", "::1", "::ffff:1.2.3.4"].map(|address| address.parse().expect("an address"));
        (addresses.to_vec(), vec!["*.example.com".to_owned(), "b".to_owned()])
    };
    // One ends before 2050, where the form of times changes, and one after.
    let days = if is_authority { 365 } else { 36_500 };
    Subject { common_name, addresses, dns_names, is_authority, not_before: now, not_after: now.after(days * DAY) }
}

fn random() -> Random {
    Random::new(&MemoryWorld::new())
}

/// `go run` of crypto/x509 with the same keys, times and serial number made the tables.
#[test]
fn certificates_are_those_of_go_to_the_byte() {
    let (authority_key, leaf_key) = (key(1), key(2));
    let authority = sign(&subject("my-ca", true), &authority_key, None, &authority_key, &mut random()).expect("a CA");
    assert_eq!(pem::encode("CERTIFICATE", &authority), include_str!("tables/authority.pem"));
    let issuer = Issuer::read(&authority).expect("we can read what we made");
    let leaf = subject("*.example.com", false);
    let leaf = sign(&leaf, &leaf_key, Some(&issuer), &authority_key, &mut random()).expect("a leaf");
    assert_eq!(pem::encode("CERTIFICATE", &leaf), include_str!("tables/leaf.pem"));
    let nameless = sign(&subject("", false), &leaf_key, None, &leaf_key, &mut random()).expect("a certificate");
    assert_eq!(pem::encode("CERTIFICATE", &nameless), include_str!("tables/nameless.pem"));
}

#[test]
fn an_authority_is_not_signed_for_by_another_key() {
    let authority = sign(&subject("ca", true), &key(1), None, &key(1), &mut random()).expect("a CA");
    let issuer = Issuer::read(&authority).expect("we can read what we made");
    let error = sign(&subject("x", false), &key(2), Some(&issuer), &key(3), &mut random()).expect_err("the wrong key");
    assert_eq!(error, "x509: provided PrivateKey doesn't match parent's PublicKey");
    let dsa = Key::Dsa(Vec::new());
    let error = sign(&subject("x", false), &dsa, None, &dsa, &mut random()).expect_err("a key that can't sign");
    assert_eq!(error, "x509: certificate private key does not implement crypto.Signer");
}

#[test]
fn keys_are_read_as_they_were_written() {
    let mut random = random();
    let rsa = Key::rsa(Bits::B2048, &mut random).expect("a key");
    let Key::Rsa(inner) = &rsa else { panic!("it is RSA") };
    inner.validate().expect("a sound key");
    for (key, kind) in [
        (rsa, "-----BEGIN RSA PRIVATE KEY-----\n"),
        (Key::p256(&mut random), "-----BEGIN EC PRIVATE KEY-----\n"),
        (Key::ed25519(&mut random), "-----BEGIN PRIVATE KEY-----\n"),
    ] {
        let text = key.to_pem().expect("it can be written");
        assert!(text.starts_with(kind), "{text}");
        let again = Key::from_pem(text.as_bytes()).expect("it can be read");
        assert_eq!(again.to_pem().expect("it can be written"), text);
        let certificate = sign(&subject("x", true), &again, None, &again, &mut random).expect("it signs");
        assert!(Issuer::read(&certificate).is_ok());
        assert!(Issuer::read(&certificate[..certificate.len() - 1]).is_err());
    }
}
