//! The formats of files: [`Format`].

mod dotenv;
mod flat;
mod indent;
mod ini;
mod ini_read;
mod json_read;
mod json_write;
mod yaml_read;
mod yaml_write;

use crate::failure::{malformed, refused};
use crate::metadata::{Metadata, NAME};
use crate::secret::Secret;
use crate::value::{Branch, Entry, Value, get, pair};
use onepane_diagnostics::{FileId, Result};
use zeroize::Zeroizing;

/// A format of plain and encrypted files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML, also several documents.
    Yaml,
    /// JSON, one mapping.
    Json,
    /// Lines `NAME=value`.
    Dotenv,
    /// Sections of `name = value`.
    Ini,
    /// Anything, as one value; encrypted it is a JSON file.
    Binary,
}

/// How far a step of nesting is indented: what `stores` of `.sops.yaml` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Blanks in YAML.
    pub yaml: usize,
    /// Blanks in JSON, or a tab.
    pub json: Option<usize>,
    /// Blanks in the JSON files that encrypted binary files are, or a tab.
    pub binary: Option<usize>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { yaml: 4, json: None, binary: None }
    }
}

impl Format {
    /// By the end of a path; binary where it says nothing.
    pub fn of_path(path: &str) -> Self {
        let ends = [
            (".yaml", Self::Yaml),
            (".yml", Self::Yaml),
            (".json", Self::Json),
            (".env", Self::Dotenv),
            (".ini", Self::Ini),
        ];
        ends.into_iter().find(|(end, _)| path.ends_with(end)).map_or(Self::Binary, |(_, format)| format)
    }

    /// By the name that `--input-type` and `--output-type` take.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "dotenv" => Self::Dotenv,
            "ini" => Self::Ini,
            "binary" => Self::Binary,
            _ => return None,
        })
    }

    /// Whether SOPS's metadata is in a file, which then is encrypted and can't be encrypted again.
    pub(crate) fn has_metadata(self, branches: &[Branch]) -> bool {
        branches.first().is_some_and(|branch| match self {
            Self::Dotenv => branch.iter().any(|entry| flat_key(entry).is_some()),
            _ => get(branch, NAME).is_some(),
        })
    }

    /// Reads a text that is not encrypted.
    pub(crate) fn read_plain(self, text: &[u8], file: FileId) -> Result<Vec<Branch>> {
        match self {
            Self::Binary => Ok(vec![vec![pair(BINARY, Value::Text(Secret::new(text)))]]),
            _ => self.read(text, file),
        }
    }

    /// Reads a text that is encrypted, and takes its metadata out.
    pub(crate) fn read_encrypted(self, text: &[u8], file: FileId) -> Result<(Vec<Branch>, Metadata)> {
        let mut branches = self.read(text, file)?;
        let metadata = match self {
            Self::Yaml | Self::Json | Self::Binary => take_metadata(&mut branches)?,
            Self::Ini => {
                let mut metadata = take_metadata(&mut branches)?;
                // SOPS escapes line breaks in this section itself; values of the format could do it as well.
                for entry in &mut metadata {
                    if let Entry::Pair(pair) = entry
                        && let Some(text) = pair.value.as_str()
                    {
                        pair.value = Value::text(text.replace("\\n", "\n"));
                    }
                }
                flat::unflatten(metadata)?
            }
            Self::Dotenv => {
                let mut metadata = Vec::new();
                if let Some(branch) = branches.first_mut() {
                    for entry in std::mem::take(branch) {
                        match (flat_key(&entry).map(str::to_owned), entry) {
                            (Some(key), Entry::Pair(found)) => metadata.push(pair(&key, found.value)),
                            (_, entry) => branch.push(entry),
                        }
                    }
                }
                if metadata.is_empty() {
                    return Err(not_encrypted());
                }
                flat::unflatten(metadata)?
            }
        };
        let metadata = Metadata::read(&metadata)?;
        Ok((branches, metadata))
    }

    fn read(self, text: &[u8], file: FileId) -> Result<Vec<Branch>> {
        match self {
            Self::Yaml => yaml_read::read(text, file),
            Self::Json | Self::Binary => Ok(vec![json_read::read(text, file)?]),
            Self::Dotenv => Ok(vec![dotenv::read(text, file)?]),
            Self::Ini => Ok(vec![ini_read::read(text, file)?]),
        }
    }

    /// Writes a tree without metadata, as `sops --decrypt` prints it.
    pub(crate) fn write_plain(self, branches: &[Branch], layout: Layout) -> Result<Secret> {
        match self {
            Self::Binary => match get(branches.first().map_or(&[], Vec::as_slice), BINARY) {
                Some(Value::Text(text)) if branches.len() == 1 => Ok(text.clone()),
                _ => Err(refused("this is no binary file: it has no text under `data`").hint("name another format")),
            },
            _ => self.write(branches, layout).map(Secret::from),
        }
    }

    /// Writes an encrypted tree with its metadata.
    pub(crate) fn write_encrypted(self, branches: &[Branch], metadata: &Metadata, layout: Layout) -> Result<Vec<u8>> {
        let mut tree = metadata.tree();
        if matches!(self, Self::Ini | Self::Dotenv) {
            tree = flat::flatten(&tree);
        }
        let whole = |branch: &Branch| -> Branch {
            let own = match self {
                Self::Dotenv => flat::prefixed(&tree),
                Self::Ini => vec![pair(NAME, Value::Branch(flat::escaped(&tree)))],
                _ => vec![pair(NAME, Value::Branch(tree.clone()))],
            };
            branch.iter().cloned().chain(own).collect()
        };
        if branches.iter().any(|branch| self.has_metadata(std::slice::from_ref(branch))) {
            return Err(refused(format!("`{NAME}` is the name of SOPS's own data and can't be encrypted")));
        }
        let branches: Vec<Branch> = branches.iter().map(whole).collect();
        self.write(&branches, layout).map(|text| text.to_vec())
    }

    fn write(self, branches: &[Branch], layout: Layout) -> Result<Zeroizing<Vec<u8>>> {
        let first = || branches.first().ok_or_else(|| refused("there is nothing to write"));
        Ok(Zeroizing::new(match self {
            Self::Yaml => yaml_write::write(branches, layout.yaml),
            Self::Json => json_write::write(first()?, layout.json)?,
            Self::Binary => json_write::write(first()?, layout.binary)?,
            Self::Dotenv => dotenv::write(first()?)?,
            Self::Ini => ini::write(first()?)?,
        }))
    }
}

