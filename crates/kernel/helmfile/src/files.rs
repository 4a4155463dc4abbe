//! Finding values files: patterns, and what is done where none is there.

use crate::fields::place;
use crate::outside::Outside;
use crate::remote::{self, RemoteSource};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::Map;
use onepane_world::{EntryKind, World};

/// What is done where a file is not there: Helmfile's `missingFileHandler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Error,
    /// Helmfile's `Warn`, `Info` and `Debug`: the file is passed over.
    PassedOver,
}

impl Missing {
    /// The handler called `name`; by default a missing file is an error.
    pub(crate) fn parse(name: Option<&str>, map: &Map, file: FileId) -> Result<Self> {
        match name {
            None | Some("Error") => Ok(Self::Error),
            Some("Warn" | "Info" | "Debug") => Ok(Self::PassedOver),
            Some(other) => {
                let message = format!("invalid missing file handler `{other}`: it must be Error, Warn, Info or Debug");
                let handler = map.get("missingFileHandler").unwrap_or_default();
                Err(Diagnostic::error("helmfile-field", message).at(place(&handler, file)))
            }
        }
    }
}

/// What `pattern` names, sorted; `*` and `?` stand for characters of a part of the path. What is elsewhere is fetched.
pub(crate) fn find(
    world: &dyn World,
    outside: &dyn Outside,
    folder: &Utf8Path,
    pattern: &str,
    missing: Missing,
    span: Span,
) -> Result<Vec<Utf8PathBuf>> {
    if let Some(source) = RemoteSource::parse(pattern) {
        return fetched(world, outside, &source, missing, span);
    }
    let path = onepane_world::normalize(&folder.join(pattern));
    let found = if world.kind(&path).is_some() { vec![path] } else { expand(world, &path) };
    if found.is_empty() && missing == Missing::Error {
        let message = format!("values file matching \"{pattern}\" does not exist in \"{folder}\"");
        return Err(Diagnostic::error("helmfile-values", message).at(span));
    }
    Ok(found)
}

/// The file elsewhere, or those of a repository that a pattern names.
fn fetched(
    world: &dyn World,
    outside: &dyn Outside,
    source: &RemoteSource,
    missing: Missing,
    span: Span,
) -> Result<Vec<Utf8PathBuf>> {
    let path = remote::fetch(outside, source, "values", span)?;
    let is_file = |path: &Utf8PathBuf| world.kind(path) == Some(EntryKind::File);
    let found: Vec<Utf8PathBuf> =
        if is_file(&path) { vec![path] } else { expand(world, &path).into_iter().filter(is_file).collect() };
    if found.is_empty() && missing == Missing::Error {
        let message = format!("no file matches `{}`", source.shown());
        return Err(Diagnostic::error("helmfile-values", message).at(span));
    }
    Ok(found)
}

/// What is at a path in which `*` and `?` stand for characters of a part of it.
fn expand(world: &dyn World, pattern: &Utf8Path) -> Vec<Utf8PathBuf> {
    if !pattern.as_str().contains(['*', '?']) {
        return Vec::new();
    }
    let mut found = vec![Utf8PathBuf::new()];
    for part in pattern.components().map(|part| part.as_str()) {
        let mut next = Vec::new();
        for folder in found {
            if !part.contains(['*', '?']) {
                next.push(folder.join(part));
                continue;
            }
            let entries = world.list(&folder).unwrap_or_default();
            let matching = entries.iter().filter(|entry| matches(part.as_bytes(), entry.name.as_bytes()));
            next.extend(matching.map(|entry| folder.join(&entry.name)));
        }
        found = next;
    }
    found.retain(|path| world.kind(path).is_some());
    found.sort();
    found
}

/// Whether a name matches a pattern, in time linear in their product.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::{expand, matches};
    use onepane_world::MemoryWorld;

    #[test]
    fn patterns_name_what_is_there_in_any_folder() {
        let world = ["apps/a/helmfile.yaml", "apps/b/helmfile.yaml", "apps/b/x.yaml", "apps/c/other.yaml", "top.yaml"];
        let world = world.iter().fold(MemoryWorld::new(), |world, path| world.with(path, ""));
        for (pattern, wanted) in [
            ("apps/*/helmfile.yaml", &["apps/a/helmfile.yaml", "apps/b/helmfile.yaml"][..]),
            ("apps/?", &["apps/a", "apps/b", "apps/c"]),
            ("*.yaml", &["top.yaml"]),
            ("no/*/x", &[]),
        ] {
            assert_eq!(expand(&world, pattern.into()), wanted, "{pattern}");
        }
    }

    #[test]
    fn stars_and_marks_stand_for_characters() {
        for (pattern, name, wanted) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a*b*c", "a-b-b-c", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("**a", "ba", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), wanted, "{pattern} {name}");
        }
    }
}
