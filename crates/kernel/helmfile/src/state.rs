//! State files as a whole: [`State`], and what they say with those that they name: [`visit`].

use crate::environment::{Around, Environment};
use crate::fields::{items, mapping, place, plain_text, text, unrendered_release, unrendered_state};
use crate::files::Missing;
use crate::layers::{Reader, UNDEFINED};
use crate::merge;
use crate::needs::{Needed, Unplanned, plan};
use crate::outside::Outside;
use crate::release::{Release, Surroundings};
use crate::remote::{self, RemoteSource};
use crate::secrets::Noting;
use crate::selector::Selector;
use crate::spec::{Templates, default_inherit};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Map, Value};
use onepane_world::{EntryKind, World};
use std::collections::{HashMap, HashSet};

/// What a state file says for one environment.
#[derive(Clone, Debug)]
pub struct State {
    /// The file.
    pub path: Utf8PathBuf,
    /// The environment that it is read for.
    pub environment: Environment,
    /// The values of the state and of the environment.
    pub values: Map,
    /// The releases in the order of the file, those that are not installed too.
    pub releases: Vec<Release>,
    /// All that it says, parts and bases merged.
    pub(crate) fields: Map,
    /// What templates of its releases see.
    pub(crate) data: Map,
    /// What chooses its releases; none chooses all.
    pub(crate) selectors: Vec<Selector>,
    /// Whether it was read with others of its folder: Helmfile names paths from the root then.
    pub is_one_of_many: bool,
    /// The entries of `helmfiles` that it was named by, from the outside in: their indices and places.
    named_by: Vec<(usize, Span)>,
}

/// What states are read for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The environment's name.
    pub environment: String,
    /// Files and mappings of values, over those of the environment: `--state-values-file`.
    pub values: Vec<Value>,
    /// Single values, over all: `--state-values-set`.
    pub set: Map,
    /// Which releases are chosen: those that any of these matches.
    pub selectors: Vec<Selector>,
    /// The namespace of all releases, if one is said: `--namespace`.
    pub namespace: String,
    /// The cluster of all releases, if one is said: `--kube-context`.
    pub kube_context: String,
    /// The chart of all releases, if one is said: `--chart`.
    pub chart: String,
}

/// State files may name one another this deep.
const DEEPEST: usize = 100;

const FILE: &str = "helmfile.yaml";
const TEMPLATE: &str = "helmfile.yaml.gotmpl";
const FOLDER: &str = "helmfile.d";

/// Reads the state at `path`, a file or the folder that holds it, for `environment`, as far as `onepane render` goes.
/// What stands in the way of rendering a release is an error. Values that are secret know it by their origins.
///
/// # Errors
/// For what can't be read, and what is not rendered.
pub fn load(world: &dyn World, outside: &dyn Outside, path: &Utf8Path, environment: &str) -> Result<State> {
    let request = Request { environment: environment.to_owned(), ..Request::default() };
    let outside = &Noting::new(outside);
    let visitor = Visitor { world, outside, request: &request };
    let mut visited = Visited::default();
    visitor.visit(&find(world, path)?, &Handed::default(), &mut Vec::new(), &mut visited)?;
    let mut whole: Option<State> = None;
    for mut state in visited.states {
        let id = FileId::new(&state.path);
        if let Some(obstacle) = unrendered_state(&state.fields, id).into_iter().next() {
            return Err(in_entries(obstacle, &state.named_by));
        }
        // A state that named this one may have chosen among its releases.
        let chosen: HashSet<String> = state.chosen(false).into_iter().map(Release::id).collect();
        let all = std::mem::take(&mut state.releases);
        for mut release in
            all.into_iter().filter(|release| state.selectors.is_empty() || chosen.contains(&release.id()))
        {
            if release.installed {
                let placed = |obstacle| in_entries(obstacle, &state.named_by);
                if let Some(obstacle) = unrendered_release(&release.spec, id).into_iter().next() {
                    return Err(placed(obstacle));
                }
                release.prepare(&state, world, outside).map_err(placed)?;
            }
            state.releases.push(release);
        }
        // The state that names the others comes last, and is what the whole is called by.
        if let Some(before) = whole {
            state.releases.splice(0..0, before.releases);
        }
        whole = Some(state);
    }
    let Some(state) = whole else {
        let none = || Diagnostic::error("helmfile-read", format!("`{path}` holds no state file"));
        return Err(visited.passed_over.into_iter().next().unwrap_or_else(none));
    };
    state.check_duplicates(&state.releases.iter().collect::<Vec<_>>())?;
    Ok(state)
}

