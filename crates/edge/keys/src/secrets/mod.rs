//! Secrets that services keep, as references in values name them: `CloudKeys::secret`. What each of them can be told in
//! parameters is what vals takes.

mod aws_parameters;
mod aws_secrets;
mod azure;
mod gcp;
mod vault;

use crate::aws_credentials;
use crate::aws_signature::Credentials;
use crate::cloud::CloudKeys;
use crate::failure::{no_credentials, unanswered, unusable};
use crate::settings::variable;
use onepane_diagnostics::Result;
use onepane_sops::Secret;
use serde_json::{Map, Value};
use url::Url;

/// Who keeps a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The key-value engines of HashiCorp Vault.
    Vault,
    /// AWS Secrets Manager.
    AwsSecrets,
    /// The parameters of AWS Systems Manager.
    AwsParameters,
    /// Google Secret Manager.
    GcpSecrets,
    /// Azure Key Vault.
    AzureKeyVault,
}

/// A secret to ask for.
pub struct Wanted<'a> {
    /// Where it is, in the keeper's way.
    pub path: &'a str,
    /// A parameter of the reference.
    pub parameter: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a document is wanted, of which a part is then picked, and not a text.
    pub document: bool,
}

/// What a keeper has. Texts are documents in YAML or JSON where one is wanted.
pub enum Kept {
    /// A text.
    Text(Secret),
    /// The fields of a document.
    Fields(Map<String, Value>),
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl CloudKeys<'_> {
    /// Asks for a secret.
    ///
    /// # Errors
    /// `keys-credentials`, `keys-unusable`, `keys-unanswered`; none shows what is secret.
    pub fn secret(&self, keeper: Keeper, wanted: &Wanted<'_>) -> Result<Kept> {
        match keeper {
            Keeper::Vault => vault::get(self, wanted),
            Keeper::AwsSecrets => aws_secrets::get(self, wanted).map(Kept::Text),
            Keeper::AwsParameters => aws_parameters::get(self, wanted),
            Keeper::GcpSecrets => gcp::get(self, wanted).map(Kept::Text),
            Keeper::AzureKeyVault => azure::get(self, wanted).map(Kept::Text),
        }
    }
}

impl Wanted<'_> {
    /// A parameter of the reference, else the variable `VALS_…` of its name; one that is there and empty counts as none.
    fn setting(&self, keys: &CloudKeys<'_>, name: &str) -> Option<String> {
        let given = (self.parameter)(name);
        given.or_else(|| variable(keys.world, &format!("VALS_{}", name.to_uppercase()))).filter(|text| !text.is_empty())
    }
}

/// `base` with parts of a path behind it, each escaped as it needs.
fn address<'p>(service: &str, base: &str, parts: impl IntoIterator<Item = &'p str>) -> Result<Url> {
    let no_address = || unusable(format!("`{base}` is no address of {service}"));
    let mut url = Url::parse(base).map_err(|_| unusable(format!("the address of {service} is not one")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !url.username().is_empty() {
        return Err(no_address());
    }
    let parts: Vec<&str> = parts.into_iter().collect();
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(unusable(format!("`{}` leads out of itself", parts.join("/"))));
    }
    url.path_segments_mut().map_err(|()| no_address())?.pop_if_empty().extend(parts);
    Ok(url)
}

/// A document in JSON that a service answered.
fn json(service: &str, body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|_| unanswered(format!("{service} answers with something else than JSON")))
}

/// As whom AWS is asked, and where.
struct Aws {
    credentials: Credentials,
    region: String,
    domain: &'static str,
}

impl Aws {
    /// By the parameters `region`, `profile` and `role_arn`, and what AWS's own programs read.
    fn find(keys: &CloudKeys<'_>, wanted: &Wanted<'_>) -> Result<Self> {
        let forced = || {
            let is_forced = keys.world.env("FORCE_AWS_PROFILE").is_some_and(|value| value == "true");
            variable(keys.world, "AWS_PROFILE").filter(|_| is_forced)
        };
        let named = wanted.setting(keys, "profile");
        // A profile that is not there counts as none.
        let known = |name: &String| Ok::<_, Box<_>>(aws_credentials::profile_field(keys, name, "region")?.is_some());
        let profile = match named {
            Some(name) if known(&name)? => name,
            Some(_) => String::new(),
            None => forced().unwrap_or_default(),
        };
        let given = wanted.setting(keys, "region");
        let given = given.or_else(|| variable(keys.world, "AWS_REGION"));
        let region = match given.or_else(|| variable(keys.world, "AWS_DEFAULT_REGION")) {
            Some(region) => region,
            None => {
                let own = || variable(keys.world, "AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
                let name = if profile.is_empty() { own() } else { profile.clone() };
                let of_profile = aws_credentials::profile_field(keys, &name, "region")?.flatten();
                of_profile.ok_or_else(|| {
                    no_credentials("no region of AWS is named")
                        .hint("add ?region=REGION to the reference, or set AWS_REGION")
                })?
            }
        };
        // It becomes part of a host's name, to which signed requests are sent.
        if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(unusable(format!("`{region}` is no region of AWS")));
        }
        let domains = [("cn-", "amazonaws.com.cn"), ("us-isob-", "sc2s.sgov.gov"), ("us-iso-", "c2s.ic.gov")];
        let domain = domains.iter().find(|(start, _)| region.starts_with(start)).map_or("amazonaws.com", |(_, it)| it);
        let mut credentials = aws_credentials::find(keys, &profile, &region, domain)?;
        if let Some(role) = wanted.setting(keys, "role_arn") {
            credentials = crate::aws::assume_role(keys, &credentials, &role, &region, domain)?;
        }
        Ok(Self { credentials, region, domain })
    }
}
