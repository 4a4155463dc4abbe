//! Digests, passwords, keys and certificates.
//!
//! Keys and certificates come out as Go's crypto packages encode them; a chart that was rendered by Helm and one
//! rendered here differ in the random bits alone. Nothing here guards against who watches the clock: a render has no
//! peer, and its keys are written to a manifest.

mod aes;
mod certificate;
mod der;
mod digest;
mod dsa;
mod generate;
mod key;
mod master_password;
mod password;
mod pem;
mod prime;
#[cfg(test)]
mod tests;

use crate::arguments::fixed;
use onepane_template::{Function, Type};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("sha1sum", &[Type::String], digest::sha1sum),
    fixed("sha256sum", &[Type::String], digest::sha256sum),
    fixed("sha512sum", &[Type::String], digest::sha512sum),
    fixed("adler32sum", &[Type::String], digest::adler32sum),
    fixed("bcrypt", &[Type::String], password::bcrypt),
    fixed("htpasswd", &[Type::String, Type::String], password::htpasswd),
    fixed(
        "derivePassword",
        &[Type::Uint32, Type::String, Type::String, Type::String, Type::String],
        master_password::derive_password,
    ),
    fixed("encryptAES", &[Type::String, Type::String], aes::encrypt),
    fixed("decryptAES", &[Type::String, Type::String], aes::decrypt),
    fixed("genPrivateKey", &[Type::String], generate::private_key),
    fixed("genCA", &[Type::String, Type::Int], generate::authority),
    fixed("genCAWithKey", &[Type::String, Type::Int, Type::String], generate::authority_with_key),
    fixed("genSelfSignedCert", &[Type::String, Type::List, Type::List, Type::Int], generate::self_signed),
    fixed(
        "genSelfSignedCertWithKey",
        &[Type::String, Type::List, Type::List, Type::Int, Type::String],
        generate::self_signed_with_key,
    ),
    fixed("genSignedCert", &[Type::String, Type::List, Type::List, Type::Int, generate::CERTIFICATE], generate::signed),
    fixed(
        "genSignedCertWithKey",
        &[Type::String, Type::List, Type::List, Type::Int, generate::CERTIFICATE, Type::String],
        generate::signed_with_key,
    ),
    fixed("buildCustomCert", &[Type::String, Type::String], generate::build_custom),
];
