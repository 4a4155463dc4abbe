//! This machine, for states: programs are run and secrets looked up where the user allows it.

use super::remote;
use super::secrets::Secrets;
use crate::process::{Complaints, run};
use crate::redaction;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId};
use onepane_helmfile::{Found, Outside, ProgramCall, Reference, RemoteSource};
use onepane_keys::{CloudKeys, Connections, Endpoints, FoundKeys, Programs};
use onepane_sops::{Format, Integrity, KeyId, KeyService, MasterKey, Secret, decrypt};
use onepane_world::{OsWorld, World};
use std::process::Command;
use std::sync::Arc;

/// More is not read from a program.
const LARGEST_OUTPUT: u64 = 128 << 20;

/// Runs programs unless it is a sandbox.
pub(crate) struct System {
    pub(super) is_sandbox: bool,
    /// Where relative paths start.
    folder: Utf8PathBuf,
    /// The environment and files that credentials stand in.
    pub(super) world: OsWorld,
    connections: Arc<Connections>,
    secrets: Secrets,
}

impl System {
    pub(crate) fn new(is_sandbox: bool, folder: Utf8PathBuf) -> Self {
        let world = OsWorld::unrestricted(folder.clone());
        let connections = Connections::new(&world);
        Self { is_sandbox, folder, world, connections, secrets: Secrets::default() }
    }

    /// Whoever keeps keys and secrets on the network; none in a sandbox.
    pub(super) fn services(&self) -> Option<CloudKeys<'_>> {
        let open = || CloudKeys::over(&self.connections, &self.world, Endpoints::default(), Programs::Allowed);
        (!self.is_sandbox).then(open)
    }

    /// The contents of an encrypted file of some format.
    pub(super) fn decrypt_as(&self, path: &Utf8Path, format: Format, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        let programs = if self.is_sandbox { Programs::Refused } else { Programs::Allowed };
        let network: Box<dyn KeyService + Send + Sync + '_> = match self.services() {
            Some(services) => Box::new(services),
            None => Box::new(NoNetwork),
        };
        let keys = FoundKeys::with(&self.world, programs, network);
        let plain = decrypt(encrypted, format, FileId::new(path), &keys.services(), Integrity::Checked);
        plain.map(|plain| plain.reveal().to_vec()).map_err(|error| error.message)
    }
}

/// In a sandbox, keys that others keep are not asked for.
struct NoNetwork;

impl KeyService for NoNetwork {
    fn decrypt(&self, key: &MasterKey) -> Option<onepane_diagnostics::Result<Secret>> {
        let asked =
            matches!(key.id, KeyId::Kms { .. } | KeyId::GcpKms { .. } | KeyId::AzureKv { .. } | KeyId::HcVault { .. });
        let refused = || {
            Diagnostic::error("keys-unusable", format!("`{}` is asked over the network: not with --sandbox", key.id))
        };
        asked.then(|| Err(refused()))
    }

    fn encrypt(&self, _: &mut MasterKey, _: &Secret, _: &dyn World) -> Option<onepane_diagnostics::Result<()>> {
        None
    }
}

impl Outside for System {
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        if self.is_sandbox {
            return Err(format!("`{}` is not run: --sandbox", call.program));
        }
        let mut command = Command::new(call.program);
        command.args(call.arguments).envs(call.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.join(call.folder));
        let ran = run(command, call.input.to_vec(), LARGEST_OUTPUT, Complaints::Kept)
            .map_err(|unable| unable.words(call.program))?;
        if ran.succeeded {
            return Ok(ran.output);
        }
        let complaint = ran.complaint.trim_end();
        let complaint = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
        Err(format!("command {:?} exited with {}{complaint}", call.program, ran.status))
    }

    fn secret(&self, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
        let found = self.secrets.find(self, &self.folder.join(folder), reference)?;
        match &found {
            Found::Text(text) if reference.wants_document() => redaction::note_file(text.as_bytes()),
            Found::Text(text) => redaction::note(&text.as_str().into()),
            Found::Fields(fields) => redaction::note_file(&serde_json::to_vec(fields).unwrap_or_default()),
        }
        Ok(found)
    }

    fn fetch(&self, source: &RemoteSource, shelf: &str) -> Result<Utf8PathBuf, String> {
        if self.is_sandbox {
            return Err("nothing is fetched for a state with --sandbox".to_owned());
        }
        remote::fetch(source, shelf, &self.folder, &self.world)
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        let plain = self.decrypt_as(path, Format::of_path(path.as_str()), encrypted)?;
        redaction::note_file(&plain);
        Ok(plain)
    }
}
