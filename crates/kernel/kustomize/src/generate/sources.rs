//! Where the entries of a generated resource come from: literals, files, lists of variables.

use crate::accumulate::located;
use crate::decode::Located;
use crate::kustomization::Generator;
use crate::load::Loader;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};

/// A key, its value and the line that named it.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) span: Option<Span>,
    /// The file that the value is the contents of.
    pub(super) file: Option<FileId>,
}

/// The entries of a generator, sorted by key.
///
/// # Errors
/// `kustomize-generator` for a source that cannot be understood and for a key that comes twice.
pub(super) fn entries(generator: &Generator, loader: &Loader<'_>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for source in &generator.envs {
        variables(source, loader, &mut entries)?;
    }
    for source in &generator.literals {
        entries.push(literal(source)?);
    }
    for source in &generator.files {
        let (key, path) = file_source(source)?;
        let loaded = loader.load(path, source.span)?;
        let (key, file) = (key.to_owned(), Some(loaded.file));
        entries.push(Entry { key, value: loaded.bytes.to_vec(), span: source.span, file });
    }
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    for pair in entries.windows(2) {
        if let [first, second] = pair
            && first.key == second.key
        {
            let message = format!("configmap {} illegally repeats the key `{}`", generator.name, second.key);
            let mut error = fail(message, second.span);
            if let Some(span) = first.span {
                error = error.label(span, "it is there already");
            }
            return Err(error.hint("leave one out, or name it with another key: `KEY=PATH`"));
        }
    }
    Ok(entries)
}

fn fail(message: String, span: Option<Span>) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-generator", message), span)
}

fn literal(source: &Located) -> Result<Entry> {
    let (key, value) = source.text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        let error = fail(format!("invalid literal source {}, expected key=value", source.text), source.span);
        error.hint("write `KEY=VALUE`; a file goes under `files:`, a list of variables under `envs:`")
    })?;
    let unquoted = match value.as_bytes() {
        [quote @ (b'"' | b'\''), .., last] if quote == last => &value[1..value.len() - 1],
        _ => value,
    };
    Ok(Entry { key: key.to_owned(), value: unquoted.as_bytes().to_vec(), span: source.span, file: None })
}

/// `path`, whose last part is the key, or `key=path`.
pub(crate) fn file_source(source: &Located) -> Result<(&str, &str)> {
    let text = source.text.as_str();
    let refuse = |message: String| Err(fail(message, source.span).hint("write `PATH`, or `KEY=PATH`"));
    match text.split_once('=') {
        None => Ok((text.trim_end_matches('/').rsplit('/').next().unwrap_or(text), text)),
        Some((_, path)) if path.contains('=') => {
            refuse(format!("source \"{text}\" key name or file path contains '='"))
        }
        Some(("", path)) => refuse(format!("missing key name for file path \"{path}\" in source \"{text}\"")),
        Some((key, "")) => refuse(format!("missing file path for key name \"{key}\" in source \"{text}\"")),
        Some((key, path)) => Ok((key, path)),
    }
}

/// The lines `key=value` of a file; a key alone has an empty value. Empty lines and comments are skipped.
fn variables(source: &Located, loader: &Loader<'_>, entries: &mut Vec<Entry>) -> Result<()> {
    let loaded = loader.load(&source.text, source.span)?;
    for (index, line) in loaded.bytes.split(|byte| *byte == b'\n').enumerate() {
        let span = Span::new(loaded.file, index as u32 + 1, 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(mut line) = std::str::from_utf8(line) else {
            let message = format!("line {} of {} has invalid utf8 bytes", index + 1, source.text);
            return Err(fail(message, Some(span)).hint("what is no text goes under `files:`"));
        };
        if index == 0 {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            let (key, value) = (key.to_owned(), value.as_bytes().to_vec());
            entries.push(Entry { key, value, span: Some(span), file: None });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(text: &str) -> Located {
        Located { text: text.to_owned(), span: None }
    }

    #[test]
    fn literals_lose_one_pair_of_quotes() {
        for (source, wanted) in
            [("a=b", "b"), ("a='b'", "b"), ("a=\"b", "\"b"), ("a=", ""), ("a=\"", "\""), ("a=b=c", "b=c")]
        {
            assert_eq!(literal(&located(source)).unwrap().value, wanted.as_bytes(), "{source}");
        }
        for source in ["a", "=b", ""] {
            assert!(literal(&located(source)).is_err(), "{source}");
        }
    }

    #[test]
    fn files_are_named_by_their_key_or_their_name() {
        for (source, wanted) in [("d/f.txt", ("f.txt", "d/f.txt")), ("k=d/f", ("k", "d/f"))] {
            assert_eq!(file_source(&located(source)).unwrap(), wanted);
        }
        for source in ["=a", "a=", "a=b=c"] {
            assert!(file_source(&located(source)).is_err(), "{source}");
        }
    }
}
