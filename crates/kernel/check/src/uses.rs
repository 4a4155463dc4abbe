//! Where templates name values: [`Use`].

use crate::graph::Graph;
use crate::seen::{Id, Seen};
use onepane_diagnostics::FileId;
use onepane_template::syntax::Name;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A name in a template that stands for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The template.
    pub file: FileId,
    /// Where the name begins, in bytes.
    pub position: usize,
    /// How long it is, in bytes.
    pub length: usize,
    /// The keys that lead to the values it may stand for, from the values of the outermost chart; [`ANY`] stands for
    /// every key and for the items of lists.
    pub paths: Vec<Vec<String>>,
}

/// Every key of a map, or every item of a list.
pub const ANY: &str = "*";

/// The places that names of templates stand for.
#[derive(Default)]
pub(crate) struct Sites(BTreeMap<(FileId, usize), Site>);

#[derive(Default)]
struct Site {
    length: usize,
    places: BTreeSet<Id>,
}

impl Sites {
    pub(crate) fn note(&mut self, file: FileId, name: &Name, value: &Seen) {
        let site = self.0.entry((file, name.position)).or_default();
        site.length = name.text.len();
        site.places.extend(value.places.iter().copied());
    }

    /// The names that stand for something below `root`.
    pub(crate) fn uses(&self, graph: &Graph, root: Id) -> Vec<Use> {
        let paths = graph.all_paths(root, ANY);
        let of = |site: &Site| -> Vec<Vec<String>> {
            site.places.iter().filter_map(|place| paths.get(place)).filter(|path| !path.is_empty()).cloned().collect()
        };
        let uses = self.0.iter().map(|((file, position), site)| Use {
            file: *file,
            position: *position,
            length: site.length,
            paths: of(site),
        });
        uses.filter(|one| !one.paths.is_empty()).collect()
    }
}

/// The shortest way to each node, by its id.
pub(crate) type Paths = HashMap<Id, Vec<String>>;
