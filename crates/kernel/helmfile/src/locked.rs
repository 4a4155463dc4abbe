//! Lock files: the versions that `helmfile deps` chose for charts from repositories.

use crate::fields::text;
use crate::release::Release;
use crate::state::State;
use crate::yaml;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_semver::{Constraint, Version};
use onepane_value::{List, Map, Value};
use onepane_world::{World, normalize};

/// A chart of a release, as `helmfile deps` asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in the repository.
    pub name: String,
    /// The repository's address; that of a registry begins with `oci://`.
    pub repository: String,
    /// The version or constraint; `*` where the release has none.
    pub version: String,
    /// What tells it from others of that name.
    pub alias: String,
}

/// A version that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The chart's name in the repository.
    pub name: String,
    /// The repository's address.
    pub repository: String,
    /// The version.
    pub version: String,
}

/// What a lock file holds.
#[derive(Clone, Debug, Default)]
pub struct LockFile {
    /// The version of Helmfile that wrote it.
    pub version: String,
    /// What was chosen, by name.
    pub dependencies: Vec<Locked>,
    /// The digest of what was asked for and chosen.
    pub digest: String,
    /// When it was written.
    pub generated: String,
}

impl LockFile {
    /// Reads the text of a lock file; also one that Helm wrote.
    ///
    /// # Errors
    /// For what is no YAML, and for a version that is none.
    pub fn parse(bytes: &[u8], file: FileId) -> Result<Self> {
        let map = yaml::values(bytes, file)?;
        let get = |key| text(&map, key).unwrap_or_default();
        let version = get("version");
        if !version.is_empty()
            && let Err(error) = Version::parse(&version)
        {
            return Err(Diagnostic::error("helmfile-lock", error.to_string()).at(Span::new(file, 1, 1)));
        }
        let list =
            map.get("dependencies").and_then(|list| list.as_list().map(|list| list.to_vec())).unwrap_or_default();
        let locked = |map: &Map| {
            let get = |key| text(map, key).unwrap_or_default();
            Locked { name: get("name"), repository: get("repository"), version: get("version") }
        };
        let dependencies = list.iter().filter_map(Value::as_map).map(locked).collect();
        Ok(Self { version, dependencies, digest: get("digest"), generated: get("generated") })
    }

    /// The text that Helmfile would write: by name, each once.
    ///
    /// # Errors
    /// For what YAML can't hold.
    pub fn text(&self) -> Result<String> {
        let mut sorted: Vec<&Locked> = Vec::new();
        for locked in &self.dependencies {
            if !sorted.contains(&locked) {
                sorted.push(locked);
            }
        }
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let entry = |locked: &&Locked| {
            let fields = [("name", &locked.name), ("repository", &locked.repository), ("version", &locked.version)];
            Value::from(Map::from_iter(fields.map(|(key, text)| (key, Value::from(text.as_str())))))
        };
        let list: List = sorted.iter().map(entry).collect();
        let fields = [
            ("version", Value::from(self.version.as_str())),
            ("dependencies", list.into()),
            ("digest", self.digest.as_str().into()),
            ("generated", self.generated.as_str().into()),
        ];
        // Keys of a mapping are sorted, those of the file are not.
        let span = Span::new(FileId::new("helmfile.lock"), 1, 1);
        fields.into_iter().map(|field| yaml::text_of(&Map::from_iter([field]).into(), span)).collect()
    }

    /// The version that was chosen for a chart of this name within a constraint.
    fn get(&self, name: &str, constraint: &str) -> std::result::Result<Option<&str>, String> {
        let constraint = if constraint.is_empty() { "*" } else { constraint };
        for locked in self.dependencies.iter().filter(|locked| locked.name == name) {
            let constraint = Constraint::parse(constraint).map_err(|error| error.to_string())?;
            let version = Version::parse(&locked.version).map_err(|error| error.to_string())?;
            if constraint.check(&version) {
                return Ok(Some(&locked.version));
            }
        }
        Ok(None)
    }
}

impl State {
    /// Where its lock file stands.
    pub fn lock_path(&self) -> Utf8PathBuf {
        let own = text(&self.fields, "lockFilePath");
        normalize(&self.folder().join(own.unwrap_or_else(|| format!("{}.lock", self.base_name()))))
    }

    /// Its file's name without `.yaml` and `.gotmpl`: what the chart is called that depends on all it wants.
    pub fn base_name(&self) -> &str {
        let name = self.path.file_name().unwrap_or_default();
        ["gotmpl", "yaml", "yml"].iter().fold(name, |name, ending| {
            name.strip_suffix(ending).and_then(|name| name.strip_suffix('.')).unwrap_or(name)
        })
    }

