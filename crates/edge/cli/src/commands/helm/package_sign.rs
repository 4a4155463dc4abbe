//! `helm package --sign`: the provenance file beside an archive.

use super::flags::Parsed;
use super::verify::keyring;
use camino::Utf8Path;
use onepane_provenance::{Keyring, SigningKey, sign};
use onepane_world::World;
use std::io::{BufRead, IsTerminal};

/// What signs the archives of one command: the passphrase is asked for once.
pub(super) struct Signer {
    keyring: Keyring,
    name: String,
    passphrase: Option<Vec<u8>>,
}

impl Signer {
    /// Reads the keyring and, if the key is locked, its passphrase. The error is Helm's text.
    pub(super) fn new(flags: &Parsed, world: &dyn World) -> Result<Self, String> {
        let name = flags.text("key").unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err("--key is required for signing a package".to_owned());
        }
        if flags.text("keyring") == Some("") {
            return Err("--keyring is required for signing a package".to_owned());
        }
        let keyring = keyring(flags, world)?;
        let key = keyring.signing_key(&name)?;
        let passphrase = match flags.text("passphrase-file").filter(|path| !path.is_empty()) {
            Some(path) => Some(from_file(path, world)?),
            None if key.is_locked() => Some(from_terminal(&key)?),
            None => None,
        };
        Ok(Self { keyring, name, passphrase })
    }

    /// The provenance file of an archive.
    pub(super) fn sign(&self, archive: &[u8], name: &str, metadata: &str) -> Result<String, String> {
        let key = self.keyring.signing_key(&self.name)?;
        sign(archive, name, metadata, &key, self.passphrase.as_deref().unwrap_or_default())
    }
}

/// The first line of a file, or of stdin for `-`.
fn from_file(path: &str, world: &dyn World) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    if path == "-" {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            return Err("specified reading passphrase from stdin, without input on stdin".to_owned());
        }
        stdin.lock().read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    } else {
        let bytes = world.read(Utf8Path::new(path)).map_err(|error| error.to_string())?;
        line.extend(bytes.iter().copied().take_while(|byte| *byte != b'\n'));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

fn from_terminal(key: &SigningKey<'_>) -> Result<Vec<u8>, String> {
    if !std::io::stdin().is_terminal() {
        return Err(format!("the key of {:?} is locked; give its passphrase with --passphrase-file", key.owner));
    }
    let prompt = format!("Password for key {:?} >  ", key.owner);
    rpassword::prompt_password(prompt).map(String::into_bytes).map_err(|error| error.to_string())
}
