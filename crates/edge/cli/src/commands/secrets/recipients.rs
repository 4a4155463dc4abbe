//! For whom a file is encrypted: what flags, the environment and `.sops.yaml` say. [`RecipientFlags`].

use super::target::absolute;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_sops::{CONFIG_NAME, KeyId, Layout, Recipients, Selection, SopsConfig, check_age_recipient};
use std::collections::BTreeMap;

/// Keys and the choice of values, as `sops` takes them. Flags win over `.sops.yaml`.
#[derive(clap::Args)]
pub(super) struct RecipientFlags {
    /// Recipients of age, with commas between [env: SOPS_AGE_RECIPIENTS]
    #[arg(short, long, value_name = "LIST")]
    age: Option<String>,
    /// Fingerprints of PGP keys [env: SOPS_PGP_FP]
    #[arg(short, long, value_name = "LIST")]
    pgp: Option<String>,
    /// ARNs of AWS KMS keys [env: SOPS_KMS_ARN]
    #[arg(short, long, value_name = "LIST")]
    kms: Option<String>,
    /// The profile of AWS's configuration
    #[arg(long, value_name = "NAME", default_value = "")]
    aws_profile: String,
    /// The encryption context of AWS KMS keys, as NAME:VALUE with commas between
    #[arg(long, value_name = "LIST", default_value = "")]
    encryption_context: String,
    /// Resource ids of Google Cloud KMS keys [env: SOPS_GCP_KMS_IDS]
    #[arg(long, value_name = "LIST")]
    gcp_kms: Option<String>,
    /// Addresses of Azure Key Vault keys [env: SOPS_AZURE_KEYVAULT_URLS]
    #[arg(long, value_name = "LIST")]
    azure_kv: Option<String>,
    /// Addresses of HashiCorp Vault transit keys [env: SOPS_VAULT_URIS]
    #[arg(long, value_name = "LIST")]
    hc_vault_transit: Option<String>,
    /// How many of several groups of keys are needed
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    shamir_secret_sharing_threshold: usize,
    /// Leave values plain under keys with this end
    #[arg(long, value_name = "TEXT")]
    unencrypted_suffix: Option<String>,
    /// Encrypt values only under keys with this end
    #[arg(long, value_name = "TEXT")]
    encrypted_suffix: Option<String>,
    /// Leave values plain under keys that match
    #[arg(long, value_name = "REGEX")]
    unencrypted_regex: Option<String>,
    /// Encrypt values only under keys that match
    #[arg(long, value_name = "REGEX")]
    encrypted_regex: Option<String>,
    /// Leave values plain under or beside comments that match
    #[arg(long, value_name = "REGEX")]
    unencrypted_comment_regex: Option<String>,
    /// Encrypt values only under or beside comments that match
    #[arg(long, value_name = "REGEX")]
    encrypted_comment_regex: Option<String>,
    /// Let only encrypted values be protected against changes
    #[arg(long)]
    mac_only_encrypted: bool,
}

/// The `.sops.yaml` that counts.
pub(super) struct Config {
    folder: Utf8PathBuf,
    rules: Option<SopsConfig>,
}

impl Config {
    /// Reads the one that is named, by `--config` or `SOPS_CONFIG`, or the one in `folder` or the nearest above it.
    pub(super) fn find(folder: &Utf8Path, named: Option<&Utf8Path>) -> Result<Self> {
        let folder = absolute(folder)?;
        let variable = std::env::var("SOPS_CONFIG").ok().filter(|path| !path.is_empty());
        let named = named.map(Utf8Path::to_owned).or(variable.map(Utf8PathBuf::from)).map(|path| folder.join(path));
        let found = || folder.ancestors().map(|folder| folder.join(CONFIG_NAME)).find(|path| path.is_file());
        let Some(path) = named.or_else(found) else { return Ok(Self { folder, rules: None }) };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Diagnostic::error("secrets-config", format!("`{path}` can't be read: {error}")))?;
        let rules = SopsConfig::read(&text, FileId::new(&path))?;
        Ok(Self { folder: path.parent().unwrap_or(&folder).to_owned(), rules: Some(rules) })
    }

    /// How files are indented.
    pub(super) fn layout(&self) -> Layout {
        self.rules.as_ref().map_or_else(Layout::default, SopsConfig::layout)
    }

    /// What the rule says that the file `name`, an absolute path, matches.
    fn recipients(&self, name: &Utf8Path) -> Result<Option<Recipients>> {
        let Some(rules) = &self.rules else { return Ok(None) };
        rules.recipients(name.strip_prefix(&self.folder).unwrap_or(name).as_str())
    }
}

