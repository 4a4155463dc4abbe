//! Following the references of one kustomization: [`Root`].

use super::places::{REMOTE_FOLDER, file_place, relative, repository_place};
use super::tree::LocalizedTree;
use super::written::as_written;
use super::{refused, within, without_reference};
use crate::accumulate::located;
use crate::decode::Located;
use crate::generate::file_source;
use crate::kustomization;
use crate::load::{Loaded, Loader};
use crate::parse::{parse_first, parse_inline, parse_resources};
use crate::remote::{RepositoryUrl, is_http, without_password};
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_resource::{Resource, ResourceSet};
use onepane_world::{EntryKind, normalize};
use onepane_yaml::{Content, Node, write_sorted};
use std::collections::HashSet;
use std::sync::Arc;

/// What the kustomizations of one copy share.
pub(super) struct Job {
    /// What local references must not leave.
    bounds: Utf8PathBuf,
    /// Where the copy will be. Nothing is read from there.
    pub(super) destination: Utf8PathBuf,
    pub(super) tree: LocalizedTree,
    pub(super) warnings: Vec<Diagnostic>,
    /// The folders that were copied, and whereto: what many name is copied once.
    done: HashSet<(Utf8PathBuf, Utf8PathBuf)>,
}

impl Job {
    pub(super) fn new(bounds: Utf8PathBuf, destination: Utf8PathBuf) -> Self {
        let (tree, done) = (LocalizedTree::default(), HashSet::new());
        Self { bounds, destination, tree, warnings: Vec::new(), done }
    }
}

/// A kustomization that is copied.
pub(super) struct Root<'a> {
    pub(super) loader: &'a Loader<'a>,
    /// Its folder in the copy.
    pub(super) folder: Utf8PathBuf,
    pub(super) job: &'a mut Job,
    /// What it is read from.
    pub(super) file: FileId,
}

/// How a field names a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reference {
    /// By its path.
    File,
    /// By its path, behind a key or not.
    FileSource,
    /// By its path, or it stands there itself.
    Manifest,
    /// By the path of a folder, or as a repository.
    Root,
    /// As one of those.
    Resource,
    /// As the folder of charts.
    ChartHome,
}

/// The fields with references, in the order in which they are followed, and what failed where one can't be. `{}` stands
/// for the number of the entry.
const REFERENCES: &[(&[&str], Reference, &str)] = &[
    (&["openapi", "path"], Reference::File, "unable to localize openapi path"),
    (&["resources"], Reference::Resource, "unable to localize resources entry"),
    (&["bases"], Reference::Root, "unable to localize bases entry"),
    (&["components"], Reference::Root, "unable to localize components entry"),
    (&["configurations"], Reference::File, "unable to localize configurations entry"),
    (&["crds"], Reference::File, "unable to localize crds entry"),
    (
        &["configMapGenerator", "env"],
        Reference::File,
        "unable to localize configMapGenerator: unable to localize generator env file",
    ),
    (
        &["configMapGenerator", "envs"],
        Reference::File,
        "unable to localize configMapGenerator: unable to localize generator envs file",
    ),
    (&["configMapGenerator", "files"], Reference::FileSource, "unable to localize configMapGenerator"),
    (
        &["secretGenerator", "env"],
        Reference::File,
        "unable to localize secretGenerator: unable to localize generator env file",
    ),
    (
        &["secretGenerator", "envs"],
        Reference::File,
        "unable to localize secretGenerator: unable to localize generator envs file",
    ),
    (&["secretGenerator", "files"], Reference::FileSource, "unable to localize secretGenerator"),
    (
        &["helmChartInflationGenerator", "values"],
        Reference::File,
        "unable to localize helmChartInflationGenerator entry {} values",
    ),
    (
        &["helmChartInflationGenerator", "chartHome"],
        Reference::ChartHome,
        "unable to copy helmChartInflationGenerator entry {}",
    ),
    (&["helmCharts", "valuesFile"], Reference::File, "unable to localize helmCharts entry {} valuesFile"),
    (
        &["helmCharts", "additionalValuesFiles"],
        Reference::File,
        "unable to localize helmCharts entry {} additionalValuesFiles",
    ),
    (&["helmGlobals", "chartHome"], Reference::ChartHome, "unable to copy helmGlobals"),
    (&["patches", "path"], Reference::File, "unable to localize patches"),
    (&["patchesJson6902", "path"], Reference::File, "unable to localize patchesJson6902"),
    (&["patchesStrategicMerge"], Reference::Manifest, "unable to localize patchesStrategicMerge entry"),
    (&["replacements", "path"], Reference::File, "unable to localize replacements entry"),
];

impl<'a> Root<'a> {
    pub(super) fn new(loader: &'a Loader<'a>, folder: Utf8PathBuf, job: &'a mut Job) -> Self {
        Self { loader, folder, job, file: FileId::new("-") }
    }

