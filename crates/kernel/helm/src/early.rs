//! [`Early`]: what of a render begins while its chart is still being read.

use camino::Utf8Path;
use onepane_chart::{Chart, File, LoadOptions, Origins, load_early};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_functions::helm;
use onepane_parallel::{Ahead, Pending};
use onepane_template::{FunctionTable, Parsed};
use onepane_world::World;
use std::collections::HashMap;
use std::sync::Arc;

/// A render's second thread, and the templates that it may have parsed already.
///
/// Templates are parsed before it is known what they are called, or whether their chart is enabled; what can't be parsed
/// is parsed again by whoever needs it, for an error with the right name.
pub struct Early {
    pub(crate) ahead: Ahead,
    pub(crate) functions: Arc<FunctionTable>,
    origins: Origins,
    parsed: HashMap<FileId, EarlyTemplate>,
}

/// A template that another thread may be parsing: nothing where it can't be.
pub(crate) type EarlyTemplate = Pending<Option<Parsed>>;

impl Early {
    /// For a render with or without origins.
    pub fn new(origins: Origins) -> Self {
        Self { ahead: Ahead::default(), functions: Arc::new(helm()), origins, parsed: HashMap::new() }
    }

    /// [`onepane_chart::load`]; its templates are parsed meanwhile.
    pub fn load(
        &mut self,
        path: &Utf8Path,
        world: &dyn World,
        options: LoadOptions,
        warn: &mut dyn FnMut(Diagnostic),
    ) -> Result<Chart> {
        let Self { ahead, functions, origins, parsed } = self;
        let mut found = |file: &File| {
            parsed.insert(file.id, parse_early(ahead, functions, *origins, file));
        };
        load_early(path, world, options, ahead, &mut found, warn)
    }

    /// The template in `file`, which is given away now if it was not before.
    pub(crate) fn template(&mut self, file: &File) -> EarlyTemplate {
        let early = self.parsed.remove(&file.id);
        early.unwrap_or_else(|| parse_early(&self.ahead, &self.functions, self.origins, file))
    }
}

fn parse_early(ahead: &Ahead, functions: &Arc<FunctionTable>, origins: Origins, file: &File) -> EarlyTemplate {
    let (functions, bytes, id) = (functions.clone(), file.shared(), file.id);
    ahead.give(bytes.len(), move || {
        let (bytes, start) = bytes.whole();
        Parsed::shared(id, bytes, start, &functions, origins == Origins::Tracked)
    })
}
