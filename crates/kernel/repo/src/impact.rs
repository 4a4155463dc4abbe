//! Which fields of which clusters a line feeds: [`Repository::impact`].
//!
//! It is [`why`](Repository::why) asked backwards, of all fields at once. Releases that may read the line are rendered with
//! what decided on their text; then the folders are built, and each field's history is searched for the line.

mod reach;
mod target;

pub use reach::Reach;
pub use target::Target;

use crate::render::{scalar_extent, touches};
use crate::why::{collect_leaves, display, shown};
use crate::{BuildOptions, RenderedRelease, Repository};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::Origins;
use onepane_diagnostics::{Origin, Result, Span, Step};
use onepane_helmfile::{Release, ValuesSource};
use reach::Search;
use std::collections::HashMap;
use std::ops::Range;

/// What a line does to what a folder builds to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// The fields, in the order of the build.
    pub fields: Vec<ReachedField>,
    /// Resources of which the line decides what parts there are, with the template that asks.
    pub parts: Vec<ReachedParts>,
    /// What can't be known, and why.
    pub unknown: Vec<String>,
}

/// A field that a line reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachedField {
    /// `Kind/name`, or `Kind/namespace/name`.
    pub resource: String,
    /// The field's path, in the form that `onepane why` takes.
    pub field: String,
    /// Its value; `<redacted>` in a Secret.
    pub value: String,
    /// How the line reaches it.
    pub reach: Reach,
}

/// A resource of which a line decides what parts there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachedParts {
    /// `Kind/name`, or `Kind/namespace/name`.
    pub resource: String,
    /// Who asks: the template whose conditions read the line, or the overlays.
    pub asked_by: String,
}

/// What a line does to the rendered files of a release.
#[derive(Clone, Debug, Default)]
pub struct ReachedRelease {
    /// The release's name.
    pub name: String,
    /// The files by path.
    files: HashMap<Utf8PathBuf, ReachedFile>,
    /// Templates whose conditions read the line, and that print nothing now.
    pub silent: Vec<String>,
    /// Why nothing can be said of it, where that is so.
    unknown: Option<String>,
}

#[derive(Clone, Debug)]
struct ReachedFile {
    /// Stretches of the file, in order.
    pieces: Vec<(Range<usize>, Reach)>,
    /// What was rendered: on disk may be something else.
    contents: String,
    /// The template whose conditions read the line.
    template: Option<String>,
}

impl ReachedRelease {
    /// Whether the line does nothing to it.
    pub fn is_empty(&self) -> bool {
        self.silent.is_empty() && self.files.values().all(|file| file.pieces.is_empty() && file.template.is_none())
    }
}

impl ReachedFile {
    fn decide(&mut self) {
        self.pieces = vec![(0..self.contents.len(), Reach::Decides)];
    }

    fn reach(&self, span: Span) -> Reach {
        let extent = scalar_extent(&self.contents, span);
        let from = self.pieces.partition_point(|(range, _)| range.end < extent.start);
        let near = self.pieces[from..].iter().take_while(|(range, _)| range.start <= extent.end);
        near.filter(|(range, _)| touches(range, &extent)).map(|(_, reach)| *reach).max().unwrap_or_default()
    }
}

