//! What `helm template` prints or writes.

use super::Failure;
use crate::atomic;
use camino::Utf8PathBuf;
use onepane_chart::{Compat, File, matches_glob};
use onepane_helm::{Hook, Manifest, leading_space, split_manifests, trimmed_end};
use onepane_value::Text;
use std::collections::HashMap;

/// The release's own documents: CRDs and manifests.
pub(super) fn release(crds: &[(String, File)], manifests: &[Manifest]) -> Vec<u8> {
    let mut out = Vec::with_capacity(manifests.iter().map(|manifest| manifest.text.len() + 100).sum());
    for (path, file) in crds {
        document(&mut out, path, file.bytes());
    }
    for manifest in manifests {
        document(&mut out, &manifest.source, &manifest.text);
    }
    out
}

/// The stream of documents: the release without space around it, then hooks.
pub(super) fn stream(mut release: Vec<u8>, hooks: &[&Hook]) -> Vec<u8> {
    release.truncate(trimmed_end(&release));
    release.drain(..leading_space(&release));
    release.push(b'\n');
    for hook in hooks {
        document(&mut release, &hook.manifest.source, &hook.manifest.text);
    }
    release
}

fn document(out: &mut Vec<u8>, source: &str, text: &[u8]) {
    for part in [b"---\n# Source: ".as_slice(), source.as_bytes(), b"\n", text, b"\n"] {
        out.extend_from_slice(part);
    }
}

/// `--show-only`: the documents of `stream` that come from the templates that `patterns` name, in the order of the
/// patterns. Like Helm, it goes by the first `# Source:` line of each document.
pub(super) fn select(stream: Vec<u8>, patterns: &[String], compat: Compat) -> Result<Vec<u8>, Failure> {
    let documents = split_manifests(&Text::from(stream), compat);
    let mut out = Vec::new();
    for pattern in patterns {
        let mut found = false;
        for text in &documents {
            let Some(path) = source_within_chart(text) else { continue };
            if matches_glob(pattern, &path).unwrap_or(false) {
                found = true;
                for part in [b"---\n".as_slice(), text, b"\n"] {
                    out.extend_from_slice(part);
                }
            }
        }
        if !found {
            return Err(format!("could not find template {pattern} in chart").into());
        }
    }
    Ok(out)
}

/// What follows the chart's name in the first `# Source: chart/…` of a document.
fn source_within_chart(text: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"# Source: ";
    let mut at = 0;
    while let Some(found) = text[at..].windows(MARK.len()).position(|window| window == MARK) {
        let start = at + found + MARK.len();
        let rest = &text[start..];
        // The chart's name may hold anything but a slash, line breaks too.
        if let Some(slash) = rest.iter().position(|byte| *byte == b'/').filter(|slash| *slash > 0) {
            let path = &rest[slash + 1..];
            let end = path.iter().position(|byte| *byte == b'\n').unwrap_or(path.len());
            if end > 0 {
                return Some(String::from_utf8_lossy(&path[..end]).into_owned());
            }
        }
        at = start;
    }
    None
}

/// `--output-dir`: files by the templates' paths, and a `wrote …` line a document.
#[derive(Default)]
pub(super) struct Files {
    contents: HashMap<String, Vec<u8>>,
    order: Vec<String>,
    written: String,
}

impl Files {
    /// Adds a document of `source` to its file below `folder`.
    pub(super) fn add(&mut self, folder: &str, source: &str, text: &[u8]) {
        self.add_over(folder, source, text, |_| Vec::new());
    }

    /// The same for a hook, which Helm appends to a file that lies there from an earlier run.
    pub(super) fn append(&mut self, folder: &str, source: &str, text: &[u8]) {
        self.add_over(folder, source, text, |path| std::fs::read(path).unwrap_or_default());
    }

    fn add_over(&mut self, folder: &str, source: &str, text: &[u8], start: impl Fn(&str) -> Vec<u8>) {
        let path = format!("{folder}/{source}");
        let contents = self.contents.entry(path.clone()).or_insert_with(|| {
            self.order.push(path.clone());
            start(&path)
        });
        document(contents, source, text);
        self.written += &format!("wrote {path}\n");
    }

    /// The files by their paths, in the order in which they were begun.
    pub(super) fn into_contents(mut self) -> Vec<(String, Vec<u8>)> {
        let order = self.order.iter();
        order.filter_map(|path| Some((path.trim_start_matches('/').to_owned(), self.contents.remove(path)?))).collect()
    }

    /// Writes every file whole, and gives what says so.
    pub(super) fn finish(self) -> Result<String, Failure> {
        for path in &self.order {
            let contents = self.contents.get(path).map(Vec::as_slice).unwrap_or_default();
            atomic::write(&Utf8PathBuf::from(path), contents)?;
        }
        Ok(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_only_goes_by_the_source_line() {
        let stream =
            b"---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/b.yaml\nb: 1\n---\nno: source\n";
        let picked = |pattern: &str| {
            select(stream.to_vec(), &[pattern.to_owned()], Compat::Helm4).map_err(|failure| failure.message)
        };
        assert_eq!(
            picked("templates/b.yaml").as_deref(),
            Ok(b"---\n# Source: c/templates/b.yaml\nb: 1\n\n".as_slice())
        );
        assert_eq!(picked("templates/*").map(|out| out.len()), Ok(2 * 39));
        assert_eq!(picked("x").err().as_deref(), Some("could not find template x in chart"));
    }

    #[test]
    fn trailing_space_is_unicode_space() {
        assert_eq!(trimmed_end("a\u{A0}\n ".as_bytes()), 1);
        assert_eq!(trimmed_end(b"\n"), 0);
        assert_eq!(trimmed_end(b"a\xA0"), 2);
    }
}
