//! Versions of images carried from one environment to another, by edits of the lines that say them:
//! [`Repository::running`], [`Repository::promote`].
//!
//! A version is changed where it is said, in an entry of `images`, in the values of a chart or in a patch, if only the
//! environment that is to change reads that file; otherwise the environment's own kustomization gets an entry in `images`.
//! Whichever it is, what comes of it is built before anybody writes it, and has to be just what was wanted.

mod lines;
mod readers;

use crate::{BuildOptions, Places, Repository};
use camino::{Utf8Path, Utf8PathBuf};
use lines::{InLines, Outcome, Todo};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_kustomize::{ImageChange, KUSTOMIZATION_FILES, KustomizationDraft};
use onepane_resource::{ImageName, image_nodes};
use onepane_world::{Edited, EntryKind};
use readers::Readers;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which one of the images of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Its tag; empty for none.
    pub tag: String,
    /// Its digest, as `sha256:…`; empty for none.
    pub digest: String,
}

impl Version {
    /// That of an image's name.
    pub fn of(image: &ImageName<'_>) -> Self {
        Self { tag: image.tag.to_owned(), digest: image.digest.to_owned() }
    }
}

impl fmt::Display for Version {
    /// `1.4.2`, `1.4.2@sha256:…`, or `no tag`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tag.as_str(), self.digest.as_str()) {
            ("", "") => f.write_str("no tag"),
            (tag, "") => f.write_str(tag),
            (tag, digest) => write!(f, "{tag}@{digest}"),
        }
    }
}

/// An image whose version changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The image's name, without its version.
    pub image: String,
    /// The version that the environment has.
    pub before: Version,
    /// The one that it gets.
    pub after: Version,
    /// The file that says it.
    pub file: Utf8PathBuf,
    /// Why the lines that said it before, of values or of a patch, are not changed, where there are some.
    pub left: Option<String>,
}

/// What has to be edited, and what that does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promotion {
    /// The images, by name.
    pub carried: Vec<Carried>,
    /// The new texts of files.
    pub edits: BTreeMap<Utf8PathBuf, String>,
    /// What the environment runs before, by name.
    pub runs: BTreeMap<String, BTreeSet<Version>>,
}

/// The images that an environment runs, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Those that were asked for.
    pub wanted: BTreeMap<String, Version>,
    /// The others, if they are run in one version each.
    pub others: BTreeMap<String, Version>,
}

/// Where a version is said.
struct Said {
    version: Version,
    origin: Origin,
    text: String,
}

