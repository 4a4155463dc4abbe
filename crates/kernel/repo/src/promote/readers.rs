//! Who else is made of a file: [`Readers`].

use crate::{BuildOptions, Repository};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::ReadLog;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// Which files only an environment is made of, for as long as the files stay as they are.
pub(super) struct Readers<'r, 'w> {
    repository: &'r Repository<'w>,
    unit: &'r Utf8Path,
    /// Found out when somebody asks: all other clusters are built for it.
    elsewhere: OnceCell<BTreeSet<Utf8PathBuf>>,
}

impl<'r, 'w> Readers<'r, 'w> {
    pub(super) fn new(repository: &'r Repository<'w>, unit: &'r Utf8Path) -> Self {
        Self { repository, unit, elsewhere: OnceCell::new() }
    }

    /// Whether only the environment is made of `file`, or what is made of the environment.
    pub(super) fn are_within(&self, file: &Utf8Path) -> bool {
        file.starts_with(self.unit) || !self.elsewhere.get_or_init(|| self.read_elsewhere()).contains(file)
    }

    /// The files that other clusters are made of. A folder's clusters change with it, so that these are none of the others.
    fn read_elsewhere(&self) -> BTreeSet<Utf8PathBuf> {
        let Self { repository, unit, .. } = self;
        let folder = !repository.is_cluster(unit);
        let own = repository.kustomization_of(unit).ok().filter(|_| folder);
        let names = repository.clusters().unwrap_or_default();
        let folders = names.iter().map(|name| repository.cluster_folder(name));
        let read = |folder: Utf8PathBuf| {
            let log = ReadLog::new(repository.world);
            // Of one that can't be built, what was read until then is what is known.
            let _ = repository.over(&log).build(&folder, &BuildOptions::default());
            log.read_files()
        };
        let others = folders.filter(|folder| !unit.starts_with(folder)).map(read);
        others.filter(|files| own.as_ref().is_none_or(|own| !files.contains(own))).flatten().collect()
    }
}
