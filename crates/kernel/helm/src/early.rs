//! [`Early`]: what of a render begins while its chart is still being read.

use camino::Utf8Path;
use onepane_chart::{Chart, File, LoadOptions, Origins, SharedBytes, load_early};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_functions::HELM;
use onepane_parallel::{Ahead, Pending};
use onepane_template::{Error as TemplateError, NamedTemplate, Parsed};
use onepane_world::World;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A render's second thread, and the templates that it may have parsed already.
///
/// Templates are parsed before it is known what they are called, or whether their chart is enabled; what can't be parsed
/// is parsed again by whoever needs it, for an error with the right name.
pub struct Early {
    pub(crate) ahead: Ahead,
    origins: Origins,
    parsed: HashMap<FileId, EarlyTemplate>,
    shared: Option<Arc<SharedTemplates>>,
}

/// A template that was parsed before, or that another thread may be parsing: nothing where it can't be.
pub(crate) enum EarlyTemplate {
    Shared(Arc<NamedTemplate>),
    Pending(Pending<Option<Parsed>>),
}

/// Templates that several renders have in common, parsed once.
#[derive(Debug, Default)]
pub struct SharedTemplates(Mutex<HashMap<(FileId, bool), ParsedFile>>);

/// What a file holds, and what that was parsed to, with origins or without.
type ParsedFile = (SharedBytes, Arc<NamedTemplate>);

impl SharedTemplates {
    fn get(&self, file: &File, origins: Origins) -> Option<Arc<NamedTemplate>> {
        let templates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, template) = templates.get(&(file.id, origins.are_tracked()))?;
        // Files of one path may be of two revisions.
        let is_same = Arc::ptr_eq(bytes.whole().0, file.shared().whole().0) || **bytes == *file.bytes();
        is_same.then(|| template.clone())
    }

    fn insert(&self, file: &File, origins: Origins, template: Arc<NamedTemplate>) {
        let mut templates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        templates.insert((file.id, origins.are_tracked()), (file.shared(), template));
    }
}

impl Early {
    /// For a render with or without origins.
    pub fn new(origins: Origins) -> Self {
        Self { ahead: Ahead::default(), origins, parsed: HashMap::new(), shared: None }
    }

    /// The same, with templates that other renders have parsed.
    pub fn sharing(origins: Origins, templates: &Arc<SharedTemplates>) -> Self {
        Self { shared: Some(templates.clone()), ..Self::new(origins) }
    }

    /// [`onepane_chart::load`]; its templates are parsed meanwhile.
    pub fn load(
        &mut self,
        path: &Utf8Path,
        world: &dyn World,
        options: LoadOptions,
        warn: &mut dyn FnMut(Diagnostic),
    ) -> Result<Chart> {
        let mut parsed = HashMap::new();
        let mut found = |file: &File| _ = parsed.insert(file.id, self.begin(file));
        let chart = load_early(path, world, options, &self.ahead, &mut found, warn);
        self.parsed = parsed;
        chart
    }

    /// The template in `file`, which is given away now if it was not before.
    pub(crate) fn template(&mut self, file: &File) -> EarlyTemplate {
        self.parsed.remove(&file.id).unwrap_or_else(|| self.begin(file))
    }

    fn begin(&self, file: &File) -> EarlyTemplate {
        let known = self.shared.as_ref().and_then(|shared| shared.get(file, self.origins));
        known.map_or_else(|| parse_early(&self.ahead, self.origins, file), EarlyTemplate::Shared)
    }

    /// The template `name`, for other renders as well.
    pub(crate) fn named(&self, name: &str, parsed: Parsed, file: &File) -> Result<Arc<NamedTemplate>, TemplateError> {
        let template = Arc::new(parsed.named(name)?);
        if let Some(shared) = &self.shared {
            shared.insert(file, self.origins, template.clone());
        }
        Ok(template)
    }
}

fn parse_early(ahead: &Ahead, origins: Origins, file: &File) -> EarlyTemplate {
    let (bytes, id) = (file.shared(), file.id);
    EarlyTemplate::Pending(ahead.give(bytes.len(), move || {
        let (bytes, start) = bytes.whole();
        Parsed::shared(id, bytes, start, &HELM, origins.are_tracked())
    }))
}
