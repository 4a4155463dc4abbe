//! Why a template failed on a value, in addition to Helm's own words: [`Explanation`].
//!
//! It is made by a second render, once the first has failed. Every value that templates see then gets an origin of its
//! own, by which it is known again wherever a template has carried it, and keys that are absent remember the map that
//! lacks them. Values themselves are never told: they may be secrets. Keys and places are enough.

use onepane_chart::Chart;
use onepane_diagnostics::{Diagnostic, Origin, Record, Step, closest};
use onepane_value::{Data, List, Map, Value};
use std::fmt;

/// More values than this are not what a line failed on, but all that it happens to look at.
const MOST_SUBJECTS: usize = 3;

/// What can be told of the values that a chart's templates see.
pub(crate) struct Explanation<'a> {
    chart: &'a Chart,
    given: &'a Map,
    /// What was merged into `given`, in words.
    sources: &'a [String],
    /// What the root chart's templates see.
    data: Map,
    named: Vec<(Origin, Path)>,
}

/// The keys that lead to a value from what templates see: `Values`, `image`, `tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Path(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Name(String),
    Item(usize),
}

/// A value that a template failed on.
#[derive(PartialEq, Eq)]
enum Subject {
    Present(Path),
    /// The innermost map on the way to it that is there, and the key that this one lacks.
    Absent(Path, String),
    /// A key that a map lacks which a template has made.
    AbsentInMade(String),
}

impl<'a> Explanation<'a> {
    /// Gives all that is below `data` names of its own. `data` is what the root chart's templates see.
    pub(crate) fn new(chart: &'a Chart, given: &'a Map, sources: &'a [String], data: &Map) -> Self {
        let mut explanation = Self { chart, given, sources, data: data.clone(), named: Vec::new() };
        explanation.name_data(data, &Path::default().then("Values"));
        explanation
    }

    /// Names what a chart's templates see; its values are at `values`.
    fn name_data(&mut self, data: &Map, values: &Path) {
        let is_root = values.0.len() == 1;
        for (key, value) in data.entries() {
            match (&*key.to_str(), &value.data) {
                ("Subcharts", Data::Map(subcharts)) => subcharts.for_each(|name, inner| {
                    if let Data::Map(inner) = &inner.data {
                        let below = name.to_str().split('.').fold(values.clone(), |path, key| path.then(key));
                        self.name_data(inner, &below);
                    }
                }),
                // What is in a subchart's values was named with those of the root, which they are a part of.
                ("Values", _) if !is_root => {
                    data.insert(key, self.named(value, values.clone()));
                }
                (name, _) => {
                    let path = Path::default().then(name);
                    data.insert(key.clone(), self.name(value, path));
                }
            }
        }
    }

    fn name(&mut self, mut value: Value, path: Path) -> Value {
        match &value.data {
            Data::Map(map) => map.entries().into_iter().for_each(|(key, inner)| {
                let inner = self.name(inner, path.clone().then(&key.to_str()));
                map.insert(key, inner);
            }),
            Data::List(list) if !list.is_nil() && list.as_bytes().is_none() => {
                let items = list.iter().enumerate();
                let items = items.map(|(index, item)| self.name(item.clone(), path.clone().item(index)));
                let items: Vec<Value> = items.collect();
                value.data = Data::List(List::of(list.element(), items));
            }
            _ => {}
        }
        self.named(value, path)
    }

    /// The value with an origin that no other has.
    fn named(&mut self, value: Value, path: Path) -> Value {
        let origin = own_record(&value.origin);
        self.named.push((origin.clone(), path));
        value.with_origin(origin)
    }

    /// What a template is run with, as `.` and `$`.
    pub(crate) fn named_top(&mut self, data: Value) -> Value {
        self.named(data, Path::default())
    }

    /// `diagnostic` with all that is known of the values it is about.
    pub(crate) fn add_to(&self, mut diagnostic: Box<Diagnostic>, about: &[Origin]) -> Box<Diagnostic> {
        let mut subjects = Vec::new();
        for origin in about {
            match self.subject(origin, 0) {
                // That there are values at all, or a release, says nothing.
                Some(Subject::Present(path)) if path.0.len() < 2 || !path.is_value() => {}
                Some(subject) if !subjects.contains(&subject) => subjects.push(subject),
                _ => {}
            }
        }
        // Whoever reads a value reads the maps that it is in.
        let telling = subjects.iter().filter(|subject| !subjects.iter().any(|other| other.is_below(subject)));
        for subject in telling.take(MOST_SUBJECTS) {
            diagnostic = match subject {
                Subject::Present(path) => self.tell_present(diagnostic, path),
                Subject::Absent(holder, key) => self.tell_absent(diagnostic, holder, key),
                Subject::AbsentInMade(key) => {
                    diagnostic.trace(format!("the map that the template was given has no key `{key}`"), None)
                }
            };
        }
        diagnostic
    }

