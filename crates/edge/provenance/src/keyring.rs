//! Keyrings: [`Keyring`].

use crate::keybox;
use pgp::composed::{PublicOrSecret, SignedPublicKey};
use pgp::packet::Signature;
use pgp::types::{KeyDetails, Tag};

/// Keys, public and secret.
#[derive(Debug)]
pub struct Keyring {
    pub(crate) keys: Vec<PublicOrSecret>,
}

impl Keyring {
    /// Reads a keyring: GnuPG's old stream of packets, its keybox, or text armour, of which several may follow one
    /// another. Keys of kinds that are not known are left out.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut keys = Vec::new();
        if keybox::is_keybox(bytes) {
            read_packets(&keybox::keys(bytes)?, &mut keys)?;
        } else if bytes.trim_ascii_start().starts_with(ARMOUR.as_bytes()) {
            let text = std::str::from_utf8(bytes).map_err(|_| "the keyring is neither packets nor text".to_owned())?;
            for (start, _) in text.match_indices(ARMOUR) {
                let rest = &text[start..];
                let end = rest[1..].find(ARMOUR).map_or(rest.len(), |end| end + 1);
                let found =
                    PublicOrSecret::from_armor_many(&rest.as_bytes()[..end]).map_err(|error| error.to_string())?;
                keys.extend(found.0.filter_map(Result::ok));
            }
            if keys.is_empty() {
                return Err("no keys found".to_owned());
            }
        } else {
            read_packets(bytes, &mut keys)?;
        }
        Ok(Self { keys })
    }
}

const ARMOUR: &str = "-----BEGIN PGP ";

fn read_packets(bytes: &[u8], keys: &mut Vec<PublicOrSecret>) -> Result<(), String> {
    let mut error = None;
    for key in PublicOrSecret::from_bytes_many(&*without_trust(bytes)).map_err(|error| error.to_string())? {
        match key {
            Ok(key) => keys.push(key),
            Err(problem) => error = Some(problem),
        }
    }
    match error {
        Some(error) if keys.is_empty() => Err(format!("no keys found: {error}")),
        _ => Ok(()),
    }
}

/// The packets without those that only GnuPG's own files have: what it thinks of a user or signature stands between
/// them, where a reader would not look for it. What can't be told apart is left for the reader to refuse.
fn without_trust(bytes: &[u8]) -> Vec<u8> {
    const TRUST: u8 = 12;
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((tag, length)) = packet(rest).filter(|(_, length)| *length <= rest.len()) {
        let (packet, after) = rest.split_at(length);
        if tag != TRUST {
            out.extend_from_slice(packet);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// The tag of the first packet, and its length with its header.
fn packet(bytes: &[u8]) -> Option<(u8, usize)> {
    let number = |range: std::ops::Range<usize>| -> Option<usize> {
        Some(bytes.get(range)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let first = *bytes.first()?;
    let (tag, header, body) = match (first >> 6, first & 3) {
        (2, 0) => (first >> 2 & 15, 2, number(1..2)?),
        (2, 1) => (first >> 2 & 15, 3, number(1..3)?),
        (2, 2) => (first >> 2 & 15, 5, number(1..5)?),
        (3, _) => match number(1..2)? {
            short @ 0..192 => (first & 63, 2, short),
            192..224 => (first & 63, 3, number(1..3)? - (192 << 8) + 192),
            255 => (first & 63, 6, number(2..6)?),
            _ => return None,
        },
        _ => return None,
    };
    Some((tag, header + body))
}

/// A key with what it says of itself.
pub(crate) struct Owner {
    pub(crate) key: SignedPublicKey,
    /// The user ids that the key has signed.
    pub(crate) identities: Vec<String>,
    /// When the key ends, in seconds since 1970.
    pub(crate) ends: Option<u64>,
    /// Whether the key was revoked.
    pub(crate) revoked: bool,
}

impl Owner {
    pub(crate) fn new(key: &PublicOrSecret) -> Self {
        let key = match key {
            PublicOrSecret::Public(key) => key.clone(),
            PublicOrSecret::Secret(key) => key.to_public_key(),
        };
        let primary = &key.primary_key;
        let mut identities = Vec::new();
        let mut newest: Option<&Signature> = None;
        for user in &key.details.users {
            let own = user.signatures.iter().filter(|signature| {
                signature.is_certification() && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
            });
            let mut certified = false;
            for signature in own {
                certified = true;
                if newest.is_none_or(|newest| newest.created() <= signature.created()) {
                    newest = Some(signature);
                }
            }
            if certified {
                identities.push(String::from_utf8_lossy(user.id.id()).into_owned());
            }
        }
        let lifetime = newest.and_then(Signature::key_expiration_time).map(|lifetime| u64::from(lifetime.as_secs()));
        let created = u64::from(primary.created_at().as_secs());
        let ends = lifetime.filter(|lifetime| *lifetime > 0).map(|lifetime| created + lifetime);
        let revoked = key.details.revocation_signatures.iter().any(|signature| signature.verify_key(primary).is_ok());
        Self { identities, ends, revoked, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_packets_are_taken_out() {
        let user = [0xB4, 2, b'a', b'b'];
        let trust = [0xB0, 2, 0, 1];
        let new_trust = [0xCC, 1, 7];
        let all = [user.as_slice(), &trust, &user, &new_trust, &[0xB4, 9, 1]].concat();
        assert_eq!(without_trust(&all), [user.as_slice(), &user, &[0xB4, 9, 1]].concat());
    }
}
