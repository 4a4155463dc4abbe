//! Where the corpora are, and the cases in them.

use std::path::{Path, PathBuf};

/// A corpus that is on this machine.
pub struct Corpus {
    /// Its folder.
    pub folder: PathBuf,
}

/// The corpus called `name` (`helm`, `kustomize`), or why it is not here.
///
/// It is looked for in `$ONEPANE_CORPUS`, else in `shared/corpus` beside the checkout. Where `$ONEPANE_REQUIRE_CORPUS`
/// is set, as it is in CI, its absence is a panic and not a skipped test.
pub fn corpus(name: &str) -> Result<Corpus, String> {
    let root = std::env::var_os("ONEPANE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Ok(Corpus { folder });
    }
    let absent = format!("the {name} corpus is not at {}; set ONEPANE_CORPUS to where it is", folder.display());
    assert!(std::env::var_os("ONEPANE_REQUIRE_CORPUS").is_none(), "{absent}");
    Err(absent)
}

impl Corpus {
    /// Its files of this kind, in folders of any depth, in the order of their paths.
    pub fn files(&self, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let (mut folders, mut found) = (vec![self.folder.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if is_wanted(&path) {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// The cases below `folder`: each folder with a `case.json`, as `(name, folder, case)`, sorted by name.
    pub fn cases(folder: &Path) -> Vec<(String, PathBuf, serde_json::Value)> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut cases: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let text = std::fs::read_to_string(entry.path().join("case.json")).ok()?;
                let case = serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{}/case.json: {error}", entry.path().display()));
                Some((entry.file_name().to_string_lossy().into_owned(), entry.path(), case))
            })
            .collect();
        cases.sort_by(|a, b| a.0.cmp(&b.0));
        cases
    }
}
