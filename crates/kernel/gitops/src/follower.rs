//! From a folder to everything that is delivered from it: [`follow`].

use crate::additions::{Additions, Without, build};
use crate::object::{Name, group, items, name, place, shown, text};
use crate::release::{ChartRelease, Values};
use crate::sources::{ChartSources, Source, Sources};
use crate::{argo, flux};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result, Severity, Span};
use onepane_kustomize::{Built, Cache, Charts, LoadRestrictor, Options, Remotes, Tools};
use onepane_resource::{Resource, ResourceSet};
use onepane_sops::{Secret, redacted};
use onepane_world::{EntryKind, World, normalize};
use std::collections::{HashMap, HashSet, VecDeque};

/// Objects that deliver something are followed up to this many: they may make one another.
const MOST: usize = 5_000;

/// What is followed, and with what.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The repository's files.
    pub world: &'a dyn World,
    /// The addresses that the repository has elsewhere.
    pub addresses: &'a [String],
    /// Renders charts.
    pub charts: &'a dyn Charts,
    /// Has charts that are not in the repository; without it they are out of reach.
    pub sources: Option<&'a dyn ChartSources>,
    /// Keeps bases.
    pub cache: Option<&'a Cache>,
    /// Fetches what kustomizations name by URL.
    pub remotes: Option<&'a dyn Remotes>,
    /// How kustomizations are built.
    pub options: &'a Options,
    /// Whether objects of Flux are followed.
    pub flux: bool,
    /// Whether those of Argo CD are.
    pub argocd: bool,
}

/// What is delivered.
#[derive(Debug, Default)]
pub struct Followed {
    /// The folder's own resources, then those that they deliver.
    pub built: Built,
    /// What delivered what.
    pub deliveries: Vec<Delivery>,
}

/// An object that delivers something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `Kustomization flux-system/apps`
    pub by: String,
    /// The folder that holds what it delivers.
    pub folder: Option<Utf8PathBuf>,
    /// The chart from elsewhere that it renders.
    pub chart: Option<String>,
    /// Where the object stands.
    pub span: Option<Span>,
}

/// Builds the folder `entry` as Flux would, one without a kustomization too, and follows what is in it.
///
/// # Errors
/// Where the folder itself can't be built. What else fails is a warning, and the rest goes on.
pub fn follow(input: Input<'_>, entry: &Utf8Path) -> Result<Followed> {
    let mut follower = Follower {
        input,
        resources: ResourceSet::new(),
        sources: Sources::default(),
        scopes: HashMap::new(),
        pending: VecDeque::new(),
        done: HashSet::new(),
        warnings: Vec::new(),
        deliveries: Vec::new(),
        secrets: Vec::new(),
    };
    let first = match input.world.kind(&entry.join("Chart.yaml")) {
        // The root of Argo CD's apps of apps is often a chart.
        Some(EntryKind::File) => follower.chart(entry)?,
        _ => follower.build(entry, &Additions::default(), Without::IsMade)?,
    };
    // What applies the folder itself says which source is this repository, and how the folder is to be built.
    let own = first.resources.iter().find(|resource| flux::is_kustomization(resource) && flux::path(resource) == entry);
    let own = own.cloned();
    follower.warnings.extend(first.warnings);
    let built = match &own {
        Some(own) => {
            let source = flux::source_of(own);
            follower.sources.is_own(&source.0, source.1);
            follower.done.insert(key(own));
            first.resources.iter().for_each(|resource| follower.sources.note(resource, input.addresses));
            // Variables may come from its own resources.
            follower.add(first.resources.clone().into_resources(), None);
            let built = flux::kustomization(&mut follower, own);
            follower.resources = ResourceSet::new();
            follower.pending.clear();
            match built {
                Ok(resources) => resources,
                Err(error) => {
                    follower.fails(own, error);
                    first.resources.into_resources()
                }
            }
        }
        None => first.resources.into_resources(),
    };
    follower.add(built, None);
    follower.run();
    let Follower { resources, mut warnings, deliveries, secrets, .. } = follower;
    if !secrets.is_empty() {
        warnings.iter_mut().for_each(|warning| without_secrets(warning, &secrets));
    }
    Ok(Followed { built: Built { resources, warnings }, deliveries })
}

