//! X.509 certificates, field by field as Go's crypto/x509 makes them.

use super::der;
use super::key::Key;
use crate::date::Moment;
use crate::random::Random;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// What a certificate says.
pub(super) struct Subject<'a> {
    pub(super) common_name: &'a str,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) dns_names: Vec<String>,
    pub(super) is_authority: bool,
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
}

/// Who signs: the parts of a certificate that matter for that.
pub(super) struct Issuer {
    /// In DER.
    name: Vec<u8>,
    key_id: Option<Vec<u8>>,
    public_key: Vec<u8>,
}

impl Issuer {
    /// Reads a certificate; the error is Go's.
    pub(super) fn read(certificate: &[u8]) -> Result<Self, String> {
        Self::read_parts(certificate).ok_or_else(|| "x509: malformed certificate".to_owned())
    }

    fn read_parts(certificate: &[u8]) -> Option<Self> {
        let mut reader = der::Reader(certificate);
        let mut outer = reader.sequence().filter(|_| reader.0.is_empty())?;
        let mut body = outer.sequence()?;
        outer.sequence()?;
        outer.bit_string()?;
        body.optional(der::explicit(0));
        body.next(der::INTEGER)?;
        body.sequence()?;
        body.sequence()?;
        body.sequence()?;
        let name = body.any().filter(|name| name.tag == der::SEQUENCE)?.whole.to_vec();
        let public_key = body.any().filter(|key| key.tag == der::SEQUENCE)?.whole.to_vec();
        let mut key_id = None;
        while let Some(item) = body.any() {
            if item.tag == der::explicit(3) {
                let mut extensions = der::Reader(item.contents).sequence()?;
                while let Some(mut extension) = extensions.sequence() {
                    let id = extension.next(der::OBJECT_IDENTIFIER)?;
                    extension.optional(der::BOOLEAN);
                    let value = extension.next(der::OCTET_STRING)?;
                    if id == SUBJECT_KEY_ID {
                        key_id = Some(der::Reader(value).next(der::OCTET_STRING)?.to_vec());
                    }
                }
            }
        }
        Some(Self { name, key_id, public_key })
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// A certificate for `key`, signed by `signer`, which is the issuer's key; without an issuer it signs itself.
pub(super) fn sign(
    subject: &Subject<'_>,
    key: &Key,
    issuer: Option<&Issuer>,
    signer: &Key,
    random: &mut Random,
) -> Result<Vec<u8>, String> {
    const NO_SIGNER: &str = "x509: certificate private key does not implement crypto.Signer";
    let algorithm = signer.signature_algorithm().ok_or(NO_SIGNER)?;
    let unsupported = "x509: only RSA, ECDSA and Ed25519 public keys supported: *dsa.PublicKey";
    let (public_algorithm, public_key) = key.public()?.ok_or(unsupported)?;
    let name = name(subject.common_name)?;
    let issuer_name = issuer.map_or(&name, |issuer| &issuer.name);
    if let (Some(issuer), Some((algorithm, public))) = (issuer, signer.public()?)
        && issuer.public_key != der::sequence(&[algorithm, der::bit_string(&public)])
    {
        return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
    }
    let issuer_key_id = issuer.filter(|_| *issuer_name != name).and_then(|issuer| issuer.key_id.as_deref());
    let mut serial = [0; 16];
    random.fill(&mut serial);
    let body = der::sequence(&[
        der::nested(der::explicit(0), &[der::integer(&[2])]),
        der::integer(&serial),
        algorithm.clone(),
        issuer_name.clone(),
        der::sequence(&[time(subject.not_before)?, time(subject.not_after)?]),
        name,
        der::sequence(&[public_algorithm, der::bit_string(&public_key)]),
        der::nested(der::explicit(3), &[extensions(subject, &public_key, issuer_key_id)?]),
    ]);
    let signature = signer.sign(&body)?;
    Ok(der::sequence(&[body, algorithm, der::bit_string(&signature)]))
}

fn name(common_name: &str) -> Result<Vec<u8>, String> {
    if common_name.is_empty() {
        return Ok(der::sequence(&[]));
    }
    let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if common_name.bytes().all(is_printable) { der::PRINTABLE_STRING } else { der::UTF8_STRING };
    let attribute = [der::value(der::OBJECT_IDENTIFIER, COMMON_NAME), der::value(tag, common_name.as_bytes())];
    Ok(der::sequence(&[der::nested(der::SET, &[der::sequence(&attribute)])]))
}

/// Two digits of the year up to 2049, four behind.
fn time(moment: Moment) -> Result<Vec<u8>, String> {
    let text = moment.format("20060102150405Z");
    match moment.year() {
        1950..2050 => Ok(der::value(der::UTC_TIME, &text[2..])),
        0..10_000 => Ok(der::value(der::GENERALIZED_TIME, &text)),
        _ => Err("asn1: structure error: cannot represent time as GeneralizedTime".to_owned()),
    }
}

fn extensions(subject: &Subject<'_>, public_key: &[u8], issuer_key_id: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let extension = |id: &[u8], critical: bool, value: &[u8]| {
        let critical = if critical { der::value(der::BOOLEAN, &[0xff]) } else { Vec::new() };
        let (id, value) = (der::value(der::OBJECT_IDENTIFIER, id), der::value(der::OCTET_STRING, value));
        der::sequence(&[id, critical, value])
    };
    // Digital signature and key encipherment; an authority signs certificates too. The first byte counts bits unused.
    let usage: [u8; 2] = if subject.is_authority { [2, 0xa4] } else { [5, 0xa0] };
    let purposes = [SERVER_AUTH, CLIENT_AUTH].map(|purpose| der::value(der::OBJECT_IDENTIFIER, purpose));
    let constraints = if subject.is_authority { vec![der::value(der::BOOLEAN, &[0xff])] } else { Vec::new() };
    let mut extensions = vec![
        extension(KEY_USAGE, true, &der::value(der::BIT_STRING, &usage)),
        extension(EXTENDED_KEY_USAGE, false, &der::sequence(&purposes)),
        extension(BASIC_CONSTRAINTS, true, &der::sequence(&constraints)),
    ];
    if subject.is_authority {
        let id = &Sha256::digest(public_key)[..20];
        extensions.push(extension(SUBJECT_KEY_ID, false, &der::value(der::OCTET_STRING, id)));
    }
    if let Some(id) = issuer_key_id {
        let id = der::sequence(&[der::value(der::implicit(0), id)]);
        extensions.push(extension(AUTHORITY_KEY_ID, false, &id));
    }
    let mut names = Vec::new();
    for name in &subject.dns_names {
        if !name.is_ascii() {
            return Err(format!("x509: {name:?} cannot be encoded as an IA5String"));
        }
        names.push(der::value(der::implicit(2), name.as_bytes()));
    }
    for address in &subject.addresses {
        names.push(match address.to_canonical() {
            IpAddr::V4(address) => der::value(der::implicit(7), &address.octets()),
            IpAddr::V6(address) => der::value(der::implicit(7), &address.octets()),
        });
    }
    if !names.is_empty() {
        let critical = subject.common_name.is_empty();
        extensions.push(extension(SUBJECT_ALTERNATIVE_NAME, critical, &der::sequence(&names)));
    }
    Ok(der::sequence(&extensions))
}
