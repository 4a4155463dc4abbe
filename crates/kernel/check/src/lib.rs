//! Values that no template of a chart reads.
//!
//! [`Reads::of`] follows the templates of a chart and its subcharts without values and finds out which keys of the
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

pub use checked::{Checked, unread_by_all};
pub use report::Unread;

use follow::Follower;
use graph::Graph;
use onepane_chart::Chart;
use onepane_diagnostics::{FileId, Result};
use onepane_value::Map;
use report::Report;
use seen::Id;
use setup::Setup;

/// What the templates of a chart read of its values.
pub struct Reads {
    graph: Graph,
    values: Id,
    is_beyond: bool,
}

impl Reads {
    /// Follows the templates of `chart` and its subcharts. `given` is what values files say over the chart's own: its
    /// strings may be templates too.
    pub fn of(chart: &Chart, given: &[Map]) -> Self {
        let mut follower = Follower::new(onepane_functions::helm());
        let values = Setup::add(&mut follower, chart);
        for map in given {
            texts::strings_in(&map.clone().into(), &mut |text| follower.add_loose(text));
        }
        follower.run();
        Self { graph: follower.graph, values, is_beyond: follower.is_beyond }
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
