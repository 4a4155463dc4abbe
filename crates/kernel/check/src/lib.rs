//! Values that no template of a chart reads.
//!
//! [`Reads`] follows the templates of a chart and its subcharts without values and finds out which keys of the
//! values they may look at; [`Reads::unread`] holds a values file against that. Whatever can't be followed — a whole
//! map that is printed, a key that is computed, a text that `tpl` makes up — counts as read: to miss a mistyped key is
//! better than to blame a good one.
//!
//! The way of an analysis: `setup` makes of the charts what their templates see, `follow` and `calls` walk the
//! templates' [syntax](onepane_template::syntax) with sets of what each expression can be (`seen`), `graph` keeps what
//! was asked of the values, and `report` reads the values files. It renders nothing and knows no command line.

mod calls;
mod checked;
mod follow;
mod graph;
mod report;
mod schema;
mod seen;
mod setup;
mod texts;
mod uses;

pub use checked::{Checked, ReadChart, unread_by_all};
pub use report::Unread;
pub use uses::{ANY, Use};

use follow::Follower;
use graph::Graph;
use onepane_chart::Chart;
use onepane_diagnostics::{FileId, Result};
use onepane_value::Map;
use report::Report;
use seen::Id;
use setup::Setup;
use uses::Sites;

/// What the templates of a chart read of its values.
pub struct Reads {
    graph: Graph,
    values: Id,
    is_beyond: bool,
    uses: Vec<Use>,
}

impl Reads {
    /// Follows the templates of `chart` and its subcharts, and where they name what they read: [`Self::uses`]. `given` is
    /// what values files say over the chart's own: its strings may be templates too.
    pub fn with_uses(chart: &Chart, given: &[Map]) -> Self {
        Self::follow(chart, &templates_in(given), Some(Sites::default()))
    }

    /// Follows the templates of `chart`, its subcharts, and those that values files hold.
    fn given(chart: &Chart, templates: &[String]) -> Self {
        Self::follow(chart, templates, None)
    }

    fn follow(chart: &Chart, templates: &[String], sites: Option<Sites>) -> Self {
        let mut follower = Follower::default();
        follower.graph.is_precise = sites.is_some();
        follower.sites = sites;
        let values = Setup::add(&mut follower, chart);
        templates.iter().for_each(|text| follower.add_loose(text));
        follower.run();
        let uses = follower.sites.take().map(|sites| sites.uses(&follower.graph, values)).unwrap_or_default();
        Self { graph: follower.graph, values, is_beyond: follower.is_beyond, uses }
    }

    /// The names in templates that stand for values, by file and place.
    pub fn uses(&self) -> &[Use] {
        &self.uses
    }

    /// The keys that templates ask for below the value at `path`.
    pub fn keys_below(&self, path: &[String]) -> Vec<String> {
        let places = self.graph.places_at(self.values, path, ANY);
        let mut keys: Vec<String> = self.graph.keys(&places).into_iter().map(str::to_owned).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether the templates can't be followed, being too much or no templates; nothing is then said of any key.
    pub fn is_beyond(&self) -> bool {
        self.is_beyond
    }

    /// The keys of a values file that no template reads, in the order of the file. Below such a key nothing is told.
    pub fn unread(&self, text: &str, file: FileId) -> Result<Vec<Unread>> {
        let documents = onepane_yaml::read(text, file)?;
        if self.is_beyond {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for document in &documents {
            let mut report = Report { graph: &self.graph, document, root: self.values, found };
            report.node(document, &[self.values], "");
            found = report.found;
        }
        Ok(found)
    }
}

/// The strings in values that may be templates, sorted.
fn templates_in(values: &[Map]) -> Vec<String> {
    let mut found = Vec::new();
    for map in values {
        texts::strings_in(&map.clone().into(), &mut |text| found.push(text.to_owned()));
    }
    found.sort();
    found.dedup();
    found
}
