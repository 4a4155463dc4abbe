//! Where a field gets its value from: [`Explanation`].

mod field_path;
mod trail;

pub use field_path::FieldPath;
pub(crate) use field_path::join_item;
pub use trail::{Step, Trail};

use crate::{BuildOptions, Places, RenderedFile, Repository};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_helmfile::State;
use onepane_resource::{Resource, join_key};
use onepane_yaml::Node;
use std::collections::HashMap;
use trail::TrailBuilder;

/// The fields of one resource that were asked for, each with its history.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The folder that was built.
    pub unit: camino::Utf8PathBuf,
    /// `Kind/name`, or `Kind/namespace/name` where it has a namespace.
    pub resource: String,
    /// The fields in the order of the manifest.
    pub trails: Vec<Trail>,
}

impl Repository<'_> {
    /// The history of `field` of the resource `kind`/`name` in what `unit` builds to; of all its fields where `field`
    /// is `None`. `name` may be `namespace/name`.
    pub fn why(
        &self,
        unit: &camino::Utf8Path,
        kind: &str,
        name: &str,
        field: Option<&FieldPath>,
    ) -> Result<Explanation> {
        let built = self.build(unit, &BuildOptions { origins: true, ..BuildOptions::default() })?;
        let resources: Vec<&Resource> = built.resources.iter().collect();
        let resource = find(&resources, kind, name)?;
        let node = match field {
            None => resource.node(),
            Some(field) => field.find(resource.node()).map_err(|missing| {
                Diagnostic::error("why-no-such-field", format!("{} has no field `{missing}`", display(resource)))
                    .hint("without a field, `onepane why` lists all of them")
            })?,
        };
        let mut leaves = Vec::new();
        let start = field.map(ToString::to_string).unwrap_or_default();
        collect_leaves(&start, node, &mut leaves);
        let mut places = Places::new(self);
        let secret = resource.kind() == "Secret";
        let trail = |(field, leaf): (String, &Node)| -> Result<Trail> {
            let (text, origin) = (shown(leaf), leaf.origin());
            let source = places.of(&origin, &text).map(|place| place.span);
            let steps = TrailBuilder::new(&mut places.sources, secret).steps(&origin)?;
            Ok(Trail { field, value: if secret { "<redacted>".to_owned() } else { text }, source, steps })
        };
        let trails = leaves.into_iter().map(trail).collect::<Result<_>>()?;
        Ok(Explanation { unit: unit.to_owned(), resource: display(resource), trails })
    }
}

/// The resource that is meant; more than one, or none, is an error that lists what there is.
fn find<'a>(resources: &[&'a Resource], kind: &str, name: &str) -> Result<&'a Resource> {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    let of_kind = |resource: &&&Resource| resource.kind().eq_ignore_ascii_case(kind);
    let meant = |resource: &&&Resource| {
        of_kind(resource)
            && resource.name() == name
            && namespace.is_none_or(|namespace| resource.namespace() == namespace)
    };
    let found: Vec<&&Resource> = resources.iter().filter(meant).collect();
    let list =
        |resources: Vec<&&Resource>| resources.iter().map(|resource| display(resource)).collect::<Vec<_>>().join(", ");
    match found.as_slice() {
        [resource] => Ok(resource),
        [] => {
            let error = Diagnostic::error("why-no-such-resource", format!("there is no {kind}/{name} in this build"));
            let same_kind: Vec<&&Resource> = resources.iter().filter(of_kind).collect();
            if same_kind.is_empty() {
                let mut kinds: Vec<&str> = resources.iter().map(|resource| resource.kind()).collect();
                kinds.sort_unstable();
                kinds.dedup();
                return Err(error.hint(format!("the kinds are: {}", kinds.join(", "))));
            }
            Err(error.hint(format!("of that kind there are: {}", list(same_kind))))
        }
        _ => Err(Diagnostic::error("why-ambiguous", format!("{kind}/{name} is in more than one namespace"))
            .hint(format!("name one of: {}", list(found)))),
    }
}