    fn subject(&self, origin: &Origin, depth: usize) -> Option<Subject> {
        // What functions make of a value stands some steps before it.
        const FAR: usize = 6;
        let record = origin.record().filter(|_| depth < FAR)?;
        if let Some((_, path)) = self.named.iter().find(|(named, _)| named.same(origin)) {
            return Some(Subject::Present(path.clone()));
        }
        if record.step == Step::Absent {
            let (key, holder) = (record.note.as_deref()?, record.inputs.first()?);
            return Some(match self.subject(holder, depth + 1) {
                Some(Subject::Present(path)) => Subject::Absent(path, key.to_owned()),
                // Of what is not there nothing can be told but that.
                Some(absent) => absent,
                None => Subject::AbsentInMade(key.to_owned()),
            });
        }
        let before = std::iter::once(&record.previous).chain(&record.inputs);
        before.take(FAR).find_map(|origin| self.subject(origin, depth + 1))
    }

    fn tell_present(&self, mut diagnostic: Box<Diagnostic>, path: &Path) -> Box<Diagnostic> {
        let (shown, inside) = self.shown(path);
        let Some(value) = lookup(&self.data, path) else { return diagnostic };
        let steps: Vec<&Record> = value.origin.chain().filter(|record| is_telling(record)).collect();
        let by = steps.first().map_or_else(String::new, |record| format!(", set by {}", actor(record)));
        let place = steps.first().and_then(|record| record.span);
        diagnostic = diagnostic.trace(format!("`{shown}`{inside} is {}{by}", kind(&value)), place);
        let default = self.defaults(path);
        for record in steps.iter().skip(1) {
            // The one step before the last of which it is still known what it said.
            let over = match default.as_ref().filter(|_| record.step == Step::ChartDefaults) {
                Some(default) => format!("over {} in {}", kind(default), actor(record)),
                None => format!("over what {} set", actor(record)),
            };
            diagnostic = diagnostic.trace(over, record.span);
        }
        // A table that takes the place of something else does not remember it.
        if let Some(default) = default.filter(|_| steps.iter().all(|record| record.step != Step::ChartDefaults))
            && let Some(record) = default.origin.record()
        {
            diagnostic = diagnostic.trace(format!("over {} in {}", kind(&default), actor(record)), record.span);
        }
        diagnostic
    }

    fn tell_absent(&self, diagnostic: Box<Diagnostic>, holder: &Path, key: &str) -> Box<Diagnostic> {
        let path = holder.clone().then(key);
        let (shown, inside) = self.shown(&path);
        let is_value = path.is_value();
        let diagnostic = match self.null_on(&path) {
            Some((prefix, null, is_given)) => {
                let (shown, inside) = self.shown(&prefix);
                let removes = if is_given { "set to null, which removes it" } else { "null in the chart's defaults" };
                return diagnostic
                    .trace(format!("`{shown}`{inside} is {removes}"), null.span())
                    .hint(format!("set `{}` in a values file", path.below_values()));
            }
            None if is_value => {
                let set = match self.sources_of(&path).as_slice() {
                    [] => "is not set".to_owned(),
                    [only] => format!("is not set by {only}"),
                    sources => format!("is set by none of: {}", sources.join(", ")),
                };
                diagnostic.trace(format!("`{shown}`{inside} {set}"), None)
            }
            None => diagnostic.trace(format!("there is no `{shown}`"), None),
        };
        let beside = lookup(&self.data, holder).and_then(|holder| holder.as_map().cloned()).unwrap_or_default();
        let keys: Vec<String> = beside.keys().iter().map(|key| key.to_str().into_owned()).collect();
        match closest(key, keys.iter().map(String::as_str)) {
            Some(meant) => {
                let place = beside.get(meant).and_then(|value| value.origin.span());
                let place =
                    place.map_or_else(String::new, |span| format!(", as {}:{} has it", span.file.path(), span.line));
                let (meant, _) = self.shown(&holder.clone().then(meant));
                diagnostic.hint(format!("did you mean `{meant}`{place}?"))
            }
            None if is_value => diagnostic.hint(format!("set `{}` in a values file", path.below_values())),
            None => diagnostic,
        }
    }

    /// The path as it is to be read, and what it is called inside a subchart.
    fn shown(&self, path: &Path) -> (String, String) {
        let charts = self.charts(path);
        match charts.as_slice() {
            [] => (path.to_string(), String::new()),
            [.., last] => {
                let rest = &path.0[charts.len() + 1..];
                let inner = Path([&path.0[..1], rest].concat());
                match rest.first() {
                    // The root's are everyone's.
                    Some(Key::Name(name)) if name == "global" => (inner.to_string(), String::new()),
                    None => (path.to_string(), String::new()),
                    _ => (path.to_string(), format!(" (`{inner}` in the subchart `{}`)", last.name())),
                }
            }
        }
    }