/// The states that were read.
#[derive(Debug, Default)]
pub struct Visited {
    /// In Helmfile's order.
    pub states: Vec<State>,
    /// Why others were passed over: they don't know the environment.
    pub passed_over: Vec<Box<Diagnostic>>,
}

/// Reads the states at `path`, or where Helmfile looks for one, and those that they name: these come first.
///
/// # Errors
/// For the first that can't be read.
pub fn visit(world: &dyn World, outside: &dyn Outside, request: &Request, path: Option<&Utf8Path>) -> Result<Visited> {
    let visitor = Visitor { world, outside, request };
    let fetched = match path.and_then(|path| RemoteSource::parse(path.as_str())) {
        Some(source) => Some(remote::fetch(outside, &source, "states", Span::file(Utf8Path::new(&source.shown())))?),
        None => None,
    };
    let files = match fetched.as_deref().or(path) {
        Some(path) if world.kind(path) == Some(EntryKind::Folder) => states_in(world, path)?,
        Some(path) => find(world, path)?,
        None => find(world, Utf8Path::new(""))?,
    };
    let mut visited = Visited::default();
    let handed = Handed { selectors: request.selectors.clone(), ..Handed::default() };
    visitor.visit(&files, &handed, &mut Vec::new(), &mut visited)?;
    Ok(visited)
}

/// The state files at a path: itself, or the one that Helmfile looks for in a folder, or all of `helmfile.d`.
fn find(world: &dyn World, path: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let is_file = |path: &Utf8PathBuf| world.kind(path) == Some(EntryKind::File);
    match world.kind(path) {
        Some(EntryKind::File) => return Ok(vec![path.to_owned()]),
        Some(EntryKind::Folder) => {}
        _ => return Err(Diagnostic::error("helmfile-read", format!("specified state file {path} is not found"))),
    }
    let folder = path.join(FOLDER);
    let has_folder = world.kind(&folder) == Some(EntryKind::Folder);
    let files: Vec<Utf8PathBuf> = [FILE, TEMPLATE].iter().map(|name| path.join(name)).filter(is_file).collect();
    match (files.len(), has_folder) {
        (1, false) => return Ok(files),
        (2, _) => {
            let message = format!("both {FILE} and {TEMPLATE} exist in `{path}`");
            return Err(Diagnostic::error("helmfile-read", message).hint("remove one of them"));
        }
        (1, true) => {
            let message = format!("`{path}` holds a state file and a folder {FOLDER}");
            return Err(
                Diagnostic::error("helmfile-read", message).hint("Helmfile reads the one or the other: remove one")
            );
        }
        _ => {}
    }
    let is_folder_of_states = has_folder || path.file_name() == Some(FOLDER);
    let states =
        if is_folder_of_states { states_in(world, if has_folder { &folder } else { path })? } else { Vec::new() };
    if states.is_empty() {
        let message = format!("`{path}` holds no {FILE}, no {TEMPLATE} and no {FOLDER}");
        return Err(Diagnostic::error("helmfile-read", message));
    }
    Ok(states)
}

/// The state files of a folder, by name.
fn states_in(world: &dyn World, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let entries = world.list(folder).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
    let is_state = |name: &str| {
        let name = name.strip_suffix(".gotmpl").unwrap_or(name);
        name.ends_with(".yaml") || name.ends_with(".yml")
    };
    let states = entries.iter().filter(|entry| entry.kind == EntryKind::File && is_state(&entry.name));
    Ok(states.map(|entry| folder.join(&entry.name)).collect())
}

/// What a state hands down to one that it names.
#[derive(Clone, Default)]
struct Handed {
    selectors: Vec<Selector>,
    /// Values for it, with the folder that their files are relative to.
    values: Option<(Vec<Value>, Utf8PathBuf, FileId)>,
    /// The environment, if it is inherited.
    environment: Option<Environment>,
    /// Other fields that are inherited.
    fields: Map,
    /// Whether a state named it.
    is_named: bool,
    named_by: Vec<(usize, Span)>,
}