pub(crate) fn display(resource: &Resource) -> String {
    match resource.namespace() {
        "" => format!("{}/{}", resource.kind(), resource.name()),
        namespace => format!("{}/{namespace}/{}", resource.kind(), resource.name()),
    }
}

/// The scalars and empty collections below `node`, with their paths.
pub(crate) fn collect_leaves<'n>(path: &str, node: &'n Node, leaves: &mut Vec<(String, &'n Node)>) {
    let empty = node.entries().is_some_and(<[_]>::is_empty) || node.items().is_some_and(<[_]>::is_empty);
    if let (Some(entries), false) = (node.entries(), empty) {
        for (key, value) in entries {
            collect_leaves(&join_key(path, key.as_str().unwrap_or_default()), value, leaves);
        }
    } else if let (Some(items), false) = (node.items(), empty) {
        for (index, item) in items.iter().enumerate() {
            collect_leaves(&field_path::join_item(path, index, item), item, leaves);
        }
    } else {
        leaves.push((path.to_owned(), node));
    }
}

pub(crate) fn shown(leaf: &Node) -> String {
    match leaf.as_str() {
        Some(text) => text.to_owned(),
        None if leaf.items().is_some() => "[]".to_owned(),
        None => "{}".to_owned(),
    }
}

/// What histories are read from: source lines, and the rendered releases behind rendered files. Each is read once, as long as
/// there are few.
pub(crate) struct Sources<'r, 'w> {
    repository: &'r Repository<'w>,
    state: Option<Result<State>>,
    lines: HashMap<FileId, Vec<String>>,
    rendered: HashMap<String, HashMap<camino::Utf8PathBuf, RenderedFile>>,
}

impl<'r, 'w> Sources<'r, 'w> {
    pub(crate) fn new(repository: &'r Repository<'w>) -> Self {
        Self { repository, state: None, lines: HashMap::new(), rendered: HashMap::new() }
    }

    /// The text of a line, without what is around it.
    pub(crate) fn line(&mut self, span: Span) -> Option<&str> {
        let world = self.repository.world;
        let lines = self.lines.entry(span.file).or_insert_with(|| {
            let bytes = world.read(span.file.path()).unwrap_or_else(|_| [].into());
            String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
        });
        lines.get(span.line.checked_sub(1)? as usize).map(|line| line.trim())
    }

    /// Whether SOPS has encrypted the file, so that no byte is where it was rendered.
    fn is_encrypted(&self, path: &camino::Utf8Path) -> bool {
        let bytes = self.repository.world.read(path);
        bytes.is_ok_and(|bytes| onepane_sops::is_encrypted(&bytes, onepane_sops::Format::Yaml, FileId::new(path)))
    }

    /// The release that writes `path`, where `path` is below `rendered/`.
    pub(crate) fn release_of(&self, path: &camino::Utf8Path) -> Option<String> {
        let below = path.strip_prefix(self.repository.layout.rendered()).ok()?;
        below.components().next().map(|first| first.as_str().to_owned())
    }

    /// The rendered file at `path` with its marks; `None` where what is on disk is not what its release renders to.
    pub(crate) fn rendered(&mut self, path: &camino::Utf8Path) -> Result<Option<&RenderedFile>> {
        let Some(release) = self.release_of(path) else { return Ok(None) };
        if !self.rendered.contains_key(&release) {
            /// With all that is known of them, releases are large.
            const MOST: usize = 100;
            let state = self.state.get_or_insert_with(|| self.repository.state("default"));
            let rendered = self.repository.render_with_origins(state.as_ref().map_err(Clone::clone)?, &release)?;
            if self.rendered.len() >= MOST {
                self.rendered.clear();
            }
            let files = rendered.files.into_iter().map(|file| (file.path.clone(), file)).collect();
            self.rendered.insert(release.clone(), files);
        }
        let Some(file) = self.rendered[&release].get(path) else { return Ok(None) };
        let on_disk = self.repository.world.read(path).ok();
        Ok(on_disk.is_some_and(|bytes| *bytes == *file.contents.as_bytes()).then_some(file))
    }
}
