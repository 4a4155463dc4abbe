//! Versions that values, patches and objects of Flux and Argo CD say, changed in the lines that do: [`InLines`].
//!
//! A manifest that nobody else reads is changed in its own line. What a chart was rendered with may be in a values file, in a
//! kustomization, in an object of Flux or Argo CD, or in the state file of Helmfile and what that reads; a patch in a file or in
//! the text of a kustomization. The history of an image leads to the line; where it does not, as through a template of a state
//! or an object's own `images`, the files that were read are searched for lines that say the version, and each is tried, and all
//! of them together. Nothing is believed before it was built: the images have to come out as wanted, all others as they were.

use super::readers::Readers;
use super::{Said, Version};
use crate::why::Sources;
use crate::{BuildOptions, Repository};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Origins, parse_values};
use onepane_diagnostics::{FileId, Origin, Span, Step};
use onepane_images::{ScalarChange, Seen, set_scalars, visit_scalars};
use onepane_resource::ImageName;
use onepane_value::format;
use onepane_world::{Edited, EntryKind, ReadLog};
use onepane_yaml::{Content, Dialect, Node, Scalar, Style, read, resolve};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// New texts of files.
pub(super) type Edits = BTreeMap<Utf8PathBuf, String>;

/// Deeper chains are cut; no honest repository comes near.
const DEEPEST: usize = 32;
/// No image is put together of more values.
const MOST_LINES: usize = 100;
/// More lines that may be the one are tried together only: each try is a build.
const MOST_TRIES: usize = 8;
/// No values file that people keep is larger.
const LARGEST: usize = 4 << 20;

/// An image that is to have another version, and where it is said.
pub(super) struct Todo<'s> {
    pub(super) image: &'s str,
    pub(super) said: Vec<&'s Said>,
    pub(super) after: &'s Version,
    /// Whether an entry of `images` says it that stands in no kustomization, but in the object that delivers one.
    pub(super) is_of_object: bool,
}

/// What became of an image.
pub(super) enum Outcome {
    /// This file says it now.
    Changed(Utf8PathBuf),
    /// No line could be changed, for this reason.
    Left(String),
    /// No values and no patch say it.
    Elsewhere,
}

/// Changes versions where lines say them that are no entries of a kustomization.
pub(super) struct InLines<'r, 'w> {
    repository: &'r Repository<'w>,
    unit: &'r Utf8Path,
    readers: &'r Readers<'r, 'w>,
    /// What the environment says before anything is changed.
    before: &'r BTreeMap<String, Vec<Said>>,
    sources: Sources<'r, 'w>,
    /// What is changed so far.
    edits: Edits,
    /// The images that this is for.
    settled: BTreeMap<String, Version>,
}

/// The lines behind an image.
#[derive(Default)]
struct Lines {
    spans: Vec<Span>,
    /// Whether they are values, a patch, or a manifest of the environment's own.
    are_found: bool,
    /// Whether a line of a manifest counts: one that says no version leaves that to kustomizations.
    takes_manifests: bool,
    /// The releases of the state file that it comes of.
    releases: BTreeSet<String>,
    why: Option<String>,
}

/// An image with what has to be changed for it.
struct Ready<'s> {
    image: &'s str,
    after: &'s Version,
    changes: Vec<(Utf8PathBuf, ScalarChange)>,
}

impl<'r, 'w> InLines<'r, 'w> {
    pub(super) fn new(
        repository: &'r Repository<'w>,
        unit: &'r Utf8Path,
        readers: &'r Readers<'r, 'w>,
        before: &'r BTreeMap<String, Vec<Said>>,
    ) -> Self {
        let sources = Sources::new(repository);
        Self { repository, unit, readers, before, sources, edits: Edits::new(), settled: BTreeMap::new() }
    }