/// An error of a state, with the entries that it was named by, at the innermost where it knows no place.
fn in_entries(error: Box<Diagnostic>, named_by: &[(usize, Span)]) -> Box<Diagnostic> {
    let error = match named_by.last() {
        Some((_, span)) if error.primary.is_none() => error.at(*span),
        _ => error,
    };
    let entries = named_by.iter().rev();
    entries.fold(error, |error, (index, span)| error.trace(format!("in `helmfiles[{index}]`"), Some(*span)))
}

struct Visitor<'a> {
    world: &'a dyn World,
    outside: &'a dyn Outside,
    request: &'a Request,
}

impl Visitor<'_> {
    fn visit(
        &self,
        files: &[Utf8PathBuf],
        handed: &Handed,
        path: &mut Vec<Utf8PathBuf>,
        visited: &mut Visited,
    ) -> Result<()> {
        for file in files {
            if path.contains(file) || path.len() > DEEPEST {
                return Err(Diagnostic::error("helmfile-cycle", format!("`{file}` leads back to itself")));
            }
            let state = match self.read(file, handed) {
                Ok(state) => State { is_one_of_many: files.len() > 1, ..state },
                Err(error) if error.code == UNDEFINED => {
                    visited.passed_over.push(in_entries(error, &handed.named_by));
                    continue;
                }
                Err(error) => return Err(error),
            };
            path.push(file.clone());
            self.visit_named(&state, file, path, visited)?;
            path.pop();
            visited.states.push(state);
        }
        Ok(())
    }

    /// The states that `helmfiles` names.
    fn visit_named(
        &self,
        state: &State,
        file: &Utf8Path,
        path: &mut Vec<Utf8PathBuf>,
        visited: &mut Visited,
    ) -> Result<()> {
        let id = FileId::new(file);
        let folder = file.parent().unwrap_or(Utf8Path::new(""));
        let explicit = self.world.env("HELMFILE_EXPERIMENTAL").is_some_and(|value| {
            value == "true" || value.split(',').any(|feature| feature == "explicit-selector-inheritance")
        });
        for (index, entry) in items(&state.fields, "helmfiles", id)?.iter().enumerate() {
            let Some(entry_fields) = entry.as_map() else { continue };
            let span = place(entry, id);
            let named = text(entry_fields, "path").unwrap_or_default();
            let said = entry_fields.get("selectors").filter(|value| !value.is_nil());
            let own: Vec<String> = items(entry_fields, "selectors", id)?.iter().map(plain_text).collect();
            let inherits_selectors = entry_fields.get("selectorsInherited").is_some_and(|value| value.truth());
            let parsed: std::result::Result<Vec<Selector>, String> = own.iter().map(|text| text.parse()).collect();
            let own = parsed.map_err(|error| Diagnostic::error("helmfile-selector", error).at(span))?;
            if !own.is_empty() && !inherits_selectors && !Selector::may_meet(&self.request.selectors, &own) {
                continue;
            }
            let selectors =
                if said.is_none() && !explicit || inherits_selectors { state.selectors.clone() } else { own };
            let named_by = [&*state.named_by, &[(index, span)]].concat();
            let mut handed = Handed { selectors, is_named: true, named_by, ..Handed::default() };
            let values = items(entry_fields, "values", id)?;
            if !values.is_empty() {
                handed.values = Some((values, folder.to_owned(), id));
            }
            for inherited in items(entry_fields, "inherits", id)?.iter().map(plain_text) {
                match inherited.as_str() {
                    "environments" => handed.environment = Some(state.environment.clone()),
                    name => {
                        if let Some(value) = state.fields.get(name) {
                            handed.fields.insert(name, value);
                        }
                    }
                }
            }
            let placed = |error| in_entries(error, &[(index, span)]);
            let files = self.named(&named, folder, &state.fields, id, span).map_err(placed)?;
            self.visit(&files, &handed, path, visited).map_err(placed)?;
        }
        Ok(())
    }

    /// The files that a path or pattern of `helmfiles` names.
    fn named(
        &self,
        pattern: &str,
        folder: &Utf8Path,
        fields: &Map,
        id: FileId,
        span: Span,
    ) -> Result<Vec<Utf8PathBuf>> {
        let missing = Missing::parse(text(fields, "missingFileHandler").as_deref(), fields, id)?;
        let found = match RemoteSource::parse(pattern) {
            // What is not there is an error when it is read.
            Some(source) => vec![remote::fetch(self.outside, &source, "states", span)?],
            None => crate::files::find(self.world, self.outside, folder, pattern, Missing::PassedOver, span)?,
        };
        if found.is_empty() && missing == Missing::Error {
            let error = Diagnostic::error("helmfile-read", format!("no matches for path: {pattern}"));
            return Err(error.at(span));
        }
        let mut files = Vec::new();
        for path in found {
            match self.world.kind(&path) {
                Some(EntryKind::Folder) => files.extend(states_in(self.world, &path)?),
                _ => files.push(path),
            }
        }
        Ok(files)
    }

    fn read(&self, path: &Utf8Path, handed: &Handed) -> Result<State> {
        let Self { world, outside, request } = *self;
        let file = FileId::new(path);
        let folder = path.parent().unwrap_or(Utf8Path::new(""));
        let over = self.over(folder, file, handed)?;
        let reader = Reader {
            world,
            outside,
            folder,
            environment: &request.environment,
            inherited: handed.environment.as_ref(),
            over: over.as_ref(),
            namespace: &request.namespace,
        };
        let layer = reader.read(path)?;
        let (mut fields, environment) = (layer.fields, layer.environment);
        if !handed.fields.is_empty() {
            fields = merge::inherited(&handed.fields, &fields);
        }
        for (key, given, flag) in [
            ("kubeContext", &request.kube_context, "--kube-context"),
            ("namespace", &request.namespace, "--namespace"),
            ("chart", &request.chart, "--chart"),
        ] {
            if given.is_empty() {
                continue;
            }
            if let Some(value) = fields.get(key).filter(Value::truth) {
                let message = format!("err: Cannot use option {flag} and set attribute {key}.");
                return Err(Diagnostic::error("helmfile-field", message).at(place(&value, file)));
            }
            fields = fields.shallow_copy();
            fields.insert(key, given.as_str().into());
        }
        if !request.kube_context.is_empty() {
            let defaults = mapping(&fields, "helmDefaults", file)?.shallow_copy();
            defaults.insert("kubeContext", request.kube_context.as_str().into());
            fields.insert("helmDefaults", defaults.into());
        }
        let values = environment.merged();
        let said = |key: &str| Value::from(text(&fields, key).unwrap_or_default());
        let data = environment.data("");
        data.insert("KubeContext", said("kubeContext"));
        data.insert("Namespace", said("namespace"));
        data.insert("Chart", said("chart"));
        let mut releases = Vec::new();
        let templates = mapping(&fields, "templates", file)?;
        let surroundings = Surroundings {
            templates: Templates {
                world,
                outside,
                folder,
                file,
                templates: &templates,
                inherited_by_all: default_inherit(&fields),
                data: &data,
            },
            fields: &fields,
            values: &values,
        };
        for item in items(&fields, "releases", file)? {
            releases.push(Release::read(&item, &surroundings)?);
        }
        let selectors = handed.selectors.clone();
        Ok(State {
            path: path.to_owned(),
            environment,
            values,
            releases,
            fields,
            data,
            selectors,
            is_one_of_many: false,
            named_by: handed.named_by.clone(),
        })
    }

    /// What is said over a state's own values.
    fn over(&self, folder: &Utf8Path, file: FileId, handed: &Handed) -> Result<Option<Environment>> {
        let Self { world, outside, request } = *self;
        let mut over = Environment::new(&request.environment);
        let blank = Environment::new(&request.environment);
        match &handed.values {
            Some((values, folder, file)) => {
                let around = Around { world, outside, folder, file: *file };
                over.values = blank.read(values, Missing::Error, false, &around)?;
            }
            // Values from outside are for the states that are read first; those hand on what they want to.
            None if !handed.is_named => {
                let around = Around { world, outside, folder, file };
                over.values = blank.read(&request.values, Missing::Error, false, &around)?;
                over.set = request.set.clone();
            }
            None => {}
        }
        Ok((!over.values.is_empty() || !over.set.is_empty()).then_some(over))
    }
}

