//! What was wrong when somebody began to look: [`Baseline`].

use onepane_diagnostics::{Diagnostic, Result, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Findings that are known, by file, code and message. Lines are not among it: they move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<(String, String, String), usize>,
}

/// The form of the file.
const VERSION: u64 = 1;

impl Baseline {
    /// Reads the text of a file that [`Self::to_text`] made, which is at `path`.
    ///
    /// # Errors
    /// `check-baseline` for what is no such text.
    pub fn read(text: &str, path: &camino::Utf8Path) -> Result<Self> {
        let wrong = |why: &str| {
            let error = Diagnostic::error("check-baseline", format!("`{path}` is no baseline: {why}"));
            error.at(Span::file(path)).hint("`onepane check --write-baseline` writes one")
        };
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(wrong("it is of another version"));
        }
        let findings = value.get("findings").and_then(Value::as_array).ok_or_else(|| wrong("it has no findings"))?;
        let mut baseline = Self::default();
        for finding in findings {
            let text = |key: &str| finding.get(key).and_then(Value::as_str).map(str::to_owned);
            let (Some(file), Some(code), Some(message)) = (text("file"), text("code"), text("message")) else {
                return Err(wrong("a finding of it has no file, code or message"));
            };
            let count = finding.get("count").and_then(Value::as_u64).unwrap_or(1);
            *baseline.known.entry((file, code, message)).or_default() += usize::try_from(count).unwrap_or(usize::MAX);
        }
        Ok(baseline)
    }

    /// Adds a finding.
    pub fn add(&mut self, file: &str, code: &str, message: &str) {
        *self.known.entry((file.to_owned(), code.to_owned(), message.to_owned())).or_default() += 1;
    }

    /// Takes a finding out, if it is there: that one is known.
    pub fn take(&mut self, file: &str, code: &str, message: &str) -> bool {
        let key = (file.to_owned(), code.to_owned(), message.to_owned());
        match self.known.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// What is left: code, file and message of each.
    pub fn rest(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.known
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|((file, code, message), _)| (&**code, &**file, &**message))
    }

    /// The text of a file, sorted.
    pub fn to_text(&self) -> String {
        let finding = |((file, code, message), count): (&(String, String, String), &usize)| json!({"file": file, "code": code, "message": message, "count": count});
        let findings: Vec<Value> = self.known.iter().map(finding).collect();
        format!("{:#}\n", json!({"version": VERSION, "findings": findings}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_each_finding_is_known_once() {
        let mut written = Baseline::default();
        written.add("a.yaml", "image-latest", "m");
        written.add("a.yaml", "image-latest", "m");
        written.add("b.yaml", "image-latest", "n");
        let mut read = Baseline::read(&written.to_text(), "baseline.json".into()).expect("it is one");
        assert_eq!(read, written);
        assert!(read.take("a.yaml", "image-latest", "m") && read.take("a.yaml", "image-latest", "m"));
        assert!(!read.take("a.yaml", "image-latest", "m") && !read.take("c", "d", "e"));
        assert_eq!(read.rest().collect::<Vec<_>>(), [("image-latest", "b.yaml", "n")]);
        for wrong in
            ["", "{}", "{\"version\": 1}", "{\"version\": 1, \"findings\": [{}]}", "{\"version\": 2, \"findings\": []}"]
        {
            assert!(Baseline::read(wrong, "baseline.json".into()).is_err(), "{wrong}");
        }
    }
}
