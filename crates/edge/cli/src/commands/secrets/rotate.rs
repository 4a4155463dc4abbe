//! `onepane secrets rotate`.

use super::decrypt::{integrity, warn};
use super::recipients::{Config, Kind};
use super::target::{Readers, Target};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::{Encrypted, KeyGroup, KeyId};
use onepane_world::OsWorld;
use std::process::ExitCode;

/// What `onepane secrets rotate` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    changes: Changes,
    /// Go on with a file that was changed since it was encrypted
    #[arg(long)]
    ignore_mac: bool,
    /// The file that says how to indent [default: the nearest .sops.yaml; env: SOPS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<Utf8PathBuf>,
}

/// Keys to add to the first group of a file, and to remove from all; lists have commas between.
#[derive(clap::Args)]
struct Changes {
    /// Recipients of age to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_age: String,
    /// Recipients of age to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_age: String,
    /// Fingerprints of PGP keys to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_pgp: String,
    /// Fingerprints of PGP keys to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_pgp: String,
    /// ARNs of AWS KMS keys to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_kms: String,
    /// ARNs of AWS KMS keys to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_kms: String,
    /// The encryption context of these, as NAME:VALUE with commas between
    #[arg(long, value_name = "LIST", default_value = "")]
    encryption_context: String,
    /// Resource ids of Google Cloud KMS keys to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_gcp_kms: String,
    /// Resource ids of Google Cloud KMS keys to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_gcp_kms: String,
    /// Addresses of Azure Key Vault keys to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_azure_kv: String,
    /// Addresses of Azure Key Vault keys to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_azure_kv: String,
    /// Addresses of HashiCorp Vault transit keys to add
    #[arg(long, value_name = "LIST", default_value = "")]
    add_hc_vault_transit: String,
    /// Addresses of HashiCorp Vault transit keys to remove
    #[arg(long, value_name = "LIST", default_value = "")]
    rm_hc_vault_transit: String,
}

/// Encrypts the files anew.
pub(super) fn run(terminal: &Terminal, folder: &Utf8Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::find(folder, arguments.config.as_deref())?;
    let (added, removed) = (arguments.changes.added()?, arguments.changes.removed()?);
    let world = OsWorld::unrestricted(folder);
    let keys = FoundKeys::find(&world, Programs::Allowed);
    arguments.target.change(terminal, folder, Readers::Everyone, Vec::as_slice, |source| {
        let rotate = || {
            let encrypted = Encrypted::read(&source.bytes, source.format, source.file)?;
            let decrypted = encrypted.decrypt(&keys.services(), integrity(arguments.ignore_mac))?;
            warn(terminal, &decrypted, source.file);
            let groups = changed(&decrypted.metadata().groups, &added, &removed);
            decrypted.rotated(groups, &keys.services(), config.layout(), &world)
        };
        rotate().map_err(|error| Failure::without_excerpts(keys.explained(error)))
    })
}

/// What is added goes into the first group, once; what is removed goes from all, whose order stays.
fn changed(groups: &[KeyGroup], added: &[KeyId], removed: &[KeyId]) -> Vec<KeyGroup> {
    let named = |ids: &[KeyId], id: &KeyId| ids.iter().any(|other| other.to_string() == id.to_string());
    let mut groups = groups.to_vec();
    if let Some(first) = groups.first_mut() {
        for id in added {
            if !first.iter().any(|key| key.id.to_string() == id.to_string()) {
                first.push(id.clone().into_key());
            }
        }
    }
    for group in &mut groups {
        group.retain(|key| !named(removed, &key.id));
    }
    groups
}

impl Changes {
    fn added(&self) -> Result<Vec<KeyId>> {
        self.ids([
            (Kind::Age, &self.add_age),
            (Kind::Pgp, &self.add_pgp),
            (Kind::Kms, &self.add_kms),
            (Kind::GcpKms, &self.add_gcp_kms),
            (Kind::AzureKv, &self.add_azure_kv),
            (Kind::Vault, &self.add_hc_vault_transit),
        ])
    }

    fn removed(&self) -> Result<Vec<KeyId>> {
        self.ids([
            (Kind::Age, &self.rm_age),
            (Kind::Pgp, &self.rm_pgp),
            (Kind::Kms, &self.rm_kms),
            (Kind::GcpKms, &self.rm_gcp_kms),
            (Kind::AzureKv, &self.rm_azure_kv),
            (Kind::Vault, &self.rm_hc_vault_transit),
        ])
    }

    fn ids(&self, lists: [(Kind, &String); 6]) -> Result<Vec<KeyId>> {
        let ids = lists.into_iter().map(|(kind, list)| kind.ids(list, "", &self.encryption_context));
        Ok(ids.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}
