//! This machine, for states: programs are run and secrets looked up where the user allows it.

use crate::process::{Complaints, run};
use crate::redaction;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::FileId;
use onepane_helmfile::{Outside, ProgramCall};
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::{Format, Integrity, decrypt};
use onepane_value::{Data, Map, Value, from_yaml};
use onepane_world::OsWorld;
use std::process::Command;

/// More is not read from a program.
const LARGEST_OUTPUT: u64 = 128 << 20;

/// Runs programs unless it is a sandbox.
pub(crate) struct System {
    is_sandbox: bool,
    /// Where relative paths start.
    folder: Utf8PathBuf,
}

impl System {
    pub(crate) fn new(is_sandbox: bool, folder: Utf8PathBuf) -> Self {
        Self { is_sandbox, folder }
    }
}

impl Outside for System {
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        if self.is_sandbox {
            return Err(format!("`{}` is not run in a sandbox", call.program));
        }
        let mut command = Command::new(call.program);
        command.args(call.arguments).envs(call.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.join(call.folder));
        let ran = run(command, call.input.to_vec(), LARGEST_OUTPUT, Complaints::Kept)
            .map_err(|unable| unable.words(call.program))?;
        if ran.succeeded {
            return Ok(ran.output);
        }
        let complaint = ran.complaint.trim_end();
        let complaint = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
        Err(format!("command {:?} exited with {}{complaint}", call.program, ran.status))
    }

    fn secret(&self, reference: &str) -> Result<Value, String> {
        let value = self.look_up(reference)?;
        redaction::note(&value);
        Ok(value)
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        let plain = self.decrypted(path, encrypted)?;
        redaction::note_file(&plain);
        Ok(plain)
    }
}

impl System {
    fn look_up(&self, reference: &str) -> Result<Value, String> {
        let (provider, rest) = reference.split_once("://").ok_or("it names no provider")?;
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, key)| (rest, Some(key)));
        let (path, _) = rest.split_once('?').unwrap_or((rest, ""));
        match provider {
            "echo" => match fragment {
                None => Ok(path.trim_end_matches('/').into()),
                // Each part of the path is the key of the next one.
                Some(fragment) => {
                    let mut parts = path.split('/').rev();
                    let last = Value::from(parts.next().unwrap_or_default());
                    let nested = parts.fold(last, |below, key| Map::from_iter([(key, below)]).into());
                    Ok(at(&nested, fragment))
                }
            },
            "file" => {
                let file = self.folder.join(path);
                let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
                match fragment {
                    None => Ok(text.into()),
                    Some(fragment) => Ok(at(&from_yaml(&text, None).map_err(|error| error.message)?, fragment)),
                }
            }
            "sops" => {
                let bytes = std::fs::read(self.folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
                let plain = String::from_utf8(self.decrypted(path.into(), &bytes)?);
                let plain = plain.map_err(|_| format!("{path} is no text"))?;
                match fragment {
                    None => Ok(plain.into()),
                    // What is in it is in no message.
                    Some(fragment) => {
                        let value = from_yaml(&plain, None).map_err(|_| format!("{path} is no YAML"))?;
                        Ok(at(&value, fragment))
                    }
                }
            }
            other => Err(format!("no provider registered for scheme {other:?}")),
        }
    }

    fn decrypted(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        let world = OsWorld::unrestricted(self.folder.clone());
        let programs = if self.is_sandbox { Programs::Refused } else { Programs::Allowed };
        let keys = FoundKeys::find(&world, programs);
        let format = Format::of_path(path.as_str());
        let plain = decrypt(encrypted, format, FileId::new(path), &keys.services(), Integrity::Checked);
        plain.map(|plain| plain.reveal().to_vec()).map_err(|error| error.message)
    }
}

/// What stands at `/a/b`; nothing where it leads nowhere.
fn at(value: &Value, fragment: &str) -> Value {
    let mut keys = fragment.trim_matches('/').split('/');
    let found = keys.try_fold(value.clone(), |value, key| match value.data {
        Data::Map(map) => map.get(key),
        Data::List(list) => list.get(key.parse::<usize>().ok()?).cloned(),
        _ => None,
    });
    found.unwrap_or_default()
}
