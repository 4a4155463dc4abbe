//! What the generators of an ApplicationSet give: parameters, one set an Application.

use super::application::is_own;
use super::application_set::rendered;
use crate::follower::Follower;
use crate::object::{is_true, items, pairs, text};
use crate::release::data_of;
use camino::{Utf8Path, Utf8PathBuf};
use globset::{GlobBuilder, GlobMatcher};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_resource::Resource;
use onepane_value::{Data, Map, Value, from_yaml, from_yaml_documents};
use onepane_world::EntryKind;
use onepane_yaml::Node;

/// Generators may hold generators.
const DEEPEST: usize = 4;
/// No set makes more Applications, and no more folders are looked at.
const MOST: usize = 5_000;
const MOST_FOLDERS: usize = 50_000;

/// How parameters are written in templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Go's templates.
    Go,
    /// `{{name}}`
    Plain,
}

/// The sets of parameters of one generator.
///
/// # Errors
/// For a generator that asks a cluster or a service, by its name.
pub(super) fn parameters(follower: &Follower<'_>, generator: &Node, style: Style, depth: usize) -> Result<Vec<Map>> {
    if depth > DEEPEST {
        return Err(Diagnostic::error("gitops-generator", "generators are nested too deep"));
    }
    let (kind, body) = generator
        .entries()
        .and_then(|entries| entries.iter().find(|(key, _)| key.as_str() != Some("selector")))
        .map_or(("", generator), |(key, body)| (key.as_str().unwrap_or_default(), body));
    let mut sets = match kind {
        "list" => {
            let elements = body.get("elements").map_or_else(|| Ok(Vec::new()), values);
            let mut sets = elements?;
            let more = text(body, &["elementsYaml"]);
            if !more.is_empty() {
                sets.extend(maps(from_yaml(more, None)?));
            }
            sets
        }
        "git" => git(follower, body)?,
        "clusters" => clusters(follower, body)?,
        "matrix" => matrix(follower, body, style, depth)?,
        "merge" => merge(follower, body, style, depth)?,
        _ => {
            let message = format!("the generator `{kind}` asks a cluster or a service, which is not done here");
            return Err(Diagnostic::error("gitops-generator", message)
                .hint("the generators list, git, clusters, matrix and merge are followed"));
        }
    };
    if let Some(extra) = body.get("values") {
        for set in &sets {
            let extra = rendered(extra, set, style)?;
            values(&Node::sequence(vec![extra]))?.into_iter().for_each(|map| {
                set.insert("values", map.into());
            });
        }
    }
    sets.truncate(MOST);
    Ok(sets)
}

/// The clusters that Secrets in the repository register, and where nothing is selected the one that Argo CD runs on.
/// Without such Secrets nobody knows which there are.
fn clusters(follower: &Follower<'_>, body: &Node) -> Result<Vec<Map>> {
    let selector = pairs(body, &["selector", "matchLabels"]);
    let is_registered = |resource: &&Resource| {
        resource.kind() == "Secret" && resource.label("argocd.argoproj.io/secret-type") == Some("cluster")
    };
    let registered: Vec<&Resource> = follower.resources.iter().filter(is_registered).collect();
    if registered.is_empty() || !items(body, &["selector", "matchExpressions"]).is_empty() {
        let message = "the generator `clusters` asks which clusters Argo CD knows, and no Secret here registers one";
        let hint =
            "clusters that Secrets with the label argocd.argoproj.io/secret-type register are known, by `matchLabels`";
        return Err(Diagnostic::error("gitops-generator", message).hint(hint));
    }
    let set = |name: &str, server: &str, labels: Map, annotations: Map| {
        let metadata = Map::from_iter([("labels", Value::from(labels)), ("annotations", annotations.into())]);
        Map::from_iter([
            ("name", Value::from(name)),
            ("nameNormalized", normalized(name).into()),
            ("server", server.into()),
            ("metadata", metadata.into()),
        ])
    };
    let texts = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        Map::from_iter(pairs.map(|(key, value)| (key.to_owned(), Value::from(value))))
    };
    let mut sets = Vec::new();
    if selector.is_empty() {
        sets.push(set("in-cluster", "https://kubernetes.default.svc", Map::new(), Map::new()));
    }
    for secret in registered {
        if selector.iter().all(|(key, value)| secret.label(key) == Some(value)) {
            let field = |key| data_of(secret, key).unwrap_or_default();
            let (labels, annotations) = (texts(&mut secret.labels()), texts(&mut secret.annotations()));
            sets.push(set(&field("name"), &field("server"), labels, annotations));
        }
    }
    Ok(sets)
}

fn values(node: &Node) -> Result<Vec<Map>> {
    Ok(maps(from_yaml(&onepane_yaml::write_sorted(node)?, None)?))
}

/// The mappings of a list, or the one that it is.
fn maps(value: Value) -> Vec<Map> {
    match value.data {
        Data::Map(map) => vec![map],
        Data::List(list) => list.iter().filter_map(|item| item.as_map().cloned()).collect(),
        _ => Vec::new(),
    }
}

fn matrix(follower: &Follower<'_>, body: &Node, style: Style, depth: usize) -> Result<Vec<Map>> {
    let [first, second] = items(body, &["generators"]) else {
        return Err(Diagnostic::error("gitops-generator", "a matrix needs two generators"));
    };
    let mut sets = Vec::new();
    for outer in parameters(follower, first, style, depth + 1)? {
        // The second may use what the first gave.
        let second = rendered(second, &outer, style)?;
        for inner in parameters(follower, &second, style, depth + 1)? {
            let set = outer.shallow_copy();
            inner.for_each(|key, value| {
                set.insert(key.clone(), value.clone());
            });
            sets.push(set);
            if sets.len() > MOST {
                return Err(Diagnostic::error("gitops-bound", format!("a matrix gives more than {MOST} sets")));
            }
        }
    }
    Ok(sets)
}