impl Repository<'_> {
    /// Whether what `release` renders to may depend on the file `path`: it is of its chart, one of its values files, or says
    /// what releases there are.
    pub fn may_read(&self, release: &Release, path: &Utf8Path) -> bool {
        let is_values = |source: &ValuesSource| matches!(source, ValuesSource::File { path: file, .. } if file == path);
        let below_a_chart = || path.ancestors().skip(1).any(|folder| self.is_file(&folder.join("Chart.yaml")));
        path.starts_with(&release.chart)
            || release.values.iter().any(is_values)
            || (path.starts_with(&self.layout.helm_charts)
                && !path.starts_with(self.layout.rendered())
                && !below_a_chart())
    }

    fn is_file(&self, path: &Utf8Path) -> bool {
        self.world.kind(path) == Some(onepane_world::EntryKind::File)
    }

    /// What `target` does to the rendered files of `release`.
    pub fn reached(&self, release: &Release, target: &Target) -> ReachedRelease {
        let name = release.name.clone();
        let mut reached = match self.render_tracked(release, Origins::Complete) {
            Ok(rendered) => reached_in(rendered, target),
            Err(error) => ReachedRelease { name, unknown: Some(error.message.clone()), ..ReachedRelease::default() },
        };
        // What the state says of a release beside its values is for all of it: its name, chart and version.
        let line = release.span.line;
        let entry = Target::new(self.world, release.span.file.path(), Some(line..=line));
        let is_for_all = || entry.is_ok_and(|entry| target.is_within(&entry)) || self.says_what_a_chart_is(target);
        if reached.is_empty() && is_for_all() {
            reached.files.values_mut().for_each(ReachedFile::decide);
        }
        reached
    }

    /// Whether lines of a Chart.yaml and its like say what the chart consists of, as its dependencies, and not what it is
    /// about. What templates print of them is known.
    fn says_what_a_chart_is(&self, target: &Target) -> bool {
        /// Keys that nobody but people reads.
        const ABOUT: [&str; 10] = [
            "annotations",
            "appVersion",
            "deprecated",
            "description",
            "home",
            "icon",
            "keywords",
            "maintainers",
            "sources",
            "version",
        ];
        let path = target.path();
        match path.file_name() {
            Some(".helmignore" | "requirements.yaml") => true,
            Some("Chart.yaml") => {
                let bytes = self.world.read(&path).unwrap_or_else(|_| [].into());
                let text = String::from_utf8_lossy(&bytes);
                let first = target.lines().map_or(1, |lines| *lines.start()) as usize;
                let is_key = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
                let above = text.lines().take(first).filter(is_key).last();
                above.is_none_or(|line| !ABOUT.contains(&line.split(':').next().unwrap_or_default().trim()))
            }
            _ => false,
        }
    }

    /// What `target` does to what `unit` builds to, where `releases` are those that may read it.
    pub fn impact(&self, unit: &Utf8Path, target: &Target, releases: &[ReachedRelease]) -> Result<Impact> {
        let built = self.build(unit, &BuildOptions { origins: true, ..BuildOptions::default() })?;
        let by_name: HashMap<&str, &ReachedRelease> =
            releases.iter().map(|release| (release.name.as_str(), release)).collect();
        let mut impact = Impact::default();
        let mut stale = HashMap::new();
        let behind = |span: Span| -> Option<(&ReachedRelease, Option<&ReachedFile>)> {
            let below = span.file.path().strip_prefix(self.layout.rendered()).ok()?;
            let release = *by_name.get(below.components().next()?.as_str())?;
            Some((release, release.files.get(span.file.path())))
        };
        let reach = |span: Span| match behind(span) {
            Some((_, Some(file))) => file.reach(span),
            _ => Reach::No,
        };
        let mut search = Search::new(target, &reach);
        for resource in built.resources.iter() {
            let mut leaves = Vec::new();
            collect_leaves("", resource.node(), &mut leaves);
            let shows = resource.kind() != "Secret";
            let mut found = Vec::with_capacity(leaves.len());
            let mut file = None;
            for (field, leaf) in leaves {
                let origin = leaf.origin();
                if file.is_none() {
                    file = origin.chain().filter_map(|record| record.span).find(|span| behind(*span).is_some());
                }
                let reach = if is_merge_key(&field) { search.reach_key(&origin) } else { search.reach(&origin) };
                found.push((reach, OverlaySteps::of(&origin), field, leaf));
            }
            let identity =
                |of: fn(&str) -> bool| found.iter().any(|(reach, _, field, _)| *reach > Reach::No && of(field));
            let (kind, name) = (identity(is_kind), identity(is_name));
            for (reach, steps, field, leaf) in found {
                let was_chosen = kind && steps.any || name && steps.choosing;
                let reach = if was_chosen { reach.max(Reach::Decides) } else { reach };
                if reach > Reach::No {
                    let value = if shows { shown(leaf) } else { "<redacted>".to_owned() };
                    impact.fields.push(ReachedField { resource: display(resource), field, value, reach });
                }
            }
            if kind {
                let asked_by = "overlays look at what kind it is".to_owned();
                impact.parts.push(ReachedParts { resource: display(resource), asked_by });
            }
            let Some((span, (release, file))) = file.and_then(|span| Some((span, behind(span)?))) else { continue };
            let on_disk = stale.entry(span.file).or_insert_with(|| {
                let bytes = self.world.read(span.file.path()).ok();
                file.zip(bytes).is_some_and(|(file, bytes)| *bytes == *file.contents.as_bytes())
            });
            match (&release.unknown, *on_disk) {
                (Some(cause), _) => {
                    impact.add_unknown(format!("the release {} can't be rendered: {cause}", release.name))
                }
                (None, false) => impact.add_unknown(format!(
                    "{} is not what its release renders to now: run `onepane render`",
                    span.file.path()
                )),
                (None, true) => {
                    if let Some(template) = file.and_then(|file| file.template.clone()) {
                        impact.parts.push(ReachedParts {
                            resource: display(resource),
                            asked_by: format!("{template} asks for it"),
                        });
                    }
                }
            }
        }
        Ok(impact)
    }
}