    /// The charts from repositories that its releases want.
    ///
    /// # Errors
    /// Those of [`State::repositories`].
    pub fn wanted_charts(&self) -> Result<Vec<Wanted>> {
        let mut wanted = Vec::new();
        for release in &self.releases {
            let Some((repository, chart)) = self.lockable(release)? else { continue };
            let (url, name) = match (repository.is_oci, chart.rsplit_once('/')) {
                (false, _) => (repository.url, chart),
                (true, None) => (format!("oci://{}", repository.url), chart),
                (true, Some((path, name))) => (format!("oci://{}/{path}", repository.url.trim_end_matches('/')), name),
            };
            wanted.push(Wanted {
                name: name.to_owned(),
                repository: url,
                version: if release.version.is_empty() { "*".to_owned() } else { release.version.clone() },
                alias: format!("{}-{}", release.namespace, release.name),
            });
        }
        Ok(wanted)
    }

    /// Gives releases the versions of the lock file, if there is one.
    ///
    /// # Errors
    /// `helmfile-lock` for a chart that is not in the lock file in a fitting version, and for a file that is none.
    pub fn lock_versions(&mut self, world: &dyn World) -> Result<()> {
        let path = self.lock_path();
        // A state that names no repository has no need to look.
        if self.repositories()?.is_empty() || world.kind(&path).is_none() {
            return Ok(());
        }
        let bytes = world.read(&path).map_err(|error| Diagnostic::error("helmfile-lock", error.to_string()))?;
        let lock = LockFile::parse(&bytes, FileId::new(&path))?;
        let mut versions = Vec::new();
        for (at, release) in self.releases.iter().enumerate() {
            if let Some((repository, chart)) = self.lockable(release)? {
                versions.push((at, locked_version(&lock, release, chart, repository.is_oci, &path)?));
            }
        }
        for (at, version) in versions {
            self.releases[at].set_version(&version);
        }
        Ok(())
    }
}

fn locked_version(lock: &LockFile, release: &Release, chart: &str, is_oci: bool, path: &Utf8Path) -> Result<String> {
    let wrong = |message: String| Diagnostic::error("helmfile-lock", message).at(release.span);
    // In registries a name is the last part of a path; in old lock files it is the whole.
    let name = if is_oci { chart.rsplit('/').next().unwrap_or(chart) } else { chart };
    for name in [name, chart] {
        if let Some(version) = lock.get(name, &release.version).map_err(wrong)? {
            return Ok(version.to_owned());
        }
    }
    let message =
        format!("no resolved dependency found for \"{name}\", running \"helmfile deps\" may resolve the issue");
    let known: Vec<&str> =
        lock.dependencies.iter().filter(|locked| locked.name == name).map(|locked| locked.version.as_str()).collect();
    Err(match known.as_slice() {
        [] => wrong(message).hint(format!("{path} has no chart of that name")),
        _ => {
            let wanted = &release.version;
            wrong(message).hint(format!("{path} has {}, which `{wanted}` does not allow", known.join(", ")))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{LockFile, Locked};
    use onepane_diagnostics::FileId;

    fn locked(name: &str, version: &str) -> Locked {
        Locked { name: name.to_owned(), repository: "http://r".to_owned(), version: version.to_owned() }
    }

    #[test]
    fn lock_files_are_written_by_name_and_each_version_once() {
        let lock = LockFile {
            version: "v1.8.0".to_owned(),
            dependencies: vec![
                locked("web", "1.0.0"),
                locked("db", "2.0.0"),
                locked("web", "1.0.0"),
                locked("web", "2"),
            ],
            digest: "sha256:ab".to_owned(),
            generated: "2026-11-29T10:15:53.393003415Z".to_owned(),
        };
        let text = lock.text().expect("it can be written");
        let wanted = "version: v1.8.0\ndependencies:\n  - name: db\n    repository: http://r\n    version: 2.0.0\n  - name: \
                      web\n    repository: http://r\n    version: 1.0.0\n  - name: web\n    repository: http://r\n    \
                      version: \"2\"\ndigest: sha256:ab\ngenerated: \"2026-11-29T10:15:53.393003415Z\"\n";
        assert_eq!(text, wanted);
        let read = LockFile::parse(text.as_bytes(), FileId::new("helmfile.lock")).expect("it is one");
        assert_eq!((read.dependencies.len(), &*read.digest), (3, "sha256:ab"));
        assert_eq!(read.get("web", "~1"), Ok(Some("1.0.0")));
        assert_eq!(read.get("web", ""), Ok(Some("1.0.0")));
        assert_eq!(read.get("web", "^3"), Ok(None));
        assert_eq!(read.get("other", ""), Ok(None));
        assert!(LockFile::parse(b"version: nonsense\n", FileId::new("helmfile.lock")).is_err());
    }
}
