//! Private keys: [`Key`].

use super::{der, dsa, pem, prime};
use crate::random::Random;
use ed25519_dalek::ed25519::signature::Signer;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15::SigningKey;
use rsa::signature::SignatureEncoding;
use rsa::{BigUint, RsaPrivateKey};
use sha2::Sha256;

/// A private key.
pub(super) enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
    /// In OpenSSL's form.
    Dsa(Vec<u8>),
}

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const CURVE_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const CURVE_P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

fn oid(bytes: &[u8]) -> Vec<u8> {
    der::value(der::OBJECT_IDENTIFIER, bytes)
}

/// A public key's algorithm and its bytes.
pub(super) type PublicKey = (Vec<u8>, Vec<u8>);

impl Key {
    /// A new RSA key of 2048 or 4096 bits.
    pub(super) fn rsa(bits: Bits, random: &mut Random) -> Result<Self, String> {
        match bits {
            Bits::B2048 => rsa_key::<16>(random),
            Bits::B4096 => rsa_key::<32>(random),
        }
    }

    /// A new key on the curve P-256.
    pub(super) fn p256(random: &mut Random) -> Self {
        Self::P256(p256::SecretKey::random(&mut random.0))
    }

    /// A new Ed25519 key.
    pub(super) fn ed25519(random: &mut Random) -> Self {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// A new DSA key.
    pub(super) fn dsa(random: &mut Random) -> Self {
        Self::Dsa(dsa::generate(random))
    }

    /// Reads a key; the error is sprig's.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let (kind, bytes) = pem::decode(text).ok_or("no PEM data in input")?;
        if kind == "PRIVATE KEY" {
            return Self::from_pkcs8(&bytes).map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        match kind.strip_suffix(" PRIVATE KEY") {
            None => Err(format!("no private key data in PEM block of type {kind}")),
            Some("RSA") => match RsaPrivateKey::from_pkcs1_der(&bytes) {
                Ok(key) => Ok(Self::Rsa(Box::new(key))),
                Err(error) => Err(format!("parsing RSA private key from PEM: {error}")),
            },
            Some("EC") => Self::from_sec1(&bytes, None)
                .ok_or_else(|| "parsing EC private key from PEM: x509: failed to parse EC private key".to_owned()),
            Some("DSA") => {
                let mut reader = der::Reader(&bytes);
                let numbers = reader.sequence().is_some_and(|mut key| (0..6).all(|_| key.next(der::INTEGER).is_some()));
                let error = "parsing DSA private key from PEM: asn1: structure error";
                if numbers { Ok(Self::Dsa(bytes)) } else { Err(error.to_owned()) }
            }
            Some(_) => Err(format!("invalid private key type {kind}")),
        }
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        let malformed = || "asn1: structure error".to_owned();
        let mut outer = der::Reader(bytes).sequence().ok_or_else(malformed)?;
        outer.next(der::INTEGER).ok_or_else(malformed)?;
        let mut algorithm = outer.sequence().ok_or_else(malformed)?;
        let key = outer.next(der::OCTET_STRING).ok_or_else(malformed)?;
        match algorithm.next(der::OBJECT_IDENTIFIER).ok_or_else(malformed)? {
            RSA_ENCRYPTION => RsaPrivateKey::from_pkcs1_der(key)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| format!("x509: failed to parse RSA private key embedded in PKCS#8: {error}")),
            EC_PUBLIC_KEY => Self::from_sec1(key, algorithm.optional(der::OBJECT_IDENTIFIER))
                .ok_or_else(|| "x509: failed to parse EC private key embedded in PKCS#8".to_owned()),
            ED25519 => {
                let seed = der::Reader(key).next(der::OCTET_STRING).and_then(|seed| seed.try_into().ok());
                let seed = seed.ok_or("x509: invalid Ed25519 private key")?;
                Ok(Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
            }
            _ => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()),
        }
    }

    fn from_sec1(bytes: &[u8], curve: Option<&[u8]>) -> Option<Self> {
        let mut key = der::Reader(bytes).sequence()?;
        key.next(der::INTEGER)?;
        let secret = key.next(der::OCTET_STRING)?;
        let own_curve =
            key.optional(der::explicit(0)).and_then(|curve| der::Reader(curve).next(der::OBJECT_IDENTIFIER));
        match curve.or(own_curve)? {
            CURVE_P256 => p256::SecretKey::from_slice(secret).ok().map(Self::P256),
            CURVE_P384 => p384::SecretKey::from_slice(secret).ok().map(Self::P384),
            _ => None,
        }
    }

