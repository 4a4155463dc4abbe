//! Charts and the values files they are given: [`Checked`].

use crate::{Reads, Unread, templates_in};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Chart, parse_values};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_world::World;
use std::collections::HashMap;

/// A chart, and what it does not read.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The values files that were given.
    pub files: Vec<Utf8PathBuf>,
    /// The keys of these files that no template reads.
    pub given: Vec<Unread>,
    /// Those of the chart's own values.yaml below the names of its subcharts.
    pub handed_down: Vec<Unread>,
    /// The others of its own values.yaml.
    pub own: Vec<Unread>,
    /// Whether the templates can't be followed, being too much or no templates; nothing is then said.
    pub is_beyond: bool,
}

/// A chart, and what its templates read, which is found out once for all values files that hold the same templates for `tpl`.
pub struct ReadChart {
    chart: Chart,
    known: Option<Known>,
}

struct Known {
    /// What values files held that `tpl` might be given.
    templates: Vec<String>,
    reads: Reads,
    /// What is unread of the chart's own values: below the names of its subcharts, and elsewhere.
    own: (Vec<Unread>, Vec<Unread>),
}

impl ReadChart {
    /// Nothing is found out of it yet.
    pub fn new(chart: Chart) -> Self {
        Self { chart, known: None }
    }

    /// Holds the files at `files` and the chart's own values against what its templates read.
    pub fn check(&mut self, files: &[Utf8PathBuf], world: &dyn World) -> Result<Checked> {
        let mut texts = Vec::new();
        let mut values = Vec::new();
        for path in files {
            let bytes = world.read(path).map_err(|error| Diagnostic::error("values-file", error.to_string()))?;
            let file = FileId::new(path);
            values.push(parse_values(&bytes, None).map_err(|mut error| {
                if let Some(label) = &mut error.primary {
                    label.span.file = file;
                }
                error.message.insert_str(0, &format!("failed to parse {path}: "));
                error
            })?);
            texts.push((String::from_utf8_lossy(&bytes).into_owned(), file));
        }
        let Known { reads, own, .. } = self.known(templates_in(&values))?;
        let mut given = Vec::new();
        for (text, file) in &texts {
            given.extend(reads.unread(text, *file)?);
        }
        let (handed_down, own) = own.clone();
        Ok(Checked { files: files.to_vec(), given, handed_down, own, is_beyond: reads.is_beyond() })
    }

    fn known(&mut self, templates: Vec<String>) -> Result<&Known> {
        let known = match self.known.take() {
            Some(known) if known.templates == templates => known,
            _ => {
                let reads = Reads::given(&self.chart, &templates);
                let mut unread = Vec::new();
                if let Some(file) = &self.chart.values_file {
                    unread = reads.unread(&file.text(), file.id)?;
                }
                let is_handed_down = |found: &Unread| chart_of(&self.chart, &found.path).is_some();
                Known { templates, reads, own: unread.into_iter().partition(is_handed_down) }
            }
        };
        Ok(self.known.insert(known))
    }
}

/// The subchart whose values are at `path`.
fn chart_of(chart: &Chart, path: &str) -> Option<String> {
    let names = onepane_chart::named_dependencies(chart);
    let is_below = |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    names.iter().map(Chart::name).find(|name| is_below(name)).map(str::to_owned)
}

/// What is unread in the given files. A file that is given to several charts has to be read by one of them only.
pub fn unread_by_all(checked: &[Checked]) -> Vec<Unread> {
    let mut readers: HashMap<&Utf8Path, usize> = HashMap::new();
    let mut not_read: HashMap<onepane_diagnostics::Span, usize> = HashMap::new();
    for one in checked {
        one.files.iter().for_each(|file| *readers.entry(file).or_default() += 1);
        one.given.iter().for_each(|unread| *not_read.entry(unread.span).or_default() += 1);
    }
    let mut found: Vec<Unread> = Vec::new();
    for unread in checked.iter().flat_map(|one| &one.given) {
        // Taking it out keeps it from being told twice.
        let times = not_read.remove(&unread.span).unwrap_or_default();
        if readers.get(unread.span.file.path()).is_some_and(|readers| times >= *readers) {
            found.push(unread.clone());
        }
    }
    found
}
