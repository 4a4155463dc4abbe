//! The values files of a release, held against its chart: [`Repository::check`].

use crate::Repository;
use onepane_chart::{Origins, load};
use onepane_check::Checked;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_helmfile::{Release, ValuesSource};

impl Repository<'_> {
    /// The keys of the release's values files that no template of its chart reads. Values that stand in the state file
    /// itself are not looked at.
    pub fn check(&self, release: &Release) -> Result<Checked> {
        let in_release =
            |error: Box<Diagnostic>| error.trace(format!("in the release `{}`", release.name), Some(release.span));
        let chart = load(&release.chart, self.world, Origins::Untracked, &mut |_| {}).map_err(in_release)?;
        let files = release.values.iter().filter_map(|source| match source {
            ValuesSource::File { path, .. } => Some(path.clone()),
            ValuesSource::Inline(_) => None,
        });
        Checked::of(&chart, &files.collect::<Vec<_>>(), self.world).map_err(in_release)
    }
}
