//! Checking a provenance file: [`verify`].

use crate::keyring::Owner;
use crate::{Keyring, SEPARATOR, digest};
use onepane_value::from_yaml;
use pgp::composed::{CleartextSignedMessage, SignedPublicSubKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, VerifyingKey};
use std::time::{SystemTime, UNIX_EPOCH};

/// A provenance file that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The user ids of the key that signed it.
    pub signed_by: Vec<String>,
    /// That key's fingerprint, in capital hexadecimal digits.
    pub fingerprint: String,
    /// The archive's digest: `sha256:…`.
    pub digest: String,
}

/// Checks that `provenance` is signed by a key of `keyring` that holds at `now`, and that it names `archive`'s digest
/// under the file name `name`.
pub fn verify(
    archive: &[u8],
    provenance: &[u8],
    name: &str,
    keyring: &Keyring,
    now: SystemTime,
) -> Result<Verified, String> {
    let message = message(provenance)?;
    let text = message.signed_text();
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let owner = signer(&message, &text, keyring, now)?;
    let wanted = wanted_digest(&text, name)?;
    let digest = digest(archive);
    match wanted {
        None => Err(format!("provenance does not contain a SHA for a file named {name:?}")),
        Some(wanted) if wanted != digest => {
            Err(format!("sha256 sum does not match for {name}: {wanted:?} != {digest:?}"))
        }
        Some(_) => Ok(Verified {
            signed_by: owner.identities,
            fingerprint: format!("{}", owner.key.fingerprint()).to_uppercase(),
            digest,
        }),
    }
}

/// Whether `provenance`, whoever signed it, names `archive`'s digest under the file name `name`.
///
/// Error: it is no provenance file.
pub fn claims(archive: &[u8], provenance: &[u8], name: &str) -> Result<bool, String> {
    let text = message(provenance)?.signed_text();
    Ok(wanted_digest(&text, name).is_ok_and(|wanted| wanted.as_deref() == Some(&digest(archive))))
}

/// The digest that a signed text has for the file `name`.
fn wanted_digest(text: &str, name: &str) -> Result<Option<String>, String> {
    let text = text.replace("\r\n", "\n");
    let (_, sums) = text.split_once(SEPARATOR).ok_or("message block must have at least two parts")?;
    let sums = sums.split_once(SEPARATOR).map_or(sums, |(sums, _)| sums);
    let sums = from_yaml(sums, None).map_err(|error| error.message)?;
    let files = sums.as_map().and_then(|sums| sums.get("files"));
    let wanted = files.as_ref().and_then(|files| files.as_map()?.get(name));
    Ok(wanted.as_ref().and_then(|sum| Some(sum.as_text()?.to_string())))
}

const START: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// The signed message in a file; what is around it does not matter.
fn message(provenance: &[u8]) -> Result<CleartextSignedMessage, String> {
    let missing = || "signature block not found".to_owned();
    let text = std::str::from_utf8(provenance).map_err(|_| missing())?;
    let lines = |mark: &'static str| {
        text.match_indices(mark).map(|(at, _)| at).filter(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')
    };
    let start = lines(START).next().ok_or_else(missing)?;
    let end = lines(END).find(|end| *end > start).ok_or_else(missing)? + END.len();
    CleartextSignedMessage::from_string(&text[start..end])
        .map(|(message, _)| message)
        .map_err(|error| format!("the signature can't be read: {error}"))
}

/// The owner of the key that made a signature of the message.
fn signer(message: &CleartextSignedMessage, text: &str, keyring: &Keyring, now: u64) -> Result<Owner, String> {
    let mut problem = "openpgp: signature made by unknown entity".to_owned();
    for signature in message.signatures() {
        if !matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary)) {
            continue;
        }
        for key in &keyring.keys {
            let owner = Owner::new(key);
            let result = if made_by(signature, &owner.key.primary_key) {
                check(signature, &owner.key.primary_key, text)
            } else if let Some(subkey) = owner.key.public_subkeys.iter().find(|key| made_by(signature, &key.key)) {
                may_sign(subkey, &owner, now).and_then(|()| check(signature, &subkey.key, text))
            } else {
                continue;
            };
            match result.and_then(|()| is_current(signature, &owner, now)) {
                Ok(()) => return Ok(owner),
                Err(error) => problem = error,
            }
        }
    }
    Err(problem)
}

fn made_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    signature.issuer_fingerprint().contains(&&key.fingerprint())
        || signature.issuer_key_id().contains(&&key.legacy_key_id())
}

fn check(signature: &Signature, key: &impl VerifyingKey, text: &str) -> Result<(), String> {
    signature.verify(key, text.as_bytes()).map_err(|error| format!("openpgp: invalid signature: {error}"))
}

/// A subkey signs if the primary key says so and the subkey agrees.
fn may_sign(subkey: &SignedPublicSubKey, owner: &Owner, now: u64) -> Result<(), String> {
    let primary = &owner.key.primary_key;
    let verified = |wanted: SignatureType| {
        subkey.signatures.iter().filter(move |signature| {
            signature.typ() == Some(wanted) && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
        })
    };
    if verified(SignatureType::SubkeyRevocation).next().is_some() {
        return Err("openpgp: signature made by a revoked subkey".to_owned());
    }
    let created = u64::from(subkey.key.created_at().as_secs());
    let agreed = verified(SignatureType::SubkeyBinding).any(|binding| {
        let lifetime = binding.key_expiration_time().map_or(0, |lifetime| u64::from(lifetime.as_secs()));
        let back = binding.embedded_signature();
        (lifetime == 0 || created + lifetime > now)
            && binding.key_flags().sign()
            && back.is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok())
    });
    if agreed { Ok(()) } else { Err("openpgp: signature made by a subkey that may not sign".to_owned()) }
}

fn is_current(signature: &Signature, owner: &Owner, now: u64) -> Result<(), String> {
    if owner.identities.is_empty() {
        return Err("openpgp: the key has no identity that it signed itself".to_owned());
    }
    if owner.revoked {
        return Err("openpgp: signature made by a revoked key".to_owned());
    }
    if owner.ends.is_some_and(|end| end <= now) {
        return Err("openpgp: key expired".to_owned());
    }
    let created = signature.created().map_or(0, |created| u64::from(created.as_secs()));
    let lifetime = signature.signature_expiration_time().map_or(0, |lifetime| u64::from(lifetime.as_secs()));
    if lifetime > 0 && created + lifetime <= now {
        return Err("openpgp: signature expired".to_owned());
    }
    Ok(())
}
