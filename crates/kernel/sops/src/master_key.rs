//! Keys that data keys are encrypted with: [`MasterKey`].

use std::collections::BTreeMap;
use std::fmt;

/// A master key with the data key, or the part of it that its group has, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey {
    /// Which key it is.
    pub id: KeyId,
    /// When the data key was encrypted with it, as RFC 3339; empty for age, of which SOPS does not note it.
    pub created_at: String,
    /// The encrypted data key as it stands in the file; empty for a key that has not encrypted it yet.
    pub enc: String,
}

/// What names a master key, and what its service must know to use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyId {
    /// A recipient of age: `age1…`, or an SSH public key.
    Age {
        /// The recipient.
        recipient: String,
    },
    /// A PGP key.
    Pgp {
        /// Its fingerprint.
        fingerprint: String,
    },
    /// A key of AWS KMS.
    Kms {
        /// Its ARN.
        arn: String,
        /// The role to take on, or nothing.
        role: String,
        /// The encryption context, which its service checks.
        context: BTreeMap<String, String>,
        /// The profile of AWS's configuration, or nothing.
        profile: String,
    },
    /// A key of Google Cloud KMS.
    GcpKms {
        /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`
        resource: String,
    },
    /// A key of Azure Key Vault.
    AzureKv {
        /// The vault's address.
        vault_url: String,
        /// The key's name.
        name: String,
        /// The key's version, or nothing for its newest.
        version: String,
    },
    /// A key of HashiCorp Vault's transit engine.
    HcVault {
        /// The server's address.
        address: String,
        /// Where the engine is mounted.
        engine: String,
        /// The key's name.
        name: String,
    },
    /// A key of Huawei Cloud KMS. It is kept in files that have one, and no service of onepane knows it.
    HcKms {
        /// Region and id: `region:id`.
        id: String,
    },
}

/// Keys each of which decrypts the same.
pub type KeyGroup = Vec<MasterKey>;

impl KeyId {
    /// What SOPS's metadata calls this kind of key.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Age { .. } => "age",
            Self::Pgp { .. } => "pgp",
            Self::Kms { .. } => "kms",
            Self::GcpKms { .. } => "gcp_kms",
            Self::AzureKv { .. } => "azure_kv",
            Self::HcVault { .. } => "hc_vault",
            Self::HcKms { .. } => "hckms",
        }
    }

    /// A recipient of age.
    pub fn age(recipient: &str) -> Self {
        Self::Age { recipient: recipient.trim().to_owned() }
    }

    /// A PGP key, by a fingerprint that may have blanks in it.
    pub fn pgp(fingerprint: &str) -> Self {
        Self::Pgp { fingerprint: fingerprint.replace(' ', "") }
    }

    /// An AWS key, by an ARN that may have the ARN of a role behind a `+`.
    pub fn kms(arn: &str, context: BTreeMap<String, String>, profile: &str) -> Self {
        let arn: String = arn.chars().filter(|character| !character.is_whitespace()).collect();
        let (key, role) = match arn.find("+arn:") {
            Some(at) => (arn[..at].to_owned(), arn[at + 1..].to_owned()),
            None => (arn, String::new()),
        };
        Self::Kms { arn: key, role, context, profile: profile.to_owned() }
    }

    /// An Azure key, by its address: `https://vault/keys/name/version`, whose version may be left out.
    pub fn azure(url: &str) -> Option<Self> {
        let url = url.trim();
        let (vault_url, rest) = url.split_once("/keys/")?;
        let (name, version) = rest.split_once('/').unwrap_or((rest, ""));
        let host = vault_url.strip_prefix("https://").unwrap_or_default();
        let whole = !host.is_empty() && !host.contains('/') && !name.is_empty() && !version.contains('/');
        whole.then(|| Self::AzureKv {
            vault_url: vault_url.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }

    /// A key of Vault, by its address: `https://vault/v1/transit/keys/name`.
    pub fn vault(url: &str) -> Option<Self> {
        let url = url.trim();
        let host = url.find("://")? + 3;
        let (address, path) = url.split_at(host + url[host..].find('/')?);
        let (engine, name) = path.strip_prefix("/v1/")?.split_once("/keys/")?;
        let whole = !engine.is_empty() && !name.is_empty() && !name.contains('/');
        whole.then(|| Self::HcVault { address: address.to_owned(), engine: engine.to_owned(), name: name.to_owned() })
    }

    /// The key with no data key encrypted yet.
    pub fn into_key(self) -> MasterKey {
        MasterKey { id: self, created_at: String::new(), enc: String::new() }
    }
}

/// As SOPS names it in messages and compares it with others.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age { recipient } => f.write_str(recipient),
            Self::Pgp { fingerprint } => f.write_str(fingerprint),
            Self::Kms { arn, role, context, profile } => {
                f.write_str(arn)?;
                if !role.is_empty() {
                    write!(f, "+{role}")?;
                }
                if !context.is_empty() || !profile.is_empty() {
                    let pairs: Vec<String> = context.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                    write!(f, "|{}", pairs.join(","))?;
                }
                if profile.is_empty() { Ok(()) } else { write!(f, "|{profile}") }
            }
            Self::GcpKms { resource } => f.write_str(resource),
            Self::AzureKv { vault_url, name, version } => write!(f, "{vault_url}/keys/{name}/{version}"),
            Self::HcVault { address, engine, name } => write!(f, "{address}/v1/{engine}/keys/{name}"),
            Self::HcKms { id } => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_put_together() {
        for url in ["https://v.example/keys/k/1", "https://v.example/keys/k/"] {
            assert_eq!(KeyId::azure(url).expect("it is one").to_string(), url);
        }
        let vault = "https://v.example:8200/v1/a/transit/keys/k";
        assert_eq!(KeyId::vault(vault).expect("it is one").to_string(), vault);
        for url in ["", "https://v", "https://v.example/v1/transit/keys/", "https://v.example/transit/keys/k"] {
            assert_eq!((KeyId::azure(url), KeyId::vault(url)), (None, None), "{url}");
        }
        let arn = "arn:aws:kms:eu-west-1:1:key/k+arn:aws:iam::1:role/r";
        let key = KeyId::kms(arn, BTreeMap::from([("a".into(), "b".into())]), "dev");
        assert_eq!(key.to_string(), format!("{arn}|a:b|dev"));
    }
}
