//! Those who keep keys and use them on request: [`CloudKeys`].

use crate::program::Programs;
use crate::settings::Endpoints;
use crate::{aws, azure, gcp, vault};
use onepane_diagnostics::Result;
use onepane_fetch::Proxies;
use onepane_http::Http;
use onepane_sops::{KeyId, KeyService, MasterKey, Secret};
use onepane_world::World;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks AWS KMS, Google Cloud KMS, Azure Key Vault and HashiCorp Vault.
pub struct CloudKeys<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) endpoints: Endpoints,
    pub(crate) programs: Programs,
    connections: Arc<Connections>,
}

/// Connections to services, and tokens that were got over them: for all [`CloudKeys`] of a run.
pub struct Connections {
    http: Http,
    /// Tokens and the credentials of roles that were got already, by what they are for.
    tokens: Mutex<HashMap<String, Secret>>,
}

impl Connections {
    /// None yet; they go through the proxies that `world` names.
    pub fn new(world: &dyn World) -> Arc<Self> {
        let http = Http::new(Proxies::from_variables(&|name| world.env(name)), "keys-unanswered");
        Arc::new(Self { http, tokens: Mutex::default() })
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl<'w> CloudKeys<'w> {
    /// With the credentials that `world` has. Programs are run only where AWS's configuration names one.
    pub fn new(world: &'w dyn World, endpoints: Endpoints, programs: Programs) -> Self {
        Self::over(&Connections::new(world), world, endpoints, programs)
    }

    /// The same over connections that there are.
    pub fn over(
        connections: &Arc<Connections>,
        world: &'w dyn World,
        endpoints: Endpoints,
        programs: Programs,
    ) -> Self {
        Self { world, endpoints, programs, connections: connections.clone() }
    }

    pub(crate) fn http(&self) -> &Http {
        &self.connections.http
    }

    /// How many tokens there are.
    #[cfg(test)]
    pub(crate) fn token_count(&self) -> usize {
        self.connections.tokens.lock().map_or(0, |tokens| tokens.len())
    }

    /// A token that was got already, or the one that `get` gets.
    pub(crate) fn token(&self, what: &str, get: impl FnOnce() -> Result<Secret>) -> Result<Secret> {
        // Whoever panicked left whole tokens behind.
        let tokens = || self.connections.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = tokens().get(what) {
            return Ok(token.clone());
        }
        let token = get()?;
        tokens().insert(what.to_owned(), token.clone());
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