fn merge(follower: &Follower<'_>, body: &Node, style: Style, depth: usize) -> Result<Vec<Map>> {
    let keys: Vec<&str> = items(body, &["mergeKeys"]).iter().filter_map(Node::as_str).collect();
    let mut generators = items(body, &["generators"]).iter();
    let Some(first) = generators.next() else { return Ok(Vec::new()) };
    let sets = parameters(follower, first, style, depth + 1)?;
    for generator in generators {
        for other in parameters(follower, generator, style, depth + 1)? {
            let same = |set: &&Map| keys.iter().all(|key| shown(set, key) == shown(&other, key));
            if let Some(set) = sets.iter().find(same) {
                other.for_each(|key, value| {
                    set.insert(key.clone(), value.clone());
                });
            }
        }
    }
    Ok(sets)
}

fn shown(set: &Map, key: &str) -> Option<String> {
    let mut parts = key.split('.');
    let first = set.get(parts.next()?)?;
    let value = parts.try_fold(first, |value, part| value.as_map()?.get(part))?;
    Some(onepane_value::format::sprint(std::slice::from_ref(&value)).to_string())
}

fn git(follower: &Follower<'_>, body: &Node) -> Result<Vec<Map>> {
    let address = text(body, &["repoURL"]);
    if !is_own(follower, address) {
        let place = onepane_kustomize::without_password(address);
        let message = format!("its generator reads another repository: {place}");
        return Err(Diagnostic::error("gitops-source", message)
            .hint("if it is this one, name the address in onepane.yaml: `repository:`"));
    }
    let prefix = text(body, &["pathParamPrefix"]);
    let mut sets = Vec::new();
    let wanted = |list: &str| -> Result<(Vec<GlobMatcher>, Vec<GlobMatcher>)> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for item in items(body, &[list]) {
            let matcher = pattern(text(item, &["path"]))?;
            if is_true(item, &["exclude"]) { left.push(matcher) } else { taken.push(matcher) }
        }
        Ok((taken, left))
    };
    let (taken, left) = wanted("directories")?;
    if !taken.is_empty() {
        let is_taken = |path: &Utf8Path| {
            taken.iter().any(|glob| glob.is_match(path)) && !left.iter().any(|glob| glob.is_match(path))
        };
        for path in entries(follower, EntryKind::Folder).into_iter().filter(|path| is_taken(path)) {
            let set = Map::new();
            note_path(&set, prefix, &path, None);
            sets.push(set);
        }
    }
    let (taken, left) = wanted("files")?;
    if !taken.is_empty() {
        let is_taken = |path: &Utf8Path| {
            taken.iter().any(|glob| glob.is_match(path)) && !left.iter().any(|glob| glob.is_match(path))
        };
        for path in entries(follower, EntryKind::File).into_iter().filter(|path| is_taken(path)) {
            let bytes = follower
                .input
                .world
                .read(&path)
                .map_err(|error| Diagnostic::error("gitops-generator", error.to_string()))?;
            let documents = from_yaml_documents(&String::from_utf8_lossy(&bytes), None)
                .map_err(|error| error.at(onepane_diagnostics::Span::new(FileId::new(&path), 1, 1)))?;
            for set in documents.into_iter().flat_map(maps) {
                let folder = path.parent().unwrap_or(Utf8Path::new(""));
                note_path(&set, prefix, folder, path.file_name());
                sets.push(set);
            }
        }
    }
    Ok(sets)
}

fn pattern(text: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(text.trim_start_matches("./")).literal_separator(true).build();
    let glob = glob.map_err(|error| Diagnostic::error("gitops-pattern", format!("`{text}` is no pattern: {error}")))?;
    Ok(glob.compile_matcher())
}

/// `path`, with its parts, as Argo CD's templates see it.
fn note_path(set: &Map, prefix: &str, folder: &Utf8Path, file: Option<&str>) {
    let base = folder.file_name().unwrap_or_default();
    let segments: Vec<Value> = folder.components().map(|part| part.as_str().into()).collect();
    let path = Map::from_iter([
        ("path", Value::from(folder.as_str())),
        ("basename", base.into()),
        ("basenameNormalized", normalized(base).into()),
        ("segments", onepane_value::List::new(segments).into()),
    ]);
    if let Some(file) = file {
        path.insert("filename", file.into());
        path.insert("filenameNormalized", normalized(file).into());
    }
    if prefix.is_empty() {
        set.insert("path", path.into());
    } else {
        set.insert(prefix, Map::from_iter([("path", Value::from(path))]).into());
    }
}

/// A text as a name may be: lower case, and a hyphen for what names don't have.
fn normalized(text: &str) -> String {
    let lower = text.to_lowercase();
    let letters =
        lower.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' });
    letters.collect::<String>().trim_matches(['-', '.']).to_owned()
}

/// All files or folders of the repository.
fn entries(follower: &Follower<'_>, wanted: EntryKind) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![Utf8PathBuf::new()];
    let mut seen = 0;
    while let Some(folder) = pending.pop() {
        seen += 1;
        if seen > MOST_FOLDERS {
            break;
        }
        for entry in follower.input.world.list(&folder).unwrap_or_default() {
            if entry.link || entry.name.starts_with('.') {
                continue;
            }
            let path = folder.join(&entry.name);
            if entry.kind == wanted {
                found.push(path.clone());
            }
            if entry.kind == EntryKind::Folder {
                pending.push(path);
            }
        }
    }
    found.sort();
    found
}
