//! One state of the files, as requests see it: [`Snapshot`].

use crate::Checks;
use crate::chart_values::ChartIndex;
use crate::kinds::outermost_chart;
use crate::overlay::{Overlay, Turn, Unsaved};
use crate::text::{Encoding, SourceFile};
use crate::uris::Roots;
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{Location, Range};
use onepane_diagnostics::Span;
use onepane_helmfile::Release;
use onepane_repo::{BuildOptions, Built, KeptBuilds, Layout, Repository};
use onepane_world::World;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The files with unsaved texts over them, and what requests have found out about them. It is for one thread.
pub(crate) struct Snapshot {
    pub(crate) roots: Roots,
    pub(crate) world: Overlay,
    pub(crate) layout: Layout,
    pub(crate) encoding: Encoding,
    pub(crate) checks: Arc<dyn Checks>,
    pub(crate) kept_builds: Arc<KeptBuilds>,
    pub(crate) unsaved: Unsaved,
    releases: OnceCell<Vec<Release>>,
    charts: RefCell<HashMap<Utf8PathBuf, Option<Rc<ChartIndex>>>>,
}

/// What stays the same from one state to the next.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) roots: Roots,
    pub(crate) encoding: Encoding,
    pub(crate) checks: Arc<dyn Checks>,
    pub(crate) kept_builds: Arc<KeptBuilds>,
}

impl Snapshot {
    pub(crate) fn new(around: &Surroundings, unsaved: Unsaved) -> Option<Self> {
        Self::of(around, unsaved.clone(), Overlay::new(&around.roots.real, unsaved).ok()?)
    }

    /// The same, of which nothing can be read once it is over.
    pub(crate) fn until_newer(around: &Surroundings, unsaved: Unsaved, turn: Turn) -> Option<Self> {
        Self::of(around, unsaved.clone(), Overlay::new(&around.roots.real, unsaved).ok()?.until_newer(turn))
    }

    fn of(around: &Surroundings, unsaved: Unsaved, world: Overlay) -> Option<Self> {
        // While onepane.yaml is broken, the folders are where they are by default.
        let layout = Layout::read(&world).unwrap_or_default();
        let Surroundings { roots, encoding, checks, kept_builds } = around.clone();
        let (releases, charts) = Default::default();
        Some(Self { roots, world, layout, encoding, checks, kept_builds, unsaved, releases, charts })
    }

    /// What stays the same in another state.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            roots: self.roots.clone(),
            encoding: self.encoding,
            checks: self.checks.clone(),
            kept_builds: self.kept_builds.clone(),
        }
    }

    /// The repository in this state.
    pub(crate) fn repository(&self) -> Repository<'_> {
        Repository::with_layout(&self.world, self.layout.clone())
            .with_outside(self.checks.outside())
            .with_kept_builds(&self.kept_builds)
    }

    /// The releases of the state file; none while it is broken.
    pub(crate) fn releases(&self) -> &[Release] {
        self.releases.get_or_init(|| self.repository().state("default").map(|state| state.releases).unwrap_or_default())
    }

    /// What is known of the chart that a file belongs to, the outermost one.
    pub(crate) fn chart_of(&self, path: &Utf8Path) -> Option<Rc<ChartIndex>> {
        self.chart(&outermost_chart(&self.world, path)?)
    }

    /// What is known of the chart in a folder.
    pub(crate) fn chart(&self, folder: &Utf8Path) -> Option<Rc<ChartIndex>> {
        let folder = onepane_world::normalize(folder);
        if let Some(known) = self.charts.borrow().get(&folder) {
            return known.clone();
        }
        let chart = ChartIndex::of(self, &folder).map(Rc::new);
        self.charts.borrow_mut().insert(folder, chart.clone());
        chart
    }

    pub(crate) fn source(&self, path: &Utf8Path) -> Option<SourceFile> {
        if let Some(text) = self.unsaved.get(path) {
            return Some(SourceFile::new(text.clone(), self.encoding));
        }
        let bytes = self.world.read(path).ok()?;
        Some(SourceFile::new(String::from_utf8_lossy(&bytes).into_owned(), self.encoding))
    }

    pub(crate) fn location(&self, path: &Utf8Path, start: usize, end: usize) -> Option<Location> {
        let range = self.source(path)?.range(start, end);
        Some(Location { uri: self.roots.uri(path)?, range })
    }

    pub(crate) fn location_of(&self, span: Span) -> Option<Location> {
        let path = span.file.path();
        if path.is_absolute() {
            return None;
        }
        Some(Location { uri: self.roots.uri(path)?, range: self.source(path)?.range_of(span) })
    }

    /// The start of a file.
    pub(crate) fn top_of(&self, path: &Utf8Path) -> Option<Location> {
        Some(Location { uri: self.roots.uri(path)?, range: Range::default() })
    }
}

/// What clusters build to.
impl Snapshot {
    /// The folders of all clusters.
    pub(crate) fn units(&self) -> Vec<Utf8PathBuf> {
        let repository = self.repository();
        let names = repository.clusters().unwrap_or_default();
        names.iter().map(|name| repository.cluster_folder(name)).collect()
    }

    /// What a folder builds to; while it is broken, what it last did.
    pub(crate) fn built(&self, unit: &Utf8Path) -> Option<Arc<Built>> {
        let options = BuildOptions { origins: true, ..BuildOptions::default() };
        match self.repository().build(unit, &options) {
            Ok(built) => Some(Arc::new(built)),
            Err(_) => self.kept_builds.last(unit),
        }
    }
}
