//! Those who keep keys and use them on request: [`CloudKeys`].

use crate::http::Http;
use crate::program::Programs;
use crate::settings::Endpoints;
use crate::{aws, azure, gcp, vault};
use onepane_diagnostics::Result;
use onepane_fetch::Proxies;
use onepane_sops::{KeyId, KeyService, MasterKey, Secret};
use onepane_world::World;
use std::cell::RefCell;
use std::collections::HashMap;

/// Asks AWS KMS, Google Cloud KMS, Azure Key Vault and HashiCorp Vault.
pub struct CloudKeys<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) endpoints: Endpoints,
    pub(crate) programs: Programs,
    pub(crate) http: Http,
    /// Tokens and the credentials of roles that were got already, by what they are for.
    pub(crate) tokens: RefCell<HashMap<String, Secret>>,
}

impl<'w> CloudKeys<'w> {
    /// With the credentials that `world` has. Programs are run only where AWS's configuration names one.
    pub fn new(world: &'w dyn World, endpoints: Endpoints, programs: Programs) -> Self {
        let http = Http::new(Proxies::from_variables(&|name| world.env(name)));
        Self { world, endpoints, programs, http, tokens: RefCell::default() }
    }

    /// A token that was got already, or the one that `get` gets.
    pub(crate) fn token(&self, what: &str, get: impl FnOnce() -> Result<Secret>) -> Result<Secret> {
        if let Some(token) = self.tokens.borrow().get(what) {
            return Ok(token.clone());
        }
        let token = get()?;
        self.tokens.borrow_mut().insert(what.to_owned(), token.clone());
        Ok(token)
    }
}

impl KeyService for CloudKeys<'_> {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>> {
        Some(match &key.id {
            KeyId::Kms { .. } => aws::decrypt(self, &key.id, &key.enc),
            KeyId::GcpKms { resource } => gcp::decrypt(self, resource, &key.enc),
            KeyId::AzureKv { .. } => azure::decrypt(self, &key.id, &key.enc),
            KeyId::HcVault { .. } => vault::decrypt(self, &key.id, &key.enc),
            KeyId::Age { .. } | KeyId::Pgp { .. } | KeyId::HcKms { .. } => return None,
        })
    }

    fn encrypt(&self, key: &mut MasterKey, part: &Secret, _: &dyn World) -> Option<Result<()>> {
        let enc = match &mut key.id {
            id @ KeyId::Kms { .. } => aws::encrypt(self, id, part),
            KeyId::GcpKms { resource } => gcp::encrypt(self, resource, part),
            id @ KeyId::AzureKv { .. } => azure::encrypt(self, id, part),
            id @ KeyId::HcVault { .. } => vault::encrypt(self, id, part),
            KeyId::Age { .. } | KeyId::Pgp { .. } | KeyId::HcKms { .. } => return None,
        };
        Some(enc.map(|enc| key.enc = enc))
    }
}

impl std::fmt::Debug for CloudKeys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudKeys").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
