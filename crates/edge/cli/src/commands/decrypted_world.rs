//! A repository as Flux sees it when it may decrypt: [`DecryptedWorld`].

use crate::redaction;
use camino::Utf8Path;
use onepane_diagnostics::FileId;
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::{Encrypted, Format, Integrity};
use onepane_world::{OsWorld, ReadError, ReadErrorReason, World};
use std::sync::Arc;

/// The files of another world, those that SOPS has encrypted as they were before.
///
/// Flux decrypts the sources of secret generators before it builds, and manifests after that. Here both are decrypted
/// when they are read, so that a manifest is proven to be as it was encrypted; what is built is the same.
pub(crate) struct DecryptedWorld<'w> {
    world: &'w dyn World,
    keys: FoundKeys<'w>,
}

impl<'w> DecryptedWorld<'w> {
    /// Decrypts with the keys of `machine`.
    pub(crate) fn new(world: &'w dyn World, machine: &'w OsWorld) -> Self {
        Self { world, keys: FoundKeys::find(machine, Programs::Refused) }
    }
}

impl World for DecryptedWorld<'_> {
    onepane_world::answers_of!(world: list, kind, canonical, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        let bytes = self.world.read(path)?;
        let (format, file) = (Format::of_path(path.as_str()), FileId::new(path));
        // Each way in which a format holds metadata has this in it.
        if !bytes.windows(4).any(|window| window == b"sops") {
            return Ok(bytes);
        }
        let Ok(encrypted) = Encrypted::read(&bytes, format, file) else { return Ok(bytes) };
        let plain = encrypted
            .decrypt(&self.keys.services(), Integrity::Checked)
            .and_then(|file| file.text(format, onepane_sops::Layout::default()))
            .map_err(|error| ReadError::new(path, ReadErrorReason::Other(error.message)))?;
        redaction::note_file(plain.reveal());
        Ok(plain.reveal().into())
    }
}