/// The key of the one value that a binary file is.
const BINARY: &str = "data";

fn not_encrypted() -> Box<onepane_diagnostics::Diagnostic> {
    malformed("the file is not encrypted: it has no SOPS metadata")
}

/// Takes the mapping of metadata out of all documents, and gives that of the first.
fn take_metadata(branches: &mut [Branch]) -> Result<Branch> {
    let mut found = None;
    for (index, branch) in branches.iter_mut().enumerate() {
        for entry in std::mem::take(branch) {
            match entry {
                Entry::Pair(pair) if &*pair.key == NAME => match pair.value {
                    Value::Branch(_) if index == 0 && found.is_some() => {
                        return Err(malformed(format!("the file has `{NAME}` twice")));
                    }
                    Value::Branch(metadata) if index == 0 => found = Some(metadata),
                    _ if index == 0 => return Err(malformed(format!("`{NAME}` is no mapping"))),
                    _ => {}
                },
                entry => branch.push(entry),
            }
        }
    }
    found.ok_or_else(not_encrypted)
}

/// The name of flat metadata, without what it starts with.
fn flat_key(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Pair(pair) => pair.key.strip_prefix(NAME)?.strip_prefix('_'),
        Entry::Comment(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_the_end_of_a_path() {
        for (path, format) in [
            ("a/b.yaml", Format::Yaml),
            ("b.yml", Format::Yaml),
            ("b.enc.json", Format::Json),
            (".env", Format::Dotenv),
            ("b.ini", Format::Ini),
            ("b.yaml.enc", Format::Binary),
            ("yaml", Format::Binary),
        ] {
            assert_eq!(Format::of_path(path), format, "{path}");
        }
        assert_eq!(Format::named("dotenv"), Some(Format::Dotenv));
        assert_eq!(Format::named("toml"), None);
    }
}
