//! The values files of a release, held against its chart: [`Repository::check`].

use crate::Repository;
use camino::Utf8PathBuf;
use onepane_chart::{Origins, load};
use onepane_check::{Checked, ReadChart};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_helmfile::{Release, ValuesSource};

/// The chart that was looked at last, for the next release if that is of the same chart. It belongs to one [`Repository`].
#[derive(Default)]
pub struct LastChecked(Option<(Utf8PathBuf, ReadChart)>);

impl Repository<'_> {
    /// The keys of the release's values files that no template of its chart reads. Values that stand in the state file
    /// itself are not looked at.
    pub fn check(&self, release: &Release, last: &mut LastChecked) -> Result<Checked> {
        let in_release =
            |error: Box<Diagnostic>| error.trace(format!("in the release `{}`", release.name), Some(release.span));
        let files = release.values.iter().filter_map(|source| match source {
            ValuesSource::File { path, .. } => Some(path.clone()),
            ValuesSource::Inline(_) => None,
        });
        let (path, chart) = match last.0.take() {
            Some(known) if known.0 == release.chart => known,
            _ => {
                let chart = load(&release.chart, self.world, Origins::Untracked, &mut |_| {}).map_err(in_release)?;
                (release.chart.clone(), ReadChart::new(chart))
            }
        };
        let (_, chart) = last.0.insert((path, chart));
        chart.check(&files.collect::<Vec<_>>(), self.world).map_err(in_release)
    }
}
