//! Reading an index: from YAML or JSON to an [`Index`], with Go's errors and Helm's opinion of what an entry is.

use crate::index::{ChartVersion, Index};
use onepane_chart::decode::{self, Target};
use onepane_chart::{Dependency, Maintainer, Metadata};
use onepane_diagnostics::Diagnostic;
use onepane_semver::Version;
use onepane_value::{Map, Value, from_json, from_yaml_as_go};
use std::collections::HashSet;

const DECODING: &str = "error unmarshaling JSON: while decoding JSON: ";

/// Whether fields that Helm does not know are errors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    Ignored,
}

/// Reads `bytes`; the error is Go's text.
pub(crate) fn parse(bytes: &[u8], source: &str, warn: &mut dyn FnMut(Diagnostic)) -> Result<Index, String> {
    if bytes.is_empty() {
        return Err("empty index.yaml file".to_owned());
    }
    if most_nodes(bytes) > MOST_NODES {
        return Err(format!("the index has more than {MOST_NODES} values"));
    }
    let text = String::from_utf8_lossy(bytes);
    let json = if text.trim_start().starts_with('{') { from_json(text.as_bytes()).ok() } else { None };
    let (document, unknown) = match json {
        Some(document) => (document, Unknown::Ignored),
        None => (from_yaml_as_go(&text)?, Unknown::Refused),
    };
    let mut index = Index::default();
    Reader { unknown, source, warn }.index(&document, &mut index).map_err(|error| match unknown {
        // encoding/json alone has no such words in front.
        Unknown::Ignored => error.strip_prefix(DECODING).unwrap_or(&error).to_owned(),
        Unknown::Refused => error,
    })?;
    index.sort();
    if index.api_version.is_empty() {
        return Err("no API version specified".to_owned());
    }
    Ok(index)
}

/// How many values an index may have: each takes a hundred bytes or so, however short it is written. The largest public
/// indexes have about two million.
const MOST_NODES: usize = 8_000_000;

/// How many values a text has at most, by what parts them.
fn most_nodes(bytes: &[u8]) -> usize {
    let parts = |pair: &&[u8]| matches!(pair, [b',' | b'\n' | b'[' | b'{', _] | [b'-', b' ']);
    bytes.windows(2).filter(parts).count()
}

struct Reader<'a> {
    unknown: Unknown,
    source: &'a str,
    warn: &'a mut dyn FnMut(Diagnostic),
}

const INDEX: &[&str] = &["serverInfo", "apiVersion", "generated", "entries", "publicKeys", "annotations"];
/// What an entry has besides the fields of Chart.yaml.
const VERSION: &[&str] = &["urls", "created", "removed", "digest", "checksum", "engine", "tillerVersion", "url"];

