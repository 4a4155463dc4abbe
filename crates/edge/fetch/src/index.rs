//! index.yaml: which charts a repository has, in which versions, and where they lie.

use crate::failure::{damaged, prefixed, refused};
use crate::index_read;
use crate::write;
use camino::Utf8Path;
use onepane_chart::Metadata;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_semver::{Constraint, Version};
use std::collections::BTreeMap;
use std::fmt;

/// No index is larger, in bytes: the largest public ones have about 30 MB.
pub(crate) const LARGEST_INDEX: u64 = 64 << 20;

/// A repository's index, versions sorted with the highest first.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// `apiVersion`, never empty in an index that was read.
    pub api_version: String,
    /// `generated` as it stands in the text.
    pub generated: String,
    /// The versions of each chart.
    pub entries: BTreeMap<String, Vec<ChartVersion>>,
    /// `publicKeys`
    pub public_keys: Vec<String>,
    /// `annotations`
    pub annotations: BTreeMap<String, String>,
}

/// A version of a chart.
#[derive(Clone, Debug)]
pub struct ChartVersion {
    /// What Chart.yaml says.
    pub metadata: Metadata,
    /// Where the archive lies, absolute or relative to the repository. Helm uses the first.
    pub urls: Vec<String>,
    /// When it was added, as it stands in the text.
    pub created: String,
    /// `removed`
    pub removed: bool,
    /// The archive's SHA-256, in hexadecimal digits, or nothing.
    pub digest: String,
    /// `metadata.version`, read.
    pub(crate) version: Version,
}

/// Why an index has no version to offer; the words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// There is no chart of that name.
    Name,
    /// There is one, but without any version.
    NoVersions,
    /// None of its versions fits.
    Version {
        /// The chart.
        chart: String,
        /// What was asked for.
        version: String,
    },
    /// What was asked for is neither a version nor a constraint.
    Constraint(String),
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("no chart name found"),
            Self::NoVersions => f.write_str("no chart version found"),
            Self::Version { chart, version } => write!(f, "no chart version found for {chart}-{version}"),
            Self::Constraint(error) => f.write_str(error),
        }
    }
}

impl Index {
    /// Reads an index; `source`, its path or address, is for warnings, of which there is one for each entry that Helm
    /// would skip.
    ///
    /// Error: `fetch-damaged` with Go's words for what is no index. YAML must not have fields that Helm does not know,
    /// JSON may.
    pub fn parse(bytes: &[u8], source: &str, warn: &mut dyn FnMut(Diagnostic)) -> Result<Self> {
        index_read::parse(bytes, source, warn).map_err(damaged)
    }

    /// Reads the index at `path`.
    ///
    /// Errors: those of [`Index::parse`], and `fetch-file` where the file can't be read.
    pub fn read(path: &Utf8Path, warn: &mut dyn FnMut(Diagnostic)) -> Result<Self> {
        let Some(bytes) = write::read(path, LARGEST_INDEX)? else {
            return Err(refused(format!("open {path}: no such file or directory")));
        };
        Self::parse(&bytes, path.as_str(), warn).map_err(|error| prefixed(&format!("error loading {path}: "), error))
    }

    /// The version of `chart` that `wanted` means: the one of exactly that text, else the highest that satisfies it as
    /// a constraint, else, if it is empty, the highest that is no prerelease. `>0.0.0-0` is what `--devel` means.
    pub fn get(&self, chart: &str, wanted: &str) -> Result<&ChartVersion, NotFound> {
        let versions = self.entries.get(chart).ok_or(NotFound::Name)?;
        if versions.is_empty() {
            return Err(NotFound::NoVersions);
        }
        let constraint = if wanted.is_empty() { "*" } else { wanted };
        let constraint = Constraint::parse(constraint).map_err(|error| NotFound::Constraint(error.to_string()))?;
        let exact = versions.iter().find(|version| version.metadata.version == wanted);
        exact
            .or_else(|| versions.iter().find(|version| constraint.check(&version.version)))
            .ok_or_else(|| NotFound::Version { chart: chart.to_owned(), version: wanted.to_owned() })
    }

