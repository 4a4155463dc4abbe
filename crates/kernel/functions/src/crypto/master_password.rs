//! `derivePassword`: the Master Password algorithm, a site's password out of one password to remember.

use crate::arguments::{Outcome, derived, text};
use hmac::{Hmac, Mac};
use onepane_template::Context;
use onepane_value::{Data, Value};
use sha2::Sha256;

const SCOPE: &[u8] = b"com.lyndir.masterpassword";

/// The shapes of passwords; each letter stands for a class of characters.
fn templates(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

pub(super) fn derive_password(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let counter = match arguments.first().map(|value| &value.data) {
        Some(Data::Uint(counter, _)) => u32::try_from(*counter).ok(),
        Some(Data::Int(counter, _)) => u32::try_from(*counter).ok(),
        _ => None,
    };
    let counter = counter.ok_or("wrong type for value; expected uint32")?;
    let (kind, password) = (text(arguments, 1)?.to_str(), text(arguments, 2)?);
    let (user, site) = (text(arguments, 3)?, text(arguments, 4)?);
    let Some(templates) = templates(&kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    let length = |text: &[u8]| (text.len() as u32).to_be_bytes();
    let salt = [SCOPE, &length(user), user].concat();
    let mut key = [0; 64];
    let parameters = scrypt::Params::new(15, 8, 2, key.len());
    parameters
        .map_err(|error| error.to_string())
        .and_then(|parameters| {
            scrypt::scrypt(password, &salt, &parameters, &mut key).map_err(|error| error.to_string())
        })
        .map_err(|error| format!("failed to derive password: {error}"))?;
    let mut code = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    code.update(&[SCOPE, &length(site), site, &counter.to_be_bytes()].concat());
    let seed = code.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let letters = template.bytes().zip(&seed[1..]).map(|(class, byte)| {
        let characters = characters(class);
        char::from(characters[usize::from(*byte) % characters.len()])
    });
    Ok(derived(&arguments[2], letters.collect::<String>()))
}