    /// The subcharts that the path leads through.
    fn charts(&self, path: &Path) -> Vec<&'a Chart> {
        let mut charts = Vec::new();
        if !path.is_value() {
            return charts;
        }
        let mut at = self.chart;
        for key in &path.0[1..] {
            let Key::Name(name) = key else { break };
            let Some(subchart) = at.dependencies.iter().find(|subchart| subchart.name() == name) else { break };
            charts.push(subchart);
            at = subchart;
        }
        charts
    }

    /// The maps that may say something at the path, with the part of it that leads there: those that win come first.
    fn layers(&self, path: &Path) -> Vec<(&'a Map, Path)> {
        if !path.is_value() {
            return Vec::new();
        }
        let charts = self.charts(path);
        let below = |count: usize| Path(path.0[count..].to_vec());
        let mut layers = vec![(self.given, below(1)), (&self.chart.values, below(1))];
        layers.extend(charts.iter().enumerate().map(|(index, chart)| (&chart.values, below(index + 2))));
        layers
    }

    /// What the chart that comes last says by default.
    fn defaults(&self, path: &Path) -> Option<Value> {
        let charts = self.charts(path);
        let layers = self.layers(path);
        layers.into_iter().rev().take(charts.len() + 1).find_map(|(map, path)| lookup(map, &path))
    }

    /// The null that takes away what is at the path or above it, and whether it was given and is no chart's own.
    fn null_on(&self, path: &Path) -> Option<(Path, Origin, bool)> {
        self.layers(path).into_iter().enumerate().find_map(|(layer, (map, below))| {
            let skipped = path.0.len() - below.0.len();
            (1..=below.0.len()).find_map(|count| {
                let value = lookup(map, &Path(below.0[..count].to_vec())).filter(Value::is_nil)?;
                Some((Path(path.0[..skipped + count].to_vec()), value.origin, layer == 0))
            })
        })
    }

    /// All that could have set the path: the charts' own files first, what wins last.
    fn sources_of(&self, path: &Path) -> Vec<String> {
        let charts = self.charts(path);
        let all = charts.iter().rev().copied().chain([self.chart]);
        let files = all.filter_map(|chart| chart.values_file.as_ref()).map(|file| file.id.path().to_string());
        files.chain(self.sources.iter().cloned()).collect()
    }
}

impl Subject {
    /// Whether it is inside what `other` is.
    fn is_below(&self, other: &Self) -> bool {
        let Self::Present(outer) = other else { return false };
        match self {
            Self::Present(path) => path.0.len() > outer.0.len() && path.0.starts_with(&outer.0),
            Self::Absent(holder, _) => holder.0.starts_with(&outer.0),
            Self::AbsentInMade(_) => false,
        }
    }
}

impl Path {
    fn then(mut self, key: &str) -> Self {
        self.0.push(Key::Name(key.to_owned()));
        self
    }

    fn item(mut self, index: usize) -> Self {
        self.0.push(Key::Item(index));
        self
    }

    fn is_value(&self) -> bool {
        self.0.first().is_some_and(|key| *key == Key::Name("Values".to_owned()))
    }

    /// The path as values files know it.
    fn below_values(&self) -> String {
        Self(self.0[1..].to_vec()).to_string().trim_start_matches('.').to_owned()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            |name: &str| name.chars().all(|character| character.is_alphanumeric() || "_-".contains(character));
        self.0.iter().try_for_each(|key| match key {
            Key::Name(name) if is_plain(name) => write!(f, ".{name}"),
            Key::Name(name) => write!(f, "[{name:?}]"),
            Key::Item(index) => write!(f, "[{index}]"),
        })
    }
}

/// The same origin as a record of its own; one that is not known gets a record too.
fn own_record(origin: &Origin) -> Origin {
    Origin::from(match origin.record() {
        Some(record) => Record {
            step: record.step,
            span: record.span,
            note: record.note.clone(),
            inputs: record.inputs.clone(),
            previous: record.previous.clone(),
        },
        None => Record { step: Step::Source, span: None, note: None, inputs: Vec::new(), previous: Origin::UNKNOWN },
    })
}

fn lookup(map: &Map, path: &Path) -> Option<Value> {
    path.0.iter().try_fold(Value::from(map.clone()), |at, key| match (key, &at.data) {
        (Key::Name(name), Data::Map(map)) => map.get(name),
        (Key::Item(index), Data::List(list)) => list.get(*index).cloned(),
        _ => None,
    })
}

/// Whether it says who set a value.
fn is_telling(record: &Record) -> bool {
    record.span.is_some() || record.step == Step::SetFlag
}

/// Who did a step. What a flag says behind its name is a value.
fn actor(record: &Record) -> String {
    match (record.step, record.note.as_deref().and_then(|note| note.split_whitespace().next())) {
        (Step::SetFlag, Some(flag)) => format!("`{flag}`"),
        (Step::SetFlag, None) => "a flag".to_owned(),
        (Step::ChartDefaults, _) => "the chart's defaults".to_owned(),
        (step, _) => format!("a {}", step.describe()),
    }
}

fn kind(value: &Value) -> &'static str {
    match &value.data {
        Data::Nil => "null",
        Data::Bool(_) => "a boolean",
        Data::Int(..) | Data::Uint(..) | Data::Float(..) => "a number",
        Data::String(text) if text.is_empty() => "an empty string",
        Data::String(_) => "a string",
        Data::List(list) if list.is_empty() => "an empty list",
        Data::List(_) => "a list",
        Data::Map(map) if map.is_empty() => "an empty map",
        Data::Map(_) | Data::Object(_) => "a map",
    }
}