impl Reader<'_> {
    fn index(&mut self, document: &Value, index: &mut Index) -> Result<(), String> {
        let whole = Target { structure: "", field: "", go_type: "repo.IndexFile" };
        let Some(map) = decode::entries(document, whole)? else { return Ok(()) };
        self.fields(map, &[INDEX], |reader, field, value| {
            let target = |go_type| Target { structure: "IndexFile", field, go_type };
            match field {
                "apiVersion" => index.api_version = decode::string(value, target("string"))?.unwrap_or_default(),
                "generated" => index.generated = decode::string(value, target("time.Time"))?.unwrap_or_default(),
                "publicKeys" => index.public_keys = decode::strings(value, target("[]string"))?,
                "annotations" => {
                    let entries = strings_of(value, target("map[string]string"))?.unwrap_or_default();
                    index.annotations = entries.into_iter().collect();
                }
                "entries" => {
                    let Some(map) = decode::entries(value, target("map[string]repo.ChartVersions"))? else {
                        return Ok(());
                    };
                    map.try_for_each(|name, versions| {
                        let name = name.to_str();
                        let versions = reader.versions(&name, versions)?;
                        index.entries.insert(name.into_owned(), versions);
                        Ok::<_, String>(())
                    })?;
                }
                // `serverInfo` is there for validation only.
                _ => {}
            }
            Ok(())
        })
    }

    fn versions(&mut self, name: &str, value: &Value) -> Result<Vec<ChartVersion>, String> {
        let target = Target { structure: "IndexFile", field: "entries", go_type: "repo.ChartVersions" };
        let mut versions = Vec::new();
        for item in decode::list(value, target)? {
            if item.is_nil() {
                self.skip(name, "", "empty entry");
                continue;
            }
            let mut version = self.version(item)?;
            if version.metadata.api_version.is_empty() {
                version.metadata.api_version = "v1".to_owned();
            }
            version.metadata.sanitize();
            match validate(&version.metadata) {
                Ok(parsed) => versions.push(ChartVersion { version: parsed, ..version }),
                Err(problem) => self.skip(name, &version.metadata.version, &problem),
            }
        }
        Ok(versions)
    }

    fn skip(&mut self, name: &str, version: &str, problem: &str) {
        let source = crate::secret::shown(self.source);
        let message = format!("skipping loading invalid entry for chart {name:?} {version:?} from {source}: {problem}");
        (self.warn)(*Diagnostic::warning("fetch-index-entry", message));
    }

    fn version(&mut self, item: &Value) -> Result<ChartVersion, String> {
        let mut metadata = Metadata::default();
        let (mut urls, mut created, mut removed, mut digest) = (Vec::new(), String::new(), false, String::new());
        let whole = Target { structure: "IndexFile", field: "entries", go_type: "repo.ChartVersion" };
        if let Some(map) = decode::entries(item, whole)? {
            self.fields(map, &[VERSION, Metadata::FIELDS], |reader, field, value| {
                let own = VERSION.contains(&field);
                let path = if own { format!("entries.{field}") } else { format!("entries.Metadata.{field}") };
                let target = |go_type| Target { structure: "ChartVersion", field: &path, go_type };
                let text = || Ok::<_, String>(decode::string(value, target("string"))?.unwrap_or_default());
                match field {
                    "urls" => urls = decode::strings(value, target("[]string"))?,
                    "created" => created = decode::string(value, target("time.Time"))?.unwrap_or_default(),
                    "removed" => removed = decode::boolean(value, target("bool"))?.unwrap_or_default(),
                    "digest" => digest = text()?,
                    "checksum" | "engine" | "tillerVersion" | "url" => drop(text()?),
                    "name" => metadata.name = text()?,
                    "home" => metadata.home = text()?,
                    "version" => metadata.version = text()?,
                    "description" => metadata.description = text()?,
                    "icon" => metadata.icon = text()?,
                    "apiVersion" => metadata.api_version = text()?,
                    "condition" => metadata.condition = text()?,
                    "tags" => metadata.tags = text()?,
                    "appVersion" => metadata.app_version = text()?,
                    "kubeVersion" => metadata.kube_version = text()?,
                    "type" => metadata.kind = text()?,
                    "sources" => metadata.sources = decode::strings(value, target("[]string"))?,
                    "keywords" => metadata.keywords = decode::strings(value, target("[]string"))?,
                    "deprecated" => {
                        metadata.deprecated = decode::boolean(value, target("bool"))?.unwrap_or_default();
                    }
                    "annotations" => metadata.annotations = strings_of(value, target("map[string]string"))?,
                    "maintainers" => {
                        let items = decode::list(value, target("[]*v2.Maintainer"))?;
                        metadata.maintainers =
                            items.iter().map(|item| reader.maintainer(item)).collect::<Result<_, _>>()?;
                    }
                    _ => {
                        let items = decode::list(value, target("[]*v2.Dependency"))?;
                        let items = items.iter().map(|item| reader.dependency(item));
                        metadata.dependencies = Some(items.collect::<Result<_, _>>()?);
                    }
                }
                Ok(())
            })?;
        }
        // A place holder until the entry is validated.
        let version = Version::parse("0.0.0").map_err(|error| error.to_string())?;
        Ok(ChartVersion { metadata, urls, created, removed, digest, version })
    }

    fn maintainer(&mut self, item: &Value) -> Result<Maintainer, String> {
        let mut maintainer = Maintainer::default();
        let whole =
            Target { structure: "ChartVersion", field: "entries.Metadata.maintainers", go_type: "v2.Maintainer" };
        let Some(map) = decode::entries(item, whole)? else { return Ok(maintainer) };
        self.fields(map, &[Maintainer::FIELDS], |_, field, value| {
            let path = format!("entries.Metadata.maintainers.{field}");
            let target = Target { structure: "Maintainer", field: &path, go_type: "string" };
            let text = decode::string(value, target)?.unwrap_or_default();
            match field {
                "name" => maintainer.name = text,
                "email" => maintainer.email = text,
                _ => maintainer.url = text,
            }
            Ok(())
        })?;
        Ok(maintainer)
    }

    fn dependency(&mut self, item: &Value) -> Result<Dependency, String> {
        let whole =
            Target { structure: "ChartVersion", field: "entries.Metadata.dependencies", go_type: "v2.Dependency" };
        let Some(map) = decode::entries(item, whole)? else { return Ok(Dependency::default()) };
        let mut dependency = Dependency::default();
        self.fields(map, &[Dependency::FIELDS], |_, field, value| dependency.set(field, value, "entries.Metadata."))?;
        Ok(dependency)
    }

    /// [`decode::fields`], and Go's error for a field that is none.
    fn fields(
        &mut self,
        map: &Map,
        known: &[&'static [&'static str]],
        mut decode: impl FnMut(&mut Self, &'static str, &Value) -> Result<(), String>,
    ) -> Result<(), String> {
        map.try_for_each(|key, value| {
            let field = known.iter().copied().flatten().find(|field| key.eq_ignore_ascii_case(field.as_bytes()));
            match field {
                Some(field) => decode(self, field, value),
                None if self.unknown == Unknown::Ignored => Ok(()),
                None => Err(format!("{DECODING}json: unknown field {:?}", key.to_str())),
            }
        })
    }
}