impl Repository<'_> {
    /// The images that `unit` runs.
    ///
    /// # Errors
    /// `promote-two-versions` where it runs two versions of one of `wanted`; all count where there are none.
    pub fn running(&self, unit: &Utf8Path, wanted: &dyn Fn(&str) -> bool) -> Result<Running> {
        let mut running = Running::default();
        for (name, said) in self.said(unit, false)? {
            let versions: BTreeSet<&Version> = said.iter().map(|said| &said.version).collect();
            let is_wanted = wanted(&name);
            if !is_wanted && versions.len() > 1 {
                continue;
            }
            if let [one, other, ..] = versions.iter().collect::<Vec<_>>()[..] {
                let message = format!("{unit} runs `{name}` as {one} and as {other}");
                return Err(
                    Diagnostic::error("promote-two-versions", message).hint("name the services that are to be carried")
                );
            }
            let running = if is_wanted { &mut running.wanted } else { &mut running.others };
            running.extend(versions.first().map(|version| (name.clone(), (*version).clone())));
        }
        Ok(running)
    }

    fn said(&self, unit: &Utf8Path, origins: bool) -> Result<BTreeMap<String, Vec<Said>>> {
        let built = self.build(unit, &BuildOptions { origins, ..BuildOptions::default() })?;
        let mut said: BTreeMap<String, Vec<Said>> = BTreeMap::new();
        for node in built.resources.iter().flat_map(|resource| image_nodes(resource.node())) {
            let text = node.as_str().unwrap_or_default();
            let image = ImageName::parse(text);
            let one = Said { version: Version::of(&image), origin: node.origin(), text: text.to_owned() };
            said.entry(image.name.to_owned()).or_default().push(one);
        }
        Ok(said)
    }

    /// What has to be edited so that `unit` runs the images as `wanted` has them, those that it runs at all; nothing where it
    /// does already. Other clusters stay as they are, but where `unit` is no cluster: what is made of it changes with it.
    ///
    /// # Errors
    /// `promote-not-taken` where no edit leads there.
    pub fn promote(&self, unit: &Utf8Path, wanted: &BTreeMap<String, Version>) -> Result<Promotion> {
        let said = self.said(unit, true)?;
        let versions = |said: &Vec<Said>| said.iter().map(|said| said.version.clone()).collect();
        let runs = said.iter().map(|(name, said)| (name.clone(), versions(said))).collect();
        let mut promotion = Promotion { runs, ..Promotion::default() };
        let mut places = Places::new(self);
        let readers = Readers::new(self, unit);
        let mut todos = Vec::new();
        for (image, after) in wanted {
            let all = said.get(image).into_iter().flatten();
            let differing: Vec<&Said> = all.filter(|said| said.version != *after).collect();
            if !differing.is_empty() {
                let is_of_object = self.is_of_object(&mut places, image, &differing);
                todos.push(Todo { image, said: differing, after, is_of_object });
            }
        }
        let is_overridden =
            |todo: &Todo<'_>| !todo.is_of_object && todo.said.iter().any(|said| is_override(&said.origin));
        let (overridden, others): (Vec<Todo<'_>>, Vec<Todo<'_>>) = todos.into_iter().partition(is_overridden);
        let (edits, mut outcomes) = match others.is_empty() {
            true => Default::default(),
            false => InLines::new(self, unit, &readers, &said).settle(&others),
        };
        promotion.edits = edits;
        for Todo { image, said, after, .. } in overridden.into_iter().chain(others) {
            let (file, left) = match outcomes.remove(image) {
                Some(Outcome::Changed(file)) => (file, None),
                outcome => {
                    let is_fit =
                        |file: &Utf8PathBuf| readers.are_within(file) && self.world.kind(file) == Some(EntryKind::File);
                    let file = match self.override_of(&mut places, &said).filter(is_fit) {
                        Some(file) => file,
                        None => self.kustomization_of(unit)?,
                    };
                    self.set_image(&mut promotion.edits, &file, image, after)?;
                    let why = |outcome| if let Outcome::Left(why) = outcome { Some(why) } else { None };
                    (file, outcome.and_then(why))
                }
            };
            let before = said.first().map(|said| said.version.clone()).unwrap_or_default();
            promotion.carried.push(Carried { image: image.to_owned(), before, after: after.clone(), file, left });
        }
        promotion.carried.sort_by(|one, other| one.image.cmp(&other.image));
        self.verify(unit, &promotion)?;
        Ok(promotion)
    }

    /// Whether an entry of `images` said it that is in no file where its history has it: an object of Flux or Argo CD adds
    /// such entries to the kustomization that it delivers.
    fn is_of_object(&self, places: &mut Places<'_, '_>, image: &str, said: &[&Said]) -> bool {
        said.iter().filter(|said| is_override(&said.origin)).any(|said| {
            let Some(span) = places.of(&said.origin, &said.text).map(|place| place.span) else { return false };
            let Ok(bytes) = self.world.read(span.file.path()) else { return true };
            let nodes = onepane_yaml::read(&String::from_utf8_lossy(&bytes), span.file).unwrap_or_default();
            let entries = nodes.first().and_then(|root| root.get("images")?.items()).unwrap_or_default();
            let says = |entry: &onepane_yaml::Node| {
                let says = |key: &str, text: &str| text_of(entry, key).is_empty() || text_of(entry, key) == text;
                gives(entry, image) && says("newTag", &said.version.tag) && says("digest", &said.version.digest)
            };
            !entries.iter().any(says)
        })
    }

    /// The file with the one entry of `images` that says it for all.
    fn override_of(&self, places: &mut Places<'_, '_>, said: &[&Said]) -> Option<Utf8PathBuf> {
        let mut place = |said: &&Said| {
            places.of(&said.origin, &said.text).map(|place| place.span).filter(|_| is_override(&said.origin))
        };
        let spans: BTreeSet<Option<Span>> = said.iter().map(&mut place).collect();
        match spans.into_iter().collect::<Vec<_>>()[..] {
            [Some(span)] => Some(span.file.path().to_owned()),
            _ => None,
        }
    }

    /// Sets the entry for an image in a kustomization: that which gives it its name, or one of its own.
    fn set_image(
        &self,
        edits: &mut BTreeMap<Utf8PathBuf, String>,
        file: &Utf8Path,
        image: &str,
        version: &Version,
    ) -> Result<()> {
        let text = match edits.get(file) {
            Some(text) => text.clone(),
            None => {
                let bytes =
                    self.world.read(file).map_err(|error| Diagnostic::error("promote-read", error.to_string()))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        let nodes = onepane_yaml::read(&text, FileId::new(file))?;
        let entries = nodes.first().and_then(|root| root.get("images")?.items()).unwrap_or_default();
        let entry = entries.iter().rfind(|entry| gives(entry, image));
        let change = ImageChange {
            name: entry.map_or_else(|| image.to_owned(), |entry| text_of(entry, "name")),
            new_name: if entry.is_some() { "*".to_owned() } else { String::new() },
            new_tag: version.tag.clone(),
            digest: version.digest.clone(),
        };
        let mut draft = KustomizationDraft::open_as_it_is(&text, FileId::new(file))?;
        draft.set_image(&change)?;
        edits.insert(file.to_owned(), draft.text().to_owned());
        Ok(())
    }

    /// Whether a folder is a cluster, or one of the folders that belong to one.
    fn is_cluster(&self, unit: &Utf8Path) -> bool {
        unit.starts_with(&self.layout.clusters)
    }

    /// The kustomization of a folder.
    fn kustomization_of(&self, unit: &Utf8Path) -> Result<Utf8PathBuf> {
        let files = KUSTOMIZATION_FILES.iter().map(|name| unit.join(name));
        let mut there = files.filter(|file| self.world.kind(file) == Some(EntryKind::File));
        there.next().ok_or_else(|| {
            Diagnostic::error("promote-not-taken", format!("`{unit}` has no kustomization that could say a version"))
        })
    }

    /// Builds what comes of it.
    fn verify(&self, unit: &Utf8Path, promotion: &Promotion) -> Result<()> {
        let edited = Edited::new(self.world, promotion.edits.clone());
        let said = self.over(&edited).said(unit, false)?;
        for Carried { image, after, file, left, .. } in &promotion.carried {
            let other = said.get(image).into_iter().flatten().find(|said| said.version != *after);
            if let Some(other) = other {
                let why = left
                    .as_ref()
                    .map(|why| format!("; the lines that say it were left alone, since {why}"))
                    .unwrap_or_default();
                let message = format!("`{image}` is {} in {unit} whatever {file} says{why}", other.version);
                return Err(Diagnostic::error("promote-not-taken", message)
                    .hint("something above has the last word: `onepane why` tells which line"));
            }
        }
        Ok(())
    }
}

/// What an entry of `images` says under a key.
fn text_of(entry: &onepane_yaml::Node, key: &str) -> String {
    entry.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

/// Whether an entry of `images` gives an image its name, or keeps it.
fn gives(entry: &onepane_yaml::Node, image: &str) -> bool {
    match text_of(entry, "newName").as_str() {
        "" => text_of(entry, "name") == image,
        new_name => new_name == image,
    }
}

/// Whether an entry of `images` was the last to say it.
fn is_override(origin: &Origin) -> bool {
    origin.record().is_some_and(|record| record.step == Step::Image)
}
