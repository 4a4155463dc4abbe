//! `derivePassword`: the Master Password algorithm, a site's password out of one password to remember.

use crate::arguments::{Outcome, derived, text};
use hmac::{Hmac, Mac};
use onepane_template::Context;
use onepane_value::{Data, Value};
use sha2::Sha256;
use std::sync::{Mutex, PoisonError};

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

/// A user, the password, and the key that comes of them.
struct MasterKey {
    user: Vec<u8>,
    password: Vec<u8>,
    key: [u8; 64],
}

/// The key of a user's password, which takes a quarter of a second and 32 MB to compute: the last one is kept for the
/// other sites of the same user.
fn master_key(password: &[u8], user: &[u8]) -> Result<[u8; 64], String> {
    static LAST: Mutex<Option<MasterKey>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = last.as_ref().filter(|known| known.password == password && known.user == user) {
        return Ok(known.key);
    }
    let salt = [SCOPE, &length(user), user].concat();
    let mut key = [0; 64];
    let parameters = scrypt::Params::new(15, 8, 2, key.len()).map_err(|error| error.to_string())?;
    scrypt::scrypt(password, &salt, &parameters, &mut key).map_err(|error| error.to_string())?;
    *last = Some(MasterKey { user: user.to_vec(), password: password.to_vec(), key });
    Ok(key)
}

fn length(text: &[u8]) -> [u8; 4] {
    (text.len() as u32).to_be_bytes()
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
    let key = master_key(password, user).map_err(|error| format!("failed to derive password: {error}"))?;
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
