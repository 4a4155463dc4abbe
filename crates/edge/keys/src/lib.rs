//! Keys for files that SOPS encrypts, and secrets: where they are found on a machine, and how those are asked who keep
//! them.
//!
//! [`FoundKeys`] are all of them. [`find_age_keys`] and [`find_pgp_keys`] look where SOPS looks and hand what they find
//! to `onepane-sops`. [`Gpg`] lets GnuPG use a key that it does not give away. [`CloudKeys`] asks AWS KMS, Google Cloud KMS, Azure Key Vault and
//! HashiCorp Vault through their HTTP interfaces, with the credentials that their own programs read.
//!
//! [`CloudKeys::secret`] asks Vault, AWS, Google Cloud and Azure for secrets that they keep, which references in values
//! name.
//!
//! Environment and files come through a `World`. Nothing is asked, and no runtime is made, before a key needs it.
//! Programs are run only where the caller says [`Programs::Allowed`]. A token is sent to no host but those of the
//! service that it is for: which host to ask stands in the encrypted file, and who wrote that is not known.

mod age_files;
mod aws;
mod aws_credentials;
mod aws_signature;
mod azure;
mod cloud;
mod failure;
mod found;
mod gcp;
mod gcp_token;
mod gpg;
mod program;
mod secrets;
mod settings;
mod vault;

pub use age_files::{FoundAgeKeys, default_age_file, find_age_keys};
pub use cloud::{CloudKeys, Connections};
pub use found::FoundKeys;
pub use gpg::{Gpg, find_pgp_keys};
pub use program::{Programs, words};
pub use secrets::{Keeper, Kept, Wanted};
pub use settings::Endpoints;

#[cfg(test)]
mod tests;