    /// What has to be written, with what became of each image.
    pub(super) fn settle(mut self, all: &[Todo<'r>]) -> (Edits, HashMap<String, Outcome>) {
        let mut outcomes = HashMap::new();
        let mut ready = Vec::new();
        let mut unclear: Vec<(&Todo<'r>, Lines, String)> = Vec::new();
        for todo in all {
            let mut lines = Lines::default();
            for said in &todo.said {
                lines.takes_manifests = said.version != Version::default();
                self.collect(&said.origin, 0, &mut lines);
            }
            if todo.is_of_object {
                unclear.push((todo, lines, "no line of the object that delivers it says the version".to_owned()));
                continue;
            }
            if !lines.are_found {
                outcomes.insert(todo.image.to_owned(), Outcome::Elsewhere);
                continue;
            }
            match self.changes(todo, &lines) {
                Ok(changes) => ready.push((todo, lines, Ready { image: todo.image, after: todo.after, changes })),
                Err(why) => unclear.push((todo, lines, why)),
            }
        }
        let mut failed = Vec::new();
        self.settle_ready(ready, &mut outcomes, &mut failed);
        for (todo, lines, why) in unclear.into_iter().chain(failed) {
            let outcome = match self.try_others(todo, &lines) {
                Some(file) => Outcome::Changed(file),
                None => Outcome::Left(lines.why.unwrap_or(why)),
            };
            outcomes.insert(todo.image.to_owned(), outcome);
        }
        (self.edits, outcomes)
    }

    /// All at once where that does it, since each attempt is a build; else in halves, down to those that can't be.
    fn settle_ready<'t>(
        &mut self,
        mut some: Vec<(&'t Todo<'r>, Lines, Ready<'r>)>,
        outcomes: &mut HashMap<String, Outcome>,
        failed: &mut Vec<(&'t Todo<'r>, Lines, String)>,
    ) {
        let attempt: Vec<&Ready<'r>> = some.iter().map(|(_, _, ready)| ready).collect();
        if attempt.is_empty() {
            return;
        }
        match self.attempt(&attempt) {
            Ok(edits) => {
                self.edits = edits;
                for (_, _, Ready { image, after, changes }) in some {
                    self.settled.insert(image.to_owned(), after.clone());
                    let file = changes.into_iter().next().map(|(file, _)| file).unwrap_or_default();
                    outcomes.insert(image.to_owned(), Outcome::Changed(file));
                }
            }
            Err(why) if some.len() == 1 => failed.extend(some.pop().map(|(todo, lines, _)| (todo, lines, why))),
            Err(_) => {
                let rest = some.split_off(some.len() / 2);
                self.settle_ready(some, outcomes, failed);
                self.settle_ready(rest, outcomes, failed);
            }
        }
    }

    /// The lines of values that the last word on an image is made of.
    fn collect(&mut self, origin: &Origin, depth: usize, lines: &mut Lines) {
        if depth > DEEPEST || lines.spans.len() >= MOST_LINES {
            return;
        }
        for record in origin.chain() {
            match record.step {
                Step::NameReference | Step::NameAffix if record.previous.is_known() => continue,
                Step::Template | Step::Replacement | Step::SharedKey => {
                    lines.are_found |= record.step == Step::Template;
                    record.inputs.iter().for_each(|input| self.collect(input, depth + 1, lines));
                }
                Step::Source => {
                    if let Some(span) = record.span {
                        self.behind(span, depth, lines);
                    }
                }
                Step::ValuesFile | Step::Patch => {
                    lines.are_found = true;
                    lines.spans.extend(record.span.filter(|span| !lines.spans.contains(span)));
                }
                Step::SetFlag | Step::ChartDefaults | Step::ChartMetadata | Step::Absent => lines.are_found = true,
                _ => {}
            }
            return;
        }
    }

    /// What a release rendered to is made of its values; other manifests are what somebody has written.
    fn behind(&mut self, span: Span, depth: usize, lines: &mut Lines) {
        let path = span.file.path();
        let Some(release) = self.sources.release_of(path) else {
            let is_own = matches!(path.extension(), Some("yaml" | "yml")) && self.readers.are_within(path);
            if is_own && lines.takes_manifests && !lines.spans.contains(&span) {
                lines.are_found = true;
                lines.spans.push(span);
            }
            return;
        };
        lines.are_found = true;
        lines.releases.insert(release);
        let origin = match self.sources.rendered(span.file.path()) {
            Ok(rendered) => rendered.map(|file| file.origin_of(span)),
            Err(error) => {
                lines.why = Some(error.message.clone());
                return;
            }
        };
        match origin {
            Some(origin) => self.collect(&origin, depth + 1, lines),
            None => lines.why = Some(format!("{} is not what its release renders to now", span.file.path())),
        }
    }

    /// What has to be changed in these lines.
    fn changes(&self, todo: &Todo<'_>, lines: &Lines) -> Result<Vec<(Utf8PathBuf, ScalarChange)>, String> {
        let mut values = Vec::new();
        let mut alias = None;
        for span in &lines.spans {
            let path = span.file.path();
            let Ok(text) = self.text(path) else { continue };
            let Ok(documents) = read(&text, FileId::new(path)) else { continue };
            let mut here = Vec::new();
            let mut on_line = Vec::new();
            visit_scalars(&text, &documents, &mut |seen| {
                let Some((line, column)) = seen.place().filter(|(line, _)| *line == span.line) else { return };
                if matches!(seen.node.content, Content::Alias(_)) {
                    alias = Some(format!("{path}:{line} says it by an alias"));
                }
                let value = Value::of(path, seen);
                // Histories have the columns that are a text's own.
                if column == span.column || seen.node.span.is_some_and(|own| own.column == span.column) {
                    here.push(value);
                } else {
                    on_line.push(value);
                }
            });
            values.extend(if here.is_empty() { on_line } else { here }.into_iter().flatten());
        }
        let mut changes = Vec::new();
        for said in &todo.said {
            changes.extend(wanted_of(&values, said, todo.after).map_err(|why| alias.clone().unwrap_or(why))?);
        }
        changes.sort();
        changes.dedup();
        for (path, change) in &changes {
            self.check_line(path, change.line)?;
        }
        Ok(changes)
    }

    /// Whether a line of a file is somebody's to change.
    fn check_line(&self, path: &Utf8Path, line: u32) -> Result<(), String> {
        if self.is_of_a_chart(path) {
            return Err(format!("{path} is of a chart"));
        }
        let text = self.text(path)?;
        if onepane_sops::is_encrypted(text.as_bytes(), onepane_sops::Format::Yaml, FileId::new(path)) {
            return Err(format!("{path} is encrypted"));
        }
        match text.lines().nth(line as usize - 1) {
            Some(text) if text.contains("{{") => Err(format!("{path}:{line} is a template")),
            _ => Ok(()),
        }
    }

    /// Whether it is what a chart is delivered with: its defaults, its templates, charts within it. Other files in its
    /// folder may be an environment's.
    fn is_of_a_chart(&self, path: &Utf8Path) -> bool {
        let is_chart =
            |folder: &Utf8Path| self.repository.world.kind(&folder.join("Chart.yaml")) == Some(EntryKind::File);
        let mut folders = path.ancestors().skip(1);
        let is_defaults = matches!(path.file_name(), Some("values.yaml" | "values.yml" | "Chart.yaml"))
            && folders.next().is_some_and(is_chart);
        let is_within = |(below, folder): (&Utf8Path, &Utf8Path)| {
            matches!(below.file_name(), Some("templates" | "charts" | "crds")) && is_chart(folder)
        };
        is_defaults || path.ancestors().skip(1).zip(path.ancestors().skip(2)).any(is_within)
    }

    /// A file as it is by now.
    fn text(&self, path: &Utf8Path) -> Result<String, String> {
        if let Some(text) = self.edits.get(path) {
            return Ok(text.clone());
        }
        let bytes = self.repository.world.read(path).map_err(|error| error.to_string())?;
        if bytes.len() > LARGEST {
            return Err(format!("{path} is too large"));
        }
        std::str::from_utf8(&bytes).map(str::to_owned).map_err(|_| format!("{path} is not UTF-8"))
    }

    /// All edits, with those for some images: where they lead just there and nowhere else.
    fn attempt(&self, some: &[&Ready<'_>]) -> Result<Edits, String> {
        let mut by_file: BTreeMap<&Utf8Path, Vec<ScalarChange>> = BTreeMap::new();
        for (path, change) in some.iter().flat_map(|ready| &ready.changes) {
            by_file.entry(path).or_default().push(change.clone());
        }
        let mut edits = self.edits.clone();
        for (path, changes) in &by_file {
            let text = set_scalars(&self.text(path)?, FileId::new(path), changes).map_err(|error| error.message)?;
            edits.insert((*path).to_owned(), text);
        }
        let edited: Vec<&Utf8Path> = by_file.into_keys().collect();
        let rendered = self.rendered_again(&edits, &edited)?;
        let paths = edited.into_iter().chain(rendered.keys().map(Utf8PathBuf::as_path));
        if let Some(shared) = paths.into_iter().find(|path| !self.readers.are_within(path)) {
            return Err(format!("{shared} is not for {} alone", self.unit));
        }
        edits.extend(rendered);
        self.check(&edits, some)?;
        Ok(edits)
    }

    /// The files of the releases that render to something else with these edits.
    fn rendered_again(&self, edits: &Edits, edited: &[&Utf8Path]) -> Result<Edits, String> {
        let mut rendered = Edits::new();
        if self.repository.world.kind(&self.repository.layout.rendered()).is_none() {
            return Ok(rendered);
        }
        let world = Edited::new(self.repository.world, edits.clone());
        let over = self.repository.over(&world);
        // What was changed before is no more what it was, so that it is the state with all of that which counts.
        let earlier = Edited::new(self.repository.world, self.edits.clone());
        let before = self.repository.over(&earlier);
        let told = |error: Box<onepane_diagnostics::Diagnostic>| error.message.clone();
        let (was, is) = (before.state("default").map_err(told)?, over.state("default").map_err(told)?);
        for release in is.releases.iter().filter(|release| release.installed) {
            if !edited.iter().any(|path| over.may_read(release, path)) {
                continue;
            }
            let name = &release.name;
            let old = was.releases.iter().find(|old| old.name == *name);
            let old = old.ok_or_else(|| format!("the release {name} would be another one"))?;
            let old = before.render_tracked(old, Origins::Untracked).map_err(told)?;
            let new = over.render_tracked(release, Origins::Untracked).map_err(told)?;
            let has_same_paths = old.files.iter().map(|file| &file.path).eq(new.files.iter().map(|file| &file.path));
            let differing: Vec<_> =
                old.files.iter().zip(&new.files).filter(|(old, new)| old.contents != new.contents).collect();
            if has_same_paths && differing.is_empty() {
                continue;
            }
            if new.has_secrets() {
                return Err(format!("the release {name} has secrets, so that `onepane render` has to write it"));
            }
            if !before.differences(&old).map_err(told)?.is_empty() {
                return Err(format!("what is on disk is not what the release {name} renders to now"));
            }
            if !has_same_paths {
                return Err(format!("the release {name} would consist of other resources"));
            }
            rendered.extend(differing.into_iter().map(|(_, new)| (new.path.clone(), new.contents.clone())));
        }
        Ok(rendered)
    }

    /// Builds what comes of it: the images have to be as wanted, and all others as they were.
    fn check(&self, edits: &Edits, some: &[&Ready<'_>]) -> Result<(), String> {
        let world = Edited::new(self.repository.world, edits.clone());
        let said = self.repository.over(&world).said(self.unit, false).map_err(|error| error.message)?;
        let is_there = |name: &String| said.contains_key(name) && self.before.contains_key(name);
        if let Some(other) = said.keys().chain(self.before.keys()).find(|name| !is_there(name)) {
            return Err(format!("the image {other} would come or go"));
        }
        for (name, said) in &said {
            let attempted = some.iter().find(|ready| ready.image == name).map(|ready| ready.after);
            let is_right = match attempted.or_else(|| self.settled.get(name)) {
                Some(after) => said.iter().all(|said| said.version == *after),
                None => {
                    let sorted = |said: &[Said]| {
                        let mut versions: Vec<Version> = said.iter().map(|said| said.version.clone()).collect();
                        versions.sort();
                        versions
                    };
                    sorted(said) == self.before.get(name).map(|said| sorted(said)).unwrap_or_default()
                }
            };
            if !is_right {
                return Err(match attempted {
                    Some(_) => "the lines that say it do not say all of it".to_owned(),
                    None => format!("the image {name} would change as well"),
                });
            }
        }
        Ok(())
    }

    /// Tries other lines that say the version, one by one: the first that leads there has it.
    fn try_others(&mut self, todo: &Todo<'_>, lines: &Lines) -> Option<Utf8PathBuf> {
        let mut tries = Vec::new();
        for path in self.read_for(lines) {
            if !matches!(path.extension(), Some("yaml" | "yml" | "gotmpl"))
                || path.starts_with(self.repository.layout.rendered())
            {
                continue;
            }
            let Ok(text) = self.text(&path) else { continue };
            let has = |part: &String| !part.is_empty() && text.contains(part.as_str());
            if !todo.said.iter().any(|said| has(&said.version.tag) || has(&said.version.digest)) {
                continue;
            }
            let documents = read(&text, FileId::new(&path)).unwrap_or_default();
            visit_scalars(&text, &documents, &mut |seen| {
                if todo.is_of_object && seen.list != Some("images") {
                    return;
                }
                let Some(value) = Value::of(&path, seen) else { return };
                let wanted = |said: &&Said| wanted_of(std::slice::from_ref(&value), said, todo.after).ok();
                tries.extend(todo.said.iter().find_map(wanted).filter(|changes| !changes.is_empty()));
            });
        }
        tries.retain(|changes| changes.iter().all(|(path, change)| self.check_line(path, change.line).is_ok()));
        // An image may be run several times, as by an element of a generator each: one line does not do then, all may.
        let mut all: Vec<_> = tries.iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        let is_several = tries.len() > 1;
        if tries.len() > MOST_TRIES {
            tries.clear();
        }
        tries.extend(is_several.then_some(all));
        for changes in tries {
            let file = changes.first().map(|(path, _)| path.clone())?;
            let ready = Ready { image: todo.image, after: todo.after, changes };
            if let Ok(edits) = self.attempt(&[&ready]) {
                self.edits = edits;
                self.settled.insert(todo.image.to_owned(), todo.after.clone());
                return Some(file);
            }
        }
        None
    }

    /// The files that were read for the environment, and for the releases that an image comes of.
    fn read_for(&self, lines: &Lines) -> BTreeSet<Utf8PathBuf> {
        let log = ReadLog::new(self.repository.world);
        let over = self.repository.over(&log);
        // What can't be read is told elsewhere.
        let _ = over.build(self.unit, &BuildOptions::default());
        if !lines.releases.is_empty()
            && let Ok(state) = over.state("default")
        {
            for release in state.releases.iter().filter(|release| lines.releases.contains(&release.name)) {
                let _ = over.render_tracked(release, Origins::Untracked);
            }
        }
        log.read_files()
    }
}

/// A value of a file, as templates print it.
struct Value {
    path: Utf8PathBuf,
    place: (u32, u32),
    /// `NAME=` in an Application's `images`.
    prefix: String,
    shown: String,
    /// Where an empty `digest` stands beside it.
    digest_beside: Option<(u32, u32)>,
}

impl Value {
    fn of(path: &Utf8Path, seen: &Seen<'_>) -> Option<Self> {
        let digest = seen.around.and_then(|around| around.get("digest"));
        let is_empty = |digest: &&Node| digest.as_str() == Some("") && digest.style != Style::Plain;
        let digest_beside = digest.filter(is_empty).and_then(|digest| seen.place_of(digest));
        let shown = shown(seen.node)?;
        let is_renamed = seen.list == Some("images") && seen.around.is_none();
        let (prefix, shown) = match shown.split_once('=').filter(|_| is_renamed) {
            Some((name, shown)) => (format!("{name}="), shown.to_owned()),
            None => (String::new(), shown),
        };
        Some(Self { path: path.to_owned(), place: seen.place()?, prefix, shown, digest_beside })
    }

    fn change_to(&self, text: String) -> (Utf8PathBuf, ScalarChange) {
        let ((line, column), text) = (self.place, self.prefix.clone() + &text);
        (self.path.clone(), ScalarChange { line, column, text })
    }
}

/// How templates print a scalar: a number in Go's way.
fn shown(node: &Node) -> Option<String> {
    let text = node.as_str()?;
    if node.style == Style::Plain && !matches!(resolve(node, Dialect::V2), Ok(Scalar::String(_))) {
        let values = parse_values(format!("v: {text}\n").as_bytes(), None).ok()?;
        return Some(format::sprint(&[values.get("v")?]).to_str().into_owned());
    }
    Some(text.to_owned())
}

/// What these values have to say so that the image has another version.
fn wanted_of(values: &[Value], said: &Said, after: &Version) -> Result<Vec<(Utf8PathBuf, ScalarChange)>, String> {
    let before = &said.version;
    let name = ImageName::parse(&said.text).name;
    let tagged =
        |version: &Version| if version.tag.is_empty() { name.to_owned() } else { format!("{name}:{}", version.tag) };
    let whole = |start: String, version: &Version| match version.digest.as_str() {
        "" => start,
        digest => format!("{start}@{digest}"),
    };
    let (mut has_tag, mut has_digest) = (before.tag == after.tag, before.digest == after.digest);
    let mut changes = Vec::new();
    for value in values {
        let shown = value.shown.as_str();
        if shown == said.text {
            (has_tag, has_digest) = (true, true);
            changes.push(value.change_to(whole(tagged(after), after)));
        } else if before.tag.is_empty() || before.digest.is_empty() {
            // Nothing else is put together.
        } else if shown == whole(before.tag.clone(), before) {
            (has_tag, has_digest) = (true, true);
            changes.push(value.change_to(whole(after.tag.clone(), after)));
        } else if shown == tagged(before) {
            has_tag = true;
            changes.push(value.change_to(tagged(after)));
        }
        if !before.tag.is_empty() && shown == before.tag {
            has_tag = true;
            changes.push(value.change_to(after.tag.clone()));
            if let Some(digest) = value.digest_beside.filter(|_| before.digest.is_empty() && !after.digest.is_empty()) {
                has_digest = true;
                let (line, column) = digest;
                changes.push((value.path.clone(), ScalarChange { line, column, text: after.digest.clone() }));
            }
        }
        if !before.digest.is_empty() && shown == before.digest {
            has_digest = true;
            changes.push(value.change_to(after.digest.clone()));
        }
    }
    if !has_tag {
        // `v{{ .Values.version }}`
        let part = |value: &Value| {
            let (start, end) = before.tag.split_once(value.shown.as_str()).filter(|_| !value.shown.is_empty())?;
            let text = after.tag.strip_prefix(start)?.strip_suffix(end).filter(|text| !text.is_empty())?;
            Some(value.change_to(text.to_owned()))
        };
        let parts: Vec<_> = values.iter().filter_map(part).collect();
        has_tag = !parts.is_empty();
        changes.extend(parts);
    }
    match (has_tag, has_digest) {
        (true, true) => Ok(changes),
        (false, _) => Err("no line says the version alone".to_owned()),
        (true, false) => Err("no line says the digest".to_owned()),
    }
}
