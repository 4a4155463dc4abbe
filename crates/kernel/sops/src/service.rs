//! Who uses master keys: [`KeyService`]. Here the data key is taken together from what services decrypt, and divided
//! for what they encrypt.

use crate::failure::{refused, unusable_key};
use crate::master_key::{KeyGroup, MasterKey};
use crate::metadata::Metadata;
use crate::secret::{DataKey, Secret};
use crate::shamir;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::World;

/// Uses master keys of one kind or several.
pub trait KeyService {
    /// Decrypts what `key.enc` is. `None` for a key of a kind that this service does not know.
    ///
    /// # Errors
    /// `sops-key`, without a word of what is secret.
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>>;

    /// Encrypts `part` with the key and puts the outcome into `key.enc`; the service may complete `key.id`, too, such
    /// as by the version of the key that it took. `None` as above.
    ///
    /// # Errors
    /// `sops-key`.
    fn encrypt(&self, key: &mut MasterKey, part: &Secret, world: &dyn World) -> Option<Result<()>>;
}

/// The kinds that are tried first: they need no server.
const FIRST: [&str; 2] = ["age", "pgp"];

/// The data key of a file. Each group of keys has a part of it, and any key of the group gives that.
pub(crate) fn recover(metadata: &Metadata, services: &[&dyn KeyService]) -> Result<DataKey> {
    let groups = &metadata.groups;
    let needed = if groups.len() == 1 { 1 } else { metadata.shamir_threshold.max(2) };
    let mut parts = Vec::new();
    let mut problems = Vec::new();
    for group in groups {
        if parts.len() < needed {
            parts.extend(group_part(group, services, &mut problems));
        }
    }
    if parts.len() < needed {
        let found = parts.len();
        let message = match groups.as_slice() {
            [_] => "no key decrypts the data key of this file".to_owned(),
            _ => format!("the file needs keys of {needed} groups, and there are keys of {found}"),
        };
        let mut error = unusable_key(message).hint("get access to one of the keys that are named above");
        for problem in problems {
            error = error.trace(problem, None);
        }
        return Err(error);
    }
    let secret = if groups.len() == 1 { parts.pop() } else { shamir::combine(&parts) };
    secret
        .and_then(|secret| DataKey::new(&secret))
        .ok_or_else(|| unusable_key("what the keys of this file decrypt is no data key, or parts of different ones"))
}

fn group_part(group: &KeyGroup, services: &[&dyn KeyService], problems: &mut Vec<String>) -> Option<Secret> {
    let mut keys: Vec<&MasterKey> = group.iter().collect();
    keys.sort_by_key(|key| FIRST.iter().position(|kind| *kind == key.id.kind()).unwrap_or(FIRST.len()));
    for key in keys {
        let mut known = false;
        for answer in services.iter().filter_map(|service| service.decrypt(key)) {
            known = true;
            match answer {
                Ok(part) => return Some(part),
                Err(error) => problems.push(described(key, &error)),
            }
        }
        if !known {
            problems.push(format!("{} `{}`: there is nothing here to use it with", key.id.kind(), key.id));
        }
    }
    None
}

fn described(key: &MasterKey, error: &Diagnostic) -> String {
    format!("{} `{}`: {}", key.id.kind(), key.id, error.message)
}

/// A new data key.
pub(crate) fn new_data_key(world: &dyn World) -> Secret {
    let mut bytes = zeroize::Zeroizing::new(vec![0; DataKey::LENGTH]);
    world.random(&mut bytes);
    bytes.into()
}

/// Encrypts a data key with all keys of a file: all of them must be able to.
pub(crate) fn distribute(
    metadata: &mut Metadata,
    data_key: &Secret,
    services: &[&dyn KeyService],
    now: &str,
    world: &dyn World,
) -> Result<()> {
    let count = metadata.groups.len();
    if count == 0 || metadata.groups.iter().any(Vec::is_empty) {
        let message = "there is a group without keys, or none at all: the file could not be decrypted any more";
        return Err(refused(message).hint("name at least one recipient, in `.sops.yaml` or by a flag"));
    }
    let parts = if count == 1 {
        vec![data_key.clone()]
    } else {
        if metadata.shamir_threshold == 0 {
            metadata.shamir_threshold = count;
        }
        let threshold = metadata.shamir_threshold;
        shamir::split(data_key, count, threshold, world).ok_or_else(|| {
            refused(format!("a data key can't be divided so that {threshold} of {count} groups give it"))
                .hint("`shamir_threshold` is at least 2 and at most the number of groups, of which 255 can be")
        })?
    };
    for (group, part) in metadata.groups.iter_mut().zip(&parts) {
        for key in group {
            encrypt_part(key, part, services, world)?;
            if key.id.kind() != "age" {
                now.clone_into(&mut key.created_at);
            }
        }
    }
    Ok(())
}

fn encrypt_part(key: &mut MasterKey, part: &Secret, services: &[&dyn KeyService], world: &dyn World) -> Result<()> {
    let mut problem = "there is nothing here to use it with".to_owned();
    for service in services {
        match service.encrypt(key, part, world) {
            None => {}
            Some(Ok(())) => return Ok(()),
            Some(Err(error)) => problem = error.message,
        }
    }
    Err(unusable_key(format!("the {} key `{}` can't encrypt the data key: {problem}", key.id.kind(), key.id)))
}
