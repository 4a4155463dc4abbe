//! What a run must not say: secrets that it has decrypted. [`note`] keeps them, [`redacted`] takes them out of what goes
//! to stderr. Both the errors of templates and those of programs may quote the values that they fail on.

use onepane_sops::Secret;
use onepane_value::{Data, Value, format, from_yaml};
use std::sync::{Mutex, PoisonError};

/// For the whole process: an error goes a long way, and may be said by another thread than the one that decrypted.
static SECRETS: Mutex<Vec<Secret>> = Mutex::new(Vec::new());

/// Notes the scalars of a value, and the lines of those that have several.
pub(crate) fn note(value: &Value) {
    match &value.data {
        Data::Map(map) => map.for_each(|_, value| note(value)),
        Data::List(list) => list.iter().for_each(note),
        Data::Nil | Data::Bool(_) => {}
        _ => {
            let text = format::sprint(std::slice::from_ref(value));
            let lines = text.split(|byte| *byte == b'\n');
            let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
            for secret in lines.chain([text.as_ref()]).map(Secret::new) {
                if !secrets.contains(&secret) {
                    secrets.push(secret);
                }
            }
        }
    }
}

/// Notes what is in a file.
pub(crate) fn note_file(plain: &[u8]) {
    let text = String::from_utf8_lossy(plain);
    note(&from_yaml(&text, None).unwrap_or_else(|_| (&*text).into()));
}

/// Notes a text that a Secret holds, and its lines. What is shorter than a password may be any word, and stays.
pub(crate) fn note_values(text: &str) {
    const SHORTEST: usize = 8;
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    for line in text.lines().chain([text.trim_end()]).map(str::trim).filter(|line| line.len() >= SHORTEST) {
        let secret = Secret::new(line.as_bytes());
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
}

/// The text without them.
pub(crate) fn redacted(text: &str) -> String {
    onepane_sops::redacted(text, &SECRETS.lock().unwrap_or_else(PoisonError::into_inner))
}