impl Impact {
    /// Whether the line does nothing to what is built.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.parts.is_empty()
    }

    /// The same, if it is not known that the line feeds what it was found to feed.
    pub fn at_most_decided(mut self) -> Self {
        self.fields.iter_mut().for_each(|field| field.reach = Reach::Decides);
        self
    }

    fn add_unknown(&mut self, what: String) {
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }
}

fn reached_in(rendered: RenderedRelease, target: &Target) -> ReachedRelease {
    let nowhere = |_| Reach::No;
    let mut search = Search::new(target, &nowhere);
    let decides = |(_, decision): &&(String, Origin)| search.reach(decision) > Reach::No;
    let deciding: Vec<String> = rendered.decisions.iter().filter(decides).map(|(path, _)| path.clone()).collect();
    let silent = |path: &&String| !rendered.files.iter().any(|file| file.template() == Some(path.as_str()));
    let silent = deciding.iter().filter(silent).cloned().collect();
    let files = rendered.files.iter().map(|file| {
        let template = file.template().filter(|template| deciding.iter().any(|path| path == template));
        let pieces = file.pieces().map(|(range, origin)| (range, search.reach(origin)));
        let reached = ReachedFile {
            pieces: pieces.filter(|(_, reach)| *reach > Reach::No).collect(),
            contents: file.contents.clone(),
            template: template.map(str::to_owned),
        };
        (file.path.clone(), reached)
    });
    ReachedRelease { name: rendered.name.clone(), files: files.collect(), silent, unknown: None }
}

/// What overlays have done to a field.
struct OverlaySteps {
    /// Anything at all; much of it is done to some kinds and not to others.
    any: bool,
    /// Something that looks for the resources that it is for.
    choosing: bool,
}

impl OverlaySteps {
    fn of(origin: &Origin) -> Self {
        let chooses = |step| {
            matches!(
                step,
                Step::Patch
                    | Step::Replicas
                    | Step::Replacement
                    | Step::NameReference
                    | Step::Function
                    | Step::Transformer
            )
        };
        let newest = origin.record().map(|record| record.step);
        Self {
            any: newest.is_some_and(|step| !matches!(step, Step::Source | Step::Template)),
            choosing: origin.chain().any(|record| chooses(record.step)),
        }
    }
}

/// Fields by which patches find the item of a list that they are for.
fn is_merge_key(field: &str) -> bool {
    const KEYS: [&str; 7] = ["name", "containerPort", "port", "mountPath", "devicePath", "ip", "topologyKey"];
    field.rsplit_once("].").is_some_and(|(_, key)| KEYS.contains(&key))
}

fn is_kind(field: &str) -> bool {
    matches!(field, "apiVersion" | "kind")
}

/// Fields by which a resource is found.
fn is_name(field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
        || field.starts_with("metadata.labels")
        || field.starts_with("metadata.annotations")
}