impl RecipientFlags {
    /// For whom the file `name`, an absolute path, is encrypted.
    pub(super) fn recipients(&self, name: &Utf8Path, config: &Config) -> Result<Recipients> {
        let ruled = config.recipients(name)?;
        let named = [
            (Kind::Age, &self.age, "SOPS_AGE_RECIPIENTS"),
            (Kind::Pgp, &self.pgp, "SOPS_PGP_FP"),
            (Kind::Kms, &self.kms, "SOPS_KMS_ARN"),
            (Kind::GcpKms, &self.gcp_kms, "SOPS_GCP_KMS_IDS"),
            (Kind::AzureKv, &self.azure_kv, "SOPS_AZURE_KEYVAULT_URLS"),
            (Kind::Vault, &self.hc_vault_transit, "SOPS_VAULT_URIS"),
        ];
        let mut keys = Vec::new();
        for (kind, flag, variable) in named {
            let list = flag.clone().or_else(|| std::env::var(variable).ok()).unwrap_or_default();
            keys.extend(kind.ids(&list, &self.aws_profile, &self.encryption_context)?);
        }
        let mut recipients = match (ruled, keys.is_empty()) {
            (Some(ruled), true) => ruled,
            (None, true) => {
                let error = Diagnostic::error("sops-refused", "nothing says for whom to encrypt");
                return Err(error.hint(format!(
                    "write `creation_rules` into a {CONFIG_NAME} (`onepane init --age-key` does), or name a recipient: --age"
                )));
            }
            (ruled, false) => Recipients {
                groups: vec![keys.into_iter().map(KeyId::into_key).collect()],
                shamir_threshold: ruled.as_ref().map_or(0, |ruled| ruled.shamir_threshold),
                selection: ruled.as_ref().and_then(|ruled| ruled.selection.clone()),
                mac_only_encrypted: ruled.is_some_and(|ruled| ruled.mac_only_encrypted),
            },
        };
        recipients.mac_only_encrypted |= self.mac_only_encrypted;
        if self.shamir_secret_sharing_threshold > 0 {
            recipients.shamir_threshold = self.shamir_secret_sharing_threshold;
        }
        let ruled = recipients.selection.take();
        recipients.selection = Selection::from_fields(|name| {
            let ruled = ruled.as_ref().and_then(Selection::field).filter(|(field, _)| *field == name);
            self.selection(name).or_else(|| ruled.map(|(_, text)| text.to_owned()))
        })?;
        Ok(recipients)
    }

    /// The flag that is called like a field of a rule.
    fn selection(&self, field: &str) -> Option<String> {
        match field {
            "unencrypted_suffix" => self.unencrypted_suffix.clone(),
            "encrypted_suffix" => self.encrypted_suffix.clone(),
            "unencrypted_regex" => self.unencrypted_regex.clone(),
            "encrypted_regex" => self.encrypted_regex.clone(),
            "unencrypted_comment_regex" => self.unencrypted_comment_regex.clone(),
            "encrypted_comment_regex" => self.encrypted_comment_regex.clone(),
            _ => None,
        }
    }
}

/// The kinds of keys that flags name.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Age,
    Pgp,
    Kms,
    GcpKms,
    AzureKv,
    Vault,
}

impl Kind {
    /// The keys in a list with commas.
    pub(super) fn ids(self, list: &str, profile: &str, context: &str) -> Result<Vec<KeyId>> {
        let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| self.id(word, profile, context)).collect()
    }

    fn id(self, word: &str, profile: &str, context: &str) -> Result<KeyId> {
        let no_address = |what: &str| Diagnostic::error("sops-key", format!("`{word}` is no address like {what}"));
        match self {
            Self::Age => check_age_recipient(word).map(|()| KeyId::age(word)),
            Self::Pgp => Ok(KeyId::pgp(word)),
            Self::Kms => Ok(KeyId::kms(word, encryption_context(context)?, profile)),
            Self::GcpKms => Ok(KeyId::GcpKms { resource: word.to_owned() }),
            Self::AzureKv => KeyId::azure(word).ok_or_else(|| no_address("https://VAULT/keys/NAME/VERSION")),
            Self::Vault => KeyId::vault(word).ok_or_else(|| no_address("https://VAULT:8200/v1/transit/keys/NAME")),
        }
    }
}

fn encryption_context(text: &str) -> Result<BTreeMap<String, String>> {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once(':').ok_or_else(|| {
            Diagnostic::error("sops-key", "the encryption context is not NAME:VALUE with commas between")
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.map(pair).collect()
}
