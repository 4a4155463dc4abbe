//! Everything a user can say about values, in the order in which Helm applies it: [`ValueSources`].

use crate::compat::Compat;
use crate::load::{OrAt, Origins, prefixed};
use crate::set::{SetKind, set_as};
use crate::values_file::{merge_maps, parse_values_as};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, Map, from_json};
use onepane_world::World;

/// Values files and flags. They apply in the order of their fields; within a field, later entries win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueSources {
    /// Whose rules flags are read by.
    pub compat: Compat,
    /// `-f`
    pub files: Vec<String>,
    /// `--set-json`
    pub json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub strings: Vec<String>,
    /// `--set-file`
    pub from_files: Vec<String>,
    /// `--set-literal`
    pub literals: Vec<String>,
}

/// Merges all sources into one table.
///
/// `read` gives the bytes behind a path of `-f` or `--set-file`; [`read_from`] does that for a world. Error messages
/// are Helm's own.
pub fn merge_sources(
    sources: &ValueSources,
    origins: Origins,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Map> {
    let tracked = origins.are_tracked();
    let mut values = Map::new();
    for path in &sources.files {
        let bytes = read(path).map_err(|message| Diagnostic::error("values-file", message))?;
        let file = FileId::new(Utf8Path::new(path));
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let read = parse_values_as(sources.compat, bytes, tracked.then_some((Step::ValuesFile, file))).map_err(
            |mut error| {
                if let Some(label) = &mut error.primary {
                    label.span.file = file;
                }
                prefixed(error, &format!("failed to parse {path}: ")).or_at(Span::new(file, 1, 1))
            },
        )?;
        values = if values.is_empty() { read } else { merge_maps(&values, &read) };
    }
    let note = |flag: &str, text: &str| tracked.then(|| format!("{flag} {text}"));
    for text in &sources.json {
        let trimmed = text.trim();
        // Helm 3 takes no whole objects.
        if trimmed.starts_with('{') && sources.compat == Compat::Helm4 {
            let refuse = || Diagnostic::error("set-flag", format!("failed parsing --set-json data JSON: {text}"));
            match from_json(trimmed.as_bytes()).map_err(|_| refuse())?.data {
                Data::Map(map) => values = merge_maps(&values, &map),
                _ => return Err(refuse()),
            }
        } else {
            set_as(sources.compat, &values, text, SetKind::Json, note("--set-json", text).as_deref())
                .map_err(|_| Diagnostic::error("set-flag", format!("failed parsing --set-json data {text}")))?;
        }
    }
    let kinds: [(&str, &[String], SetKind<'_>); 4] = [
        ("--set", &sources.set, SetKind::Typed),
        ("--set-string", &sources.strings, SetKind::String),
        ("--set-file", &sources.from_files, SetKind::File(read)),
        ("--set-literal", &sources.literals, SetKind::Literal),
    ];
    for (flag, texts, kind) in kinds {
        for text in texts {
            set_as(sources.compat, &values, text, kind, note(flag, text).as_deref())
                .map_err(|message| Diagnostic::error("set-flag", format!("failed parsing {flag} data: {message}")))?;
        }
    }
    Ok(values)
}

/// Reads a path of a flag from `world`. URLs are refused: who renders fetches what they lead to.
pub fn read_from(world: &dyn World, path: &str) -> Result<Vec<u8>, String> {
    use onepane_world::ReadErrorReason::{Absent, WrongKind};
    if ["http://", "https://", "oci://"].iter().any(|scheme| path.starts_with(scheme)) {
        return Err(format!("{path} is a URL: values are read from files here; download it first"));
    }
    world.read(Utf8Path::new(path)).map(|bytes| bytes.to_vec()).map_err(|error| match error.reason {
        Absent => format!("open {path}: no such file or directory"),
        WrongKind => format!("read {path}: is a directory"),
        _ => error.to_string(),
    })
}