/// Reads the dependencies of a lock file or of requirements.yaml; unknown fields are passed over.
pub(crate) fn dependencies(value: &Value) -> Result<Vec<Dependency>, String> {
    let target = Target { structure: "Lock", field: "dependencies", go_type: "[]*v2.Dependency" };
    let items = decode::list(value, target)?.iter().filter(|item| !item.is_nil());
    items
        .map(|item| {
            let whole = Target { structure: "Lock", field: "dependencies", go_type: "v2.Dependency" };
            let mut dependency = Dependency::default();
            if let Some(map) = decode::entries(item, whole)? {
                decode::fields(map, Dependency::FIELDS, |field, value| dependency.set(field, value, ""))?;
            }
            Ok(dependency)
        })
        .collect()
}

/// A `map[string]string` in the order of its keys; `None` for null.
fn strings_of(value: &Value, target: Target<'_>) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(map) = decode::entries(value, target)? else { return Ok(None) };
    let mut entries = Vec::new();
    map.try_for_each(|key, value| {
        let value = decode::string(value, Target { go_type: "string", ..target })?.unwrap_or_default();
        entries.push((key.to_str().into_owned(), value));
        Ok::<_, String>(())
    })?;
    Ok(Some(entries))
}

/// Whether Helm takes the entry; gives the version, read. Two dependencies of one name are passed over here, since
/// Artifactory strips their aliases.
fn validate(metadata: &Metadata) -> Result<Version, String> {
    let required = |what: &str| Err(format!("validation: chart.metadata.{what} is required"));
    let name = &metadata.name;
    if name.is_empty() {
        return required("name");
    }
    if name == "." || name == ".." {
        return Err(format!("validation: chart.metadata.name {name:?} is not allowed"));
    }
    if name.contains('/') {
        return Err(format!("validation: chart.metadata.name {name:?} is invalid"));
    }
    if metadata.version.is_empty() {
        return required("version");
    }
    let version = Version::parse(&metadata.version)
        .map_err(|_| format!("validation: chart.metadata.version {:?} is invalid", metadata.version))?;
    if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
        return Err("validation: chart.metadata.type must be application or library".to_owned());
    }
    let mut seen = HashSet::new();
    for dependency in metadata.dependencies.iter().flatten() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !dependency.alias.chars().all(allowed) && seen.insert(&dependency.alias) {
            return Err(format!("validation: dependency {:?} has disallowed characters in the alias", dependency.name));
        }
    }
    Ok(version)
}
