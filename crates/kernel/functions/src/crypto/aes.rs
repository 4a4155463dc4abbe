//! `encryptAES` and `decryptAES`: AES-256 in CBC mode, the key being the password filled up with zeros.

use crate::arguments::{Outcome, derived, text};
use crate::random::Random;
use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_template::Context;
use onepane_value::{Text, Value};

const BLOCK: usize = 16;

fn key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    key
}

pub(super) fn encrypt(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (password, plain) = (text(arguments, 0)?, text(arguments, 1)?);
    if plain.is_empty() {
        return Ok("".into());
    }
    let mut iv = [0; BLOCK];
    Random::new(context.world()).fill(&mut iv);
    let cipher = cbc::Encryptor::<Aes256>::new(&key(password).into(), &iv.into());
    let encrypted = [&iv[..], &cipher.encrypt_padded_vec_mut::<Pkcs7>(plain)].concat();
    Ok(derived(&arguments[1], STANDARD.encode(encrypted)))
}

pub(super) fn decrypt(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (password, encrypted) = (text(arguments, 0)?, text(arguments, 1)?);
    if encrypted.is_empty() {
        return Ok("".into());
    }
    let encrypted = crate::encodings::base64_decode(encrypted)?;
    let Some((iv, encrypted)) = encrypted.split_first_chunk::<BLOCK>() else {
        return Err(format!("runtime error: slice bounds out of range [:16] with capacity {}", encrypted.len()).into());
    };
    let cipher = cbc::Decryptor::<Aes256>::new(&key(password).into(), iv.into());
    let plain =
        cipher.decrypt_padded_vec_mut::<NoPadding>(encrypted).map_err(|_| "crypto/cipher: input not full blocks")?;
    // The last byte says how much was filled up; a wrong password makes nonsense of it, and Go panics.
    let Some(padding) = plain.last() else { return Err("runtime error: index out of range [-1]".into()) };
    let length = plain.len().checked_sub(usize::from(*padding)).ok_or_else(|| {
        format!("runtime error: slice bounds out of range [:{}]", plain.len() as i64 - i64::from(*padding))
    })?;
    Ok(derived(&arguments[1], Text::from(&plain[..length])))
}