/// Which releases a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What of their needs goes with them.
    pub needed: Needed,
    /// Whether a need that is not to be installed is an error.
    pub enforces_installed: bool,
}

impl State {
    /// The installed releases that a selector matches, in the order of the file.
    pub fn select<'s>(&'s self, selector: &'s Selector) -> impl Iterator<Item = &'s Release> {
        self.releases.iter().filter(|release| release.installed && selector.matches(release))
    }

    /// Whether something chooses among its releases.
    pub fn has_selectors(&self) -> bool {
        !self.selectors.is_empty()
    }

    /// The releases that are enabled and that any selector matches, and with `transitively` those that they need.
    pub fn chosen(&self, transitively: bool) -> Vec<&Release> {
        let matches = |release: &&Release| {
            let is_selected = self.selectors.is_empty() || self.selectors.iter().any(|one| one.matches(release));
            is_selected && release.enabled
        };
        let mut chosen: Vec<&Release> = self.releases.iter().filter(matches).collect();
        if transitively {
            let mut needed: HashSet<&str> = HashSet::new();
            let mut rest: Vec<&Release> = chosen.clone();
            while let Some(release) = rest.pop() {
                for need in release.needs.iter().filter(|need| !needed.contains(need.as_str())).collect::<Vec<_>>() {
                    needed.insert(need);
                    let name = need.rsplit('/').next().unwrap_or_default();
                    rest.extend(self.releases.iter().filter(|release| release.name == name));
                }
            }
            let is_needed = |release: &&Release| needed.contains(release.id().as_str());
            let ids: HashSet<String> =
                chosen.iter().copied().chain(self.releases.iter().filter(is_needed)).map(Release::id).collect();
            chosen = self.releases.iter().filter(|release| ids.contains(&release.id())).collect();
        }
        chosen
    }