    /// Adds the versions that `other` has and this has not; what is here goes first.
    pub fn merge(&mut self, other: Self) {
        for (_, versions) in other.entries {
            for version in versions {
                if self.get(&version.metadata.name, &version.metadata.version).is_err() {
                    self.entries.entry(version.metadata.name.clone()).or_default().push(version);
                }
            }
        }
    }

    /// Sorts the versions of each chart, the highest first.
    pub fn sort(&mut self) {
        for versions in self.entries.values_mut() {
            versions.sort_by(|a, b| b.version.cmp(&a.version));
        }
    }
}

/// Whether `version` asks for a range, or for one version that need not be there by that very text.
pub(crate) fn is_range(version: &str) -> bool {
    if version.contains(['^', '~', '<', '>', '=', '!', '*']) || version.contains("||") || version.contains(" - ") {
        return true;
    }
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.contains(['x', 'X'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &str) -> (Result<Index>, Vec<String>) {
        let mut warnings = Vec::new();
        let index = Index::parse(text.as_bytes(), "i", &mut |warning| warnings.push(warning.message.clone()));
        (index, warnings)
    }

    fn versions(versions: &[&str]) -> Index {
        let items: String =
            versions.iter().map(|v| format!("  - {{name: a, version: {v:?}, urls: [a.tgz]}}\n")).collect();
        index(&format!("apiVersion: v1\nentries:\n  a:\n{items}")).0.expect("it is good")
    }

    #[test]
    fn versions_are_found_as_helm_finds_them() {
        let index = versions(&["0.9.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "v1.2.0+b"]);
        let find = |wanted: &str| index.get("a", wanted).map(|found| found.metadata.version.clone());
        for (wanted, found) in [
            ("", "1.10.0"),
            (">0.0.0-0", "2.0.0-rc.1"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("^1.0", "1.10.0"),
            ("1.2.0", "v1.2.0+b"),
            ("<1", "0.9.0"),
        ] {
            assert_eq!(find(wanted).as_deref(), Ok(found), "{wanted}");
        }
        let missing = NotFound::Version { chart: "a".into(), version: "3".into() };
        assert_eq!(find("3"), Err(missing.clone()));
        assert_eq!(missing.to_string(), "no chart version found for a-3");
        assert_eq!(index.get("b", "").map(|_| ()), Err(NotFound::Name));
        assert!(is_range("1.x") && is_range("1 - 2") && !is_range("1.2.0-x"));
    }

    #[test]
    fn what_is_no_index_is_refused_in_helms_words() {
        let decoding = "error unmarshaling JSON: while decoding JSON: json: ";
        for (text, wanted) in [
            ("", "empty index.yaml file".to_owned()),
            ("entries: {}\n", "no API version specified".to_owned()),
            ("<html>", format!("{decoding}cannot unmarshal string into Go value of type repo.IndexFile")),
            ("apiVersion: v1\nfoo: 1\n", format!("{decoding}unknown field \"foo\"")),
            ("apiVersion: v1\nentries: {a: [{name: a, foo: 1}]}\n", format!("{decoding}unknown field \"foo\"")),
            (
                "apiVersion: v1\nentries: {b: x}\n",
                format!(
                    "{decoding}cannot unmarshal string into Go struct field IndexFile.entries of type repo.ChartVersions"
                ),
            ),
            (
                "apiVersion: v1\nentries: {a: [{name: a, version: [1]}]}\n",
                format!(
                    "{decoding}cannot unmarshal array into Go struct field ChartVersion.entries.Metadata.version of type string"
                ),
            ),
        ] {
            assert_eq!(index(text).0.expect_err(text).message, wanted);
        }
        index("{\"apiVersion\":\"v1\",\"foo\":1}").0.expect("JSON may have fields of its own");
    }

    #[test]
    fn entries_that_helm_skips_are_skipped_with_a_warning() {
        let text =
            "apiVersion: v1\nentries:\n  a:\n  - {name: a, version: 1.x.y}\n  - null\n  - {name: a, version: 1.0.0}\n";
        let (index, warnings) = index(text);
        assert_eq!(index.expect("it is good").entries["a"].len(), 1);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
    }
}
