//! What a state asks of the world outside of the repository: [`Outside`].

use crate::SecretLines;
use crate::reference::Reference;
use crate::remote::RemoteSource;
use camino::{Utf8Path, Utf8PathBuf};

/// Who runs programs, looks secrets up and decrypts files for a state. [`Sandbox`] does none of it.
pub trait Outside: Sync {
    /// Runs a program and gives what it prints.
    ///
    /// # Errors
    /// Why it did not run to a good end.
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String>;

    /// What is found where a reference such as `ref+vault://secret/db#/password` leads; its keys are followed here.
    /// Relative paths start at `folder`, that of the state.
    ///
    /// # Errors
    /// Why it can't be told; never with what it is.
    fn secret(&self, folder: &Utf8Path, reference: &Reference) -> Result<Found, String>;

    /// The contents of an encrypted file.
    ///
    /// # Errors
    /// Why it can't be decrypted; never with what is in it.
    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String>;

    /// Fetches what is elsewhere to `shelf` of a cache, and gives the path of the file or folder.
    ///
    /// # Errors
    /// Why it can't be had.
    fn fetch(&self, source: &RemoteSource, shelf: &str) -> Result<Utf8PathBuf, String> {
        _ = (source, shelf);
        Err("rendering uses no network: have it in the repository".to_owned())
    }

    /// Where it is noted which lines of rendered texts were made of secrets; `None` where nobody asks, and nothing is.
    fn secret_lines(&self) -> Option<&SecretLines> {
        None
    }
}

/// What a provider of secrets has: a text, which is a document in YAML or JSON if keys follow, or the fields of one.
#[derive(Clone, PartialEq, Eq)]
pub enum Found {
    /// A text.
    Text(String),
    /// Fields, for references that want a document.
    Fields(serde_json::Map<String, serde_json::Value>),
}

impl std::fmt::Debug for Found {
    /// Without what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(***)",
            Self::Fields(_) => "Fields(***)",
        })
    }
}

/// A program to run: for `exec` in a template, or for a hook.
#[derive(Clone, Copy, Debug)]
pub struct ProgramCall<'a> {
    /// Its path or name.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Variables besides those that there are.
    pub variables: &'a [(String, String)],
    /// Its standard input.
    pub input: &'a [u8],
    /// Where it runs.
    pub folder: &'a Utf8Path,
}

/// Runs nothing and knows no secret.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Outside for Sandbox {
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        Err(format!("`{}` is not run: rendering is sandboxed", call.program))
    }

    fn secret(&self, _: &Utf8Path, _: &Reference) -> Result<Found, String> {
        Err("references to secrets are not resolved here".to_owned())
    }

    fn decrypt(&self, _: &Utf8Path, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("secrets are not read here".to_owned())
    }
}