    /// The releases that `list` and `build` are about: without selectors all of them.
    ///
    /// # Errors
    /// `helmfile-duplicate`
    pub fn listed(&self) -> Result<Vec<&Release>> {
        let listed = if self.selectors.is_empty() { self.releases.iter().collect() } else { self.chosen(false) };
        self.check_duplicates(&listed)?;
        Ok(listed)
    }

    /// The releases to render, each behind what it needs.
    ///
    /// # Errors
    /// `helmfile-needs`, `helmfile-duplicate`
    pub fn planned(&self, choice: Choice) -> Result<Vec<&Release>> {
        let chosen = self.chosen(false);
        let all = self.told_apart(&chosen)?;
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let planned = |of: &[&Release]| Ok::<_, Box<Diagnostic>>(self.grouped(&all, of, choice.needed)?.concat());
        let desired: Vec<&Release> = planned(&chosen)?.into_iter().filter(|release| release.desired).collect();
        if desired.is_empty() {
            return Ok(Vec::new());
        }
        let releases = planned(&desired)?;
        if choice.enforces_installed {
            self.check_installed(&releases, &all)?;
        }
        Ok(releases.into_iter().filter(|release| release.desired).collect())
    }

    /// The releases that a command which changes a cluster is about, each behind what it needs: those that are not desired
    /// too, since they have to go.
    ///
    /// # Errors
    /// `helmfile-needs`, `helmfile-duplicate`
    pub fn concerned(&self, choice: Choice) -> Result<Vec<&Release>> {
        let chosen = self.chosen(choice.needed == Needed::Included);
        let all = self.told_apart(&chosen)?;
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let releases = self.grouped(&all, &chosen, choice.needed)?.concat();
        if choice.enforces_installed {
            self.check_installed(&releases, &all)?;
        }
        Ok(releases)
    }