    /// The key as Go's programs write it.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        let sec1 = |secret: &[u8], curve: &[u8], public: &[u8]| {
            let parts = [
                der::integer(&[1]),
                der::value(der::OCTET_STRING, secret),
                der::nested(der::explicit(0), &[oid(curve)]),
                der::nested(der::explicit(1), &[der::bit_string(public)]),
            ];
            pem::encode("EC PRIVATE KEY", &der::sequence(&parts))
        };
        Ok(match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                pem::encode("RSA PRIVATE KEY", der.as_bytes())
            }
            Self::P256(key) => sec1(&key.to_bytes(), CURVE_P256, key.public_key().to_encoded_point(false).as_bytes()),
            Self::P384(key) => sec1(&key.to_bytes(), CURVE_P384, key.public_key().to_encoded_point(false).as_bytes()),
            Self::Ed25519(key) => {
                let seed = der::value(der::OCTET_STRING, key.as_bytes());
                let parts = [der::integer(&[]), der::sequence(&[oid(ED25519)]), der::value(der::OCTET_STRING, &seed)];
                pem::encode("PRIVATE KEY", &der::sequence(&parts))
            }
            Self::Dsa(bytes) => pem::encode("DSA PRIVATE KEY", bytes),
        })
    }

    /// The public key's algorithm and bytes; `None` where certificates can't have such a key.
    pub(super) fn public(&self) -> Result<Option<PublicKey>, String> {
        let curve = |curve| der::sequence(&[oid(EC_PUBLIC_KEY), oid(curve)]);
        Ok(Some(match self {
            Self::Rsa(key) => {
                let algorithm = der::sequence(&[oid(RSA_ENCRYPTION), der::value(der::NULL, &[])]);
                let public = key.to_public_key().to_pkcs1_der().map_err(|error| error.to_string())?;
                (algorithm, public.as_bytes().to_vec())
            }
            Self::P256(key) => (curve(CURVE_P256), key.public_key().to_encoded_point(false).as_bytes().to_vec()),
            Self::P384(key) => (curve(CURVE_P384), key.public_key().to_encoded_point(false).as_bytes().to_vec()),
            Self::Ed25519(key) => (der::sequence(&[oid(ED25519)]), key.verifying_key().to_bytes().to_vec()),
            Self::Dsa(_) => return Ok(None),
        }))
    }

    /// The algorithm that it signs by; `None` where it can't.
    pub(super) fn signature_algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Rsa(_) => der::sequence(&[oid(SHA256_WITH_RSA), der::value(der::NULL, &[])]),
            Self::P256(_) => der::sequence(&[oid(ECDSA_WITH_SHA256)]),
            Self::P384(_) => der::sequence(&[oid(ECDSA_WITH_SHA384)]),
            Self::Ed25519(_) => der::sequence(&[oid(ED25519)]),
            Self::Dsa(_) => return None,
        })
    }

    /// The signature of `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let key = SigningKey::<Sha256>::new((**key).clone());
                key.try_sign(message).map(|signature| signature.to_vec()).map_err(|error| error.to_string())
            }
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) => Err("x509: certificate private key does not implement crypto.Signer".to_owned()),
        }
    }
}

/// Lengths of RSA keys that sprig makes.
#[derive(Clone, Copy)]
pub(super) enum Bits {
    B2048,
    B4096,
}

const EXPONENT: u32 = 65_537;

/// A key of two primes of `N` words, which two threads look for.
fn rsa_key<const N: usize>(random: &mut Random) -> Result<Key, String> {
    let (p, q) = std::thread::scope(|scope| {
        let mut other = random.stream(1);
        let search = scope.spawn(move || rsa_prime::<N>(&mut other));
        let p = rsa_prime::<N>(&mut random.stream(2));
        (p, search.join())
    });
    let q = q.map_err(|_| "error generating rsa key: a thread stopped")?;
    let key = RsaPrivateKey::from_p_q(p, q, EXPONENT.into()).map_err(|error| error.to_string())?;
    Ok(Key::Rsa(Box::new(key)))
}

fn rsa_prime<const N: usize>(random: &mut Random) -> BigUint {
    loop {
        let mut bytes = vec![0; 8 * N];
        random.fill(&mut bytes);
        // With its two highest bits set, the product of two has all its bits.
        bytes[0] |= 0xc0;
        bytes[8 * N - 1] |= 1;
        let start = BigUint::from_bytes_be(&bytes);
        let suits = |prime: &BigUint| prime % EXPONENT != BigUint::from(1u8);
        if let Some(prime) = prime::search::<N>(&start, &BigUint::from(2u8), random, suits) {
            return prime;
        }
    }
}