    /// Copies the kustomization and everything that it names.
    pub(super) fn localize(mut self) -> Result<()> {
        let (name, loaded) = kustomization::load(self.loader)?;
        self.file = loaded.file;
        let located = |error: Box<Diagnostic>| located(error, Some(Span::file(loaded.file.path())));
        let read = parse_first(&loaded).map_err(|error| within(error, "invalid Kustomization"));
        let mut node = read.and_then(|node| as_written(&node)).map_err(located)?;
        for (keys, reference, what) in REFERENCES {
            self.follow(&mut node, keys, *reference, what, 0)?;
        }
        self.default_chart_homes(&node)?;
        for field in ["generators", "transformers", "validators"] {
            for entry in node.get_mut(field).and_then(Node::items_mut).into_iter().flatten() {
                self.plugins(entry, field)?;
            }
        }
        self.job.warnings.extend(self.loader.take_warnings());
        let text =
            write_sorted(&node).map_err(|error| within(error, "unable to serialize localized kustomization file"))?;
        let written = self.job.tree.put(&self.folder.join(name), text.into_bytes().into());
        written.map_err(|error| within(error, "unable to write localized kustomization file"))
    }

    /// Localizes what stands at the end of `keys`, in every entry of the lists on the way.
    fn follow(&mut self, node: &mut Node, keys: &[&str], reference: Reference, what: &str, entry: usize) -> Result<()> {
        match (&mut node.content, keys.split_first()) {
            (Content::Sequence(items), _) => {
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(at, item)| {
                    self.follow(item, keys, reference, what, if keys.is_empty() { entry } else { at })
                })
            }
            (Content::Mapping(_), Some((key, rest))) => match node.get_mut(key) {
                Some(value) => self.follow(value, rest, reference, what, entry),
                None => Ok(()),
            },
            (Content::Scalar(text), None) => {
                let localized = self.localized(reference, text, node.span);
                let failed = |error| within(error, what.replace("{}", &entry.to_string()));
                *text = localized.map_err(failed)?.into();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What a reference becomes; what it names is in the copy then.
    pub(super) fn localized(&mut self, reference: Reference, text: &str, span: Option<Span>) -> Result<String> {
        match reference {
            Reference::File => self.localize_file(text, span),
            Reference::FileSource => self.localize_file_source(text, span),
            Reference::Manifest => match self.manifests(text, span)? {
                Manifests::Inline(_) => Ok(text.to_owned()),
                Manifests::File(_) => self.localize_file(text, span),
            },
            Reference::Root => self.localize_root(text, span),
            Reference::Resource => self.localize_resource(text, span),
            Reference::ChartHome => self.copy_chart_home(text, span),
        }
    }

    /// Some fields may say nothing; that is for the build to judge.
    fn localize_file(&mut self, path: &str, span: Option<Span>) -> Result<String> {
        if path.is_empty() {
            return Ok(String::new());
        }
        let loaded = self.load(path, span)?;
        self.keep(path, loaded.bytes, span)
    }

    fn localize_file_source(&mut self, source: &str, span: Option<Span>) -> Result<String> {
        let located = Located { text: source.to_owned(), span };
        let (key, path) = file_source(&located)?;
        let place = self.localize_file(path, span);
        let place = place.map_err(|error| within(error, format!("invalid file source {source:?}")))?;
        Ok(if source == path { place } else { format!("{key}={place}") })
    }

    /// A file of resources, or else a folder or a repository.
    fn localize_resource(&mut self, path: &str, span: Option<Span>) -> Result<String> {
        let url = RepositoryUrl::parse(path);
        let is_repository = url.is_some_and(|url| !is_http(path) || url.is_explicit());
        let as_file = if is_repository && self.loader.kind(path).is_none() {
            Err(located(refused("URL is a git repository"), span))
        } else {
            self.load(path, span).and_then(|loaded| {
                let read = resource_set(parse_resources(&loaded));
                read.map_err(|error| within(error, format!("invalid resource at file {path:?}")))?;
                self.keep(path, loaded.bytes, span)
            })
        };
        let Err(as_file) = as_file else { return as_file };
        self.localize_root(path, span).map_err(|as_folder| {
            let is_folder = is_repository || self.loader.kind(path) == Some(EntryKind::Folder);
            let path = without_password(path);
            let message = format!(
                "could not localize path {path:?} as file: {}; could not localize path {path:?} as directory: {}",
                as_file.message, as_folder.message
            );
            // The place that is to blame is that of what the path seems to be.
            let error = if is_folder { as_folder } else { as_file };
            Box::new(Diagnostic { message, ..*error })
        })
    }

    fn localize_root(&mut self, path: &str, span: Option<Span>) -> Result<String> {
        if path.is_empty() {
            return Ok(String::new());
        }
        let loader = self.enter(path, span)?;
        let place = match (RepositoryUrl::parse(path), loader.repository()) {
            (Some(url), Some((_, top))) => {
                self.refuse_taken("root", path, span)?;
                repository_place(&url, &relative(top, loader.root())).ok_or_else(|| {
                    let path = without_password(path);
                    located(refused(format!("unable to parse host of remote root {path:?}")), span)
                })?
            }
            _ => relative(self.loader.root(), loader.root()),
        };
        let folder = normalize(&self.folder.join(&place));
        if self.job.done.contains(&(loader.root().to_owned(), folder.clone())) {
            return Ok(place.into_string());
        }
        let below = Root::new(&loader, folder.clone(), self.job);
        below.localize().map_err(|error| {
            let path = without_password(path);
            located(within(error, format!("unable to localize root {path:?}")), span)
        })?;
        self.job.done.insert((loader.root().to_owned(), folder));
        Ok(place.into_string())
    }

    /// Resources that stand in an entry or in the file that it names.
    pub(super) fn manifests(&mut self, entry: &str, span: Option<Span>) -> Result<Manifests> {
        let inline = match resource_set(parse_inline(entry, span, self.file)) {
            Ok(inline) => return Ok(Manifests::Inline(inline)),
            Err(error) => error,
        };
        // What stands there may be secret.
        if entry.contains('\n') || entry.starts_with('{') {
            let error = within(inline, "unable to load resource entry: when parsing as inline received error");
            return Err(located(error, span));
        }
        let from_file = self.load(entry, span).and_then(|loaded| resource_set(parse_resources(&loaded)));
        from_file.map(Manifests::File).map_err(|file| {
            let message = format!(
                "unable to load resource entry {:?}: when parsing as inline received error: {}\nwhen parsing as filepath \
                 received error: {}",
                without_password(entry),
                inline.message,
                file.message
            );
            located(Box::new(Diagnostic { message, ..*file }), span)
        })
    }

    fn load(&self, path: &str, span: Option<Span>) -> Result<Loaded> {
        self.loader.load(path, span).map_err(|error| within(error, "invalid file reference"))
    }

    /// The folder or repository `path`, if it may be localized.
    pub(super) fn enter(&self, path: &str, span: Option<Span>) -> Result<Loader<'a>> {
        let fail = |message: String| located(refused(message), span);
        let url = RepositoryUrl::parse(path);
        if url.as_ref().is_some_and(|url| url.reference.is_none()) {
            return Err(located(without_reference(path), span));
        }
        let is_local = url.is_none() && self.is_local();
        let Job { bounds, destination, .. } = &*self.job;
        // To Kustomize it is there already.
        if is_local && self.loader.join(path) == *destination {
            return Err(fail(format!("root {destination:?} references into localize destination {destination:?}")));
        }
        let outer: &'a Loader<'a> = self.loader;
        let loader = outer.enter(path, span).map_err(|error| within(error, "invalid root reference"))?;
        if is_local && !loader.root().starts_with(bounds) {
            let root = loader.root();
            return Err(fail(format!("root {root:?} outside localize scope {bounds:?}"))
                .hint("`--scope` names a folder that everything is in"));
        }
        Ok(loader)
    }

    fn is_local(&self) -> bool {
        self.loader.repository().is_none()
    }

    /// Puts a file that `path` names into the copy and says where it is.
    pub(super) fn keep(&mut self, path: &str, contents: Arc<[u8]>, span: Option<Span>) -> Result<String> {
        let place = if is_http(path) {
            self.refuse_taken("file", path, span)?;
            file_place(path)
        } else {
            self.loader.place(path)
        };
        let shown = without_password(path);
        let place = place.ok_or_else(|| located(refused(format!("there is no place for {shown:?}")), span))?;
        let kept = self.job.tree.put(&self.folder.join(&place), contents);
        kept.map_err(|error| located(within(error, format!("unable to localize file {shown:?}")), span))?;
        Ok(place.into_string())
    }

    /// What comes from elsewhere must not be mixed with what is there.
    fn refuse_taken(&self, what: &str, path: &str, span: Option<Span>) -> Result<()> {
        if self.loader.kind(REMOTE_FOLDER).is_none() {
            return Ok(());
        }
        let (root, path) = (self.loader.root(), without_password(path));
        Err(located(refused(format!("{root} already contains {REMOTE_FOLDER} needed to store {what} {path:?}")), span))
    }
}

/// Resources of an entry.
pub(super) enum Manifests {
    /// They stand in it.
    Inline(ResourceSet),
    /// They stand in the file that it names.
    File(ResourceSet),
}

/// Resources of which no two have the same id.
fn resource_set(resources: Result<Vec<Resource>>) -> Result<ResourceSet> {
    let mut set = ResourceSet::new();
    set.append_all(resources?)?;
    Ok(set)
}