    /// These releases in waves: none needs another of its own wave, and what it needs is in earlier ones.
    ///
    /// # Errors
    /// `helmfile-needs`, `helmfile-duplicate`
    pub fn waves<'s>(&'s self, releases: &[&'s Release]) -> Result<Vec<Vec<&'s Release>>> {
        if releases.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.told_apart(releases)?;
        self.grouped(&all, releases, Needed::Skipped)
    }

    /// All releases that can be told apart: of several with one id, the chosen one counts.
    fn told_apart<'s>(&'s self, chosen: &[&'s Release]) -> Result<Vec<&'s Release>> {
        self.check_duplicates(chosen)?;
        let chosen: HashMap<String, &Release> = chosen.iter().map(|release| (release.id(), *release)).collect();
        let mut counts: HashMap<String, usize> = HashMap::new();
        self.releases.iter().for_each(|release| *counts.entry(release.id()).or_default() += 1);
        let counts_alone = |release: &&Release| {
            let id = release.id();
            counts.get(&id) == Some(&1) || chosen.get(&id).is_some_and(|one| std::ptr::eq(*one, *release))
        };
        Ok(self.releases.iter().filter(counts_alone).collect())
    }

    fn grouped<'s>(&self, all: &[&'s Release], wanted: &[&Release], needed: Needed) -> Result<Vec<Vec<&'s Release>>> {
        let ids: Vec<String> = all.iter().map(|release| release.id()).collect();
        let nodes: Vec<(&str, &[String])> =
            ids.iter().zip(all).map(|(id, release)| (id.as_str(), release.needs.as_slice())).collect();
        let wanted: Vec<String> = wanted.iter().map(|release| release.id()).collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let groups = plan(&nodes, &wanted, needed).map_err(|problem| self.unplanned(problem, all))?;
        Ok(groups.into_iter().map(|group| group.into_iter().map(|at| all[at]).collect()).collect())
    }

    /// The groups of `show-dag`.
    ///
    /// # Errors
    /// `helmfile-needs`, `helmfile-duplicate`
    pub fn groups(&self) -> Result<Vec<Vec<&Release>>> {
        let listed = self.listed()?;
        let ids: Vec<String> = listed.iter().map(|release| release.id()).collect();
        let nodes: Vec<(&str, &[String])> =
            ids.iter().zip(&listed).map(|(id, release)| (id.as_str(), release.needs.as_slice())).collect();
        let groups = plan(&nodes, &[], Needed::Included).map_err(|problem| self.unplanned(problem, &listed))?;
        Ok(groups.into_iter().map(|group| group.into_iter().map(|at| listed[at]).collect()).collect())
    }

    fn check_installed(&self, releases: &[&Release], all: &[&Release]) -> Result<()> {
        for release in releases.iter().filter(|release| release.desired) {
            let (mut seen, mut rest) = (HashSet::new(), release.needs.clone());
            while let Some(need) = rest.pop() {
                let Some(needed) = all.iter().find(|other| other.id() == need).filter(|_| seen.insert(need.clone()))
                else {
                    continue;
                };
                if !needed.desired {
                    let message = format!(
                        "Release {} has a transitive dependency {} marked as installed=false",
                        release.name, needed.name
                    );
                    let error = Diagnostic::error("helmfile-needs", message).at(release.span);
                    return Err(error.label(needed.span, "it is not to be installed"));
                }
                rest.extend(needed.needs.iter().cloned());
            }
        }
        Ok(())
    }

    fn unplanned(&self, problem: Unplanned, releases: &[&Release]) -> Box<Diagnostic> {
        let mut about: Vec<&Release> = Vec::new();
        for release in problem.releases.iter().map(|at| releases[*at]) {
            if !about.iter().any(|other| std::ptr::eq(*other, release)) {
                about.push(release);
            }
        }
        let mut error = Diagnostic::error("helmfile-needs", problem.message);
        for (index, release) in about.into_iter().enumerate() {
            let needs = format!("`{}` needs {}", release.name, release.needs.join(", "));
            error = if index == 0 { error.at_with(release.span, needs) } else { error.label(release.span, needs) };
        }
        in_entries(error, &self.named_by)
    }

    /// Refuses releases that can't be told apart.
    pub(crate) fn check_duplicates(&self, releases: &[&Release]) -> Result<()> {
        let mut seen: HashMap<String, &Release> = HashMap::new();
        for release in releases {
            if let Some(other) = seen.insert(release.id(), release) {
                let message = format!("there are two releases `{}`", release.name);
                let error = Diagnostic::error("helmfile-duplicate", message).at(release.span);
                return Err(error.label(other.span, "the first one"));
            }
        }
        Ok(())
    }

    /// The folder that its paths are relative to.
    pub fn folder(&self) -> &Utf8Path {
        self.path.parent().unwrap_or(Utf8Path::new(""))
    }

    /// A field of `helmDefaults`.
    pub fn default(&self, key: &str) -> Option<Value> {
        self.fields.get("helmDefaults")?.as_map()?.get(key)
    }

    /// A field of the file.
    pub fn field(&self, key: &str) -> Option<Value> {
        self.fields.get(key)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