pub(crate) struct Follower<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) resources: ResourceSet,
    pub(crate) sources: Sources,
    /// What CRDs say of kinds: whether they are namespaced.
    pub(crate) scopes: HashMap<(String, String), bool>,
    pending: VecDeque<Resource>,
    done: HashSet<(String, Name)>,
    warnings: Vec<Diagnostic>,
    pub(crate) deliveries: Vec<Delivery>,
    /// What Secrets gave to charts, whose templates may quote it where they fail.
    pub(crate) secrets: Vec<Secret>,
}

/// Takes secrets out of all texts of a finding.
fn without_secrets(finding: &mut Diagnostic, secrets: &[Secret]) {
    let labels = finding.primary.iter_mut().chain(&mut finding.labels).map(|label| &mut label.message);
    let frames = finding.trace.iter_mut().map(|frame| &mut frame.message);
    let texts = labels.chain(frames).chain(&mut finding.hints).chain([&mut finding.message]);
    texts.for_each(|text| *text = redacted(text, secrets));
}

/// What tells an object that delivers from others.
fn key(resource: &Resource) -> (String, Name) {
    (format!("{}/{}", group(resource), resource.kind()), name(resource))
}

impl Follower<'_> {
    /// Builds a folder as Flux and Argo CD do: files above it may be named, none outside the repository.
    pub(crate) fn build(&self, folder: &Utf8Path, additions: &Additions, without: Without) -> Result<Built> {
        let options = Options { load_restrictor: LoadRestrictor::None, ..self.input.options.clone() };
        let Input { world, cache, remotes, charts, .. } = self.input;
        let tools = Tools { cache, charts: Some(charts), remotes, functions: None };
        build(world, folder, additions, without, &options, tools)
    }

    /// Renders the chart in the folder that is followed, with its own values.
    fn chart(&self, entry: &Utf8Path) -> Result<Built> {
        let release = ChartRelease {
            world: self.input.world,
            chart: entry.to_owned(),
            name: entry.file_name().unwrap_or("root").to_owned(),
            namespace: String::new(),
            values: Values::default(),
            include_crds: true,
            skip_hooks: false,
            kube_version: String::new(),
            api_versions: Vec::new(),
        };
        let mut resources = ResourceSet::new();
        resources.append_all(release.render(self.input.charts, self.input.options.origins)?)?;
        Ok(Built { resources, warnings: Vec::new() })
    }

    /// Takes resources in, and those of them that deliver others on the list.
    fn add(&mut self, resources: Vec<Resource>, by: Option<&Resource>) {
        for resource in resources {
            self.sources.note(&resource, self.input.addresses);
            self.note_scope(&resource);
            let present = self.resources.positions_by_current_id(resource.id()).first();
            if let Some(present) = present.and_then(|position| self.resources.get(*position)) {
                if present.node() != resource.node() {
                    let by = by.map_or_else(|| "the folder".to_owned(), shown);
                    let message = format!("{} is delivered again by {by}, and differs", shown(&resource));
                    let mut warning = *Diagnostic::warning("gitops-twice", message)
                        .hint("the first is kept here; in a cluster they undo one another");
                    warning.severity = Severity::Note;
                    self.warnings.push(warning);
                }
                continue;
            }
            let Input { flux, argocd, .. } = self.input;
            if flux && flux::delivers(&resource) || argocd && argo::delivers(&resource) {
                self.pending.push_back(resource.clone());
            }
            // None of its id is there.
            _ = self.resources.append(resource);
        }
    }

    fn note_scope(&mut self, resource: &Resource) {
        if resource.kind() == "CustomResourceDefinition" {
            let spec = |keys: &[&str]| text(resource.node(), keys).to_owned();
            let is_namespaced = spec(&["spec", "scope"]) == "Namespaced";
            self.scopes.insert((spec(&["spec", "group"]), spec(&["spec", "names", "kind"])), is_namespaced);
        }
    }

    fn run(&mut self) {
        let mut count = 0;
        while let Some(object) = self.next() {
            if !self.done.insert(key(&object)) {
                continue;
            }
            count += 1;
            if count > MOST {
                let message = format!("more than {MOST} objects deliver one another: the rest is not followed");
                self.warnings.push(*Diagnostic::warning("gitops-bound", message));
                return;
            }
            let delivered = match (group(&object), object.kind()) {
                (flux::KUSTOMIZE_GROUP, _) => flux::kustomization(self, &object),
                (flux::HELM_GROUP, _) => flux::helm_release(self, &object),
                (_, "ApplicationSet") => argo::application_set(self, &object),
                _ => argo::application(self, &object),
            };
            match delivered {
                Ok(resources) => self.add(resources, Some(&object)),
                Err(error) => self.fails(&object, error),
            }
        }
    }

    /// The object whose turn it is: Kustomizations whose variables and predecessors are there, then others, then releases,
    /// whose values may come from any of these.
    fn next(&mut self) -> Option<Resource> {
        let is = |wanted: &dyn Fn(&Resource) -> bool| self.pending.iter().position(wanted);
        let position = is(&|object| flux::is_kustomization(object) && self.is_ready(object))
            .or_else(|| is(&flux::is_kustomization))
            .unwrap_or(0);
        self.pending.remove(position)
    }

    fn is_ready(&self, object: &Resource) -> bool {
        let node = object.node();
        let before = items(node, &["spec", "dependsOn"]).iter().all(|other| {
            let namespace = match text(other, &["namespace"]) {
                "" => object.namespace(),
                namespace => namespace,
            };
            let (kind, _) = key(object);
            self.done.contains(&(kind, (namespace.to_owned(), text(other, &["name"]).to_owned())))
        });
        let variables = items(node, &["spec", "postBuild", "substituteFrom"]);
        before
            && variables
                .iter()
                .all(|from| self.find(text(from, &["kind"]), object.namespace(), text(from, &["name"])).is_some())
    }

    /// The resource of the core group with this kind, namespace and name.
    pub(crate) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Resource> {
        self.resources
            .positions_by_any_name(name)
            .iter()
            .filter_map(|at| self.resources.get(*at))
            .find(|resource| resource.kind() == kind && resource.name() == name && resource.namespace() == namespace)
    }

    /// Where a source of Flux leads. One that is not in the repository is that which the cluster was set up with, if what
    /// is wanted of it is here.
    pub(crate) fn source(&self, kind: &str, namespace: &str, name: &str, path: &str) -> Source {
        match self.sources.find(kind, namespace, name) {
            Source::Elsewhere(why) if kind == "GitRepository" && why.ends_with("not among what was built") => {
                let here = normalize(Utf8Path::new(path.trim_start_matches('/')));
                if self.input.world.kind(&here).is_some() { Source::Own } else { Source::Elsewhere(why) }
            }
            found => found,
        }
    }

    /// One object that can't be followed is told of, at its place.
    fn fails(&mut self, object: &Resource, error: Box<Diagnostic>) {
        let error = error.trace(format!("so that {} delivers nothing here", shown(object)), place(object));
        let mut warning = *match (error.primary.is_none(), place(object)) {
            (true, Some(span)) => error.at(span),
            _ => error,
        };
        warning.severity = Severity::Warning;
        self.warnings.push(warning);
    }

    /// Something to know of an object, which delivers all the same.
    pub(crate) fn warn(&mut self, object: &Resource, code: &'static str, message: String) {
        let warning = Diagnostic::warning(code, format!("{}: {message}", shown(object)));
        self.warnings.push(*match place(object) {
            Some(span) => warning.at(span),
            None => warning,
        });
    }

    /// What an object had built, with what is to be said of it.
    pub(crate) fn take(&mut self, built: Built) -> Vec<Resource> {
        self.warnings.extend(built.warnings);
        built.resources.into_resources()
    }
}
