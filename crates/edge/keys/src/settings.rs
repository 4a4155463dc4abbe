//! What the environment says: variables, the home, files.

use crate::failure::no_credentials;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_sops::Secret;
use onepane_world::{ReadErrorReason, World};

/// Addresses that are asked instead of the services' own, for tests and for private clouds. The programs of these
/// services have variables for most of them, which count as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// AWS KMS, else `AWS_ENDPOINT_URL_KMS` or `AWS_ENDPOINT_URL`.
    pub aws_kms: Option<String>,
    /// AWS STS, else `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`.
    pub aws_sts: Option<String>,
    /// Google Cloud KMS, else `SOPS_GCP_KMS_ENDPOINT`.
    pub gcp_kms: Option<String>,
    /// Microsoft's tokens, else `AZURE_AUTHORITY_HOST`.
    pub azure_authority: Option<String>,
    /// All vaults of Azure; there is no variable for it.
    pub azure_vault: Option<String>,
    /// AWS Secrets Manager, else `AWS_ENDPOINT_URL_SECRETS_MANAGER` or `AWS_ENDPOINT_URL`.
    pub aws_secrets: Option<String>,
    /// The parameters of AWS Systems Manager, else `AWS_ENDPOINT_URL_SSM` or `AWS_ENDPOINT_URL`.
    pub aws_parameters: Option<String>,
    /// Google Secret Manager; there is no variable for it.
    pub gcp_secrets: Option<String>,
}

/// A variable that is there and not empty.
pub(crate) fn variable(world: &dyn World, name: &str) -> Option<String> {
    world.env(name).filter(|value| !value.is_empty())
}

/// The user's home.
pub(crate) fn home(world: &dyn World) -> Utf8PathBuf {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    variable(world, name).map_or_else(|| Utf8PathBuf::from("/"), Utf8PathBuf::from)
}

/// The folder of users' configurations, as Go has it.
pub(crate) fn config_home(world: &dyn World) -> Utf8PathBuf {
    if let Some(folder) = variable(world, "XDG_CONFIG_HOME") {
        return folder.into();
    }
    match variable(world, "APPDATA") {
        Some(folder) if cfg!(windows) => folder.into(),
        _ if cfg!(target_os = "macos") => home(world).join("Library/Application Support"),
        _ => home(world).join(".config"),
    }
}

/// A file's content; `None` where there is none.
pub(crate) fn read(world: &dyn World, path: &Utf8Path) -> Result<Option<Secret>> {
    const LARGEST: usize = 16 << 20;
    match world.read(path) {
        Ok(bytes) if bytes.len() > LARGEST => {
            Err(no_credentials(format!("`{path}` is too large for what it should be")))
        }
        Ok(bytes) => Ok(Some(Secret::new(&*bytes))),
        Err(error) if error.reason == ReadErrorReason::Absent => Ok(None),
        Err(error) => Err(no_credentials(error.to_string())),
    }
}

/// A text file's content.
pub(crate) fn read_text(world: &dyn World, path: &Utf8Path) -> Result<Option<String>> {
    let Some(bytes) = read(world, path)? else { return Ok(None) };
    match bytes.reveal_text() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(no_credentials(format!("`{path}` is no text"))),
    }
}
