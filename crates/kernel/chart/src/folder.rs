//! A chart folder: its files in name order, without what `.helmignore` names.

use crate::archive::LARGEST_CHART;
use crate::ignore::IgnoreRules;
use crate::load::{Begun, LooseFile};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_world::{EntryKind, ReadError, World};

/// How deep folders may nest: a cheap stop for links that multiply.
const DEEPEST: usize = 64;

/// How many files and folders a chart may have.
const MOST_ENTRIES: usize = 100_000;

/// Every file of the chart in `folder`; `seen` gets each as soon as it is read.
pub(crate) fn collect(
    folder: &Utf8Path,
    world: &dyn World,
    seen: &mut dyn FnMut(&mut LooseFile),
) -> Result<Vec<LooseFile>> {
    let ignore = folder.join(".helmignore");
    let text = if world.kind(&ignore).is_some() { world.read(&ignore).map_err(|e| unreadable(&e))? } else { [].into() };
    let rules = IgnoreRules::parse(&text)
        .map_err(|message| Diagnostic::error("chart-ignore", message).at(Span::file(&ignore)))?;
    let mut walk = Walk { world, rules, remaining: LARGEST_CHART, entries: 0, files: Vec::new(), seen };
    walk.folder(folder, "", 0)?;
    Ok(walk.files)
}

struct Walk<'a> {
    world: &'a dyn World,
    rules: IgnoreRules,
    remaining: u64,
    entries: usize,
    files: Vec<LooseFile>,
    seen: &'a mut dyn FnMut(&mut LooseFile),
}

impl Walk<'_> {
    fn folder(&mut self, path: &Utf8Path, name: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(refuse(path, format!("chart folders nest deeper than {DEEPEST}")));
        }
        for entry in self.world.list(path).map_err(|error| unreadable(&error))? {
            let inner_path = path.join(&entry.name);
            let inner_name = if name.is_empty() { entry.name.clone() } else { format!("{name}/{}", entry.name) };
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(refuse(path, format!("chart has more than {MOST_ENTRIES} files")));
            }
            let folder = entry.kind == EntryKind::Folder;
            if self.rules.ignores(&inner_name, folder) {
                continue;
            }
            match entry.kind {
                EntryKind::Folder => {
                    if entry.link {
                        self.refuse_loop(path, &inner_path)?;
                    }
                    self.folder(&inner_path, &inner_name, depth + 1)?;
                }
                EntryKind::File => self.file(inner_path, inner_name)?,
                EntryKind::Other if entry.link => {
                    // The world knows why: nothing is there, or it is outside.
                    let error = self.world.canonical(&inner_path).err();
                    let reason = error.map_or_else(String::new, |error| format!(": {error}"));
                    return Err(refuse(&inner_path, format!("error evaluating symlink {inner_path}{reason}")));
                }
                EntryKind::Other => {
                    let message = format!("cannot load irregular file {inner_path} as it has file mode type bits set");
                    return Err(refuse(&inner_path, message));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: Utf8PathBuf, name: String) -> Result<()> {
        let bytes = self.world.read(&path).map_err(|error| unreadable(&error))?;
        let Some(remaining) = self.remaining.checked_sub(bytes.len() as u64) else {
            let message =
                format!("error reading {name}: chart exceeds maximum decompressed size of {LARGEST_CHART} bytes");
            return Err(refuse(&path, message));
        };
        self.remaining = remaining;
        let mut file = LooseFile { name, id: FileId::new(path), bytes, begun: Begun::Nothing };
        (self.seen)(&mut file);
        self.files.push(file);
        Ok(())
    }

    /// A link to a folder above itself would never end.
    fn refuse_loop(&self, folder: &Utf8Path, link: &Utf8Path) -> Result<()> {
        let target = self.world.canonical(link).map_err(|error| unreadable(&error))?;
        let here = self.world.canonical(folder).map_err(|error| unreadable(&error))?;
        if here.starts_with(&target) {
            return Err(refuse(link, format!("the link {link} leads back to a folder that holds it")));
        }
        Ok(())
    }
}

fn refuse(path: &Utf8Path, message: String) -> Box<Diagnostic> {
    Diagnostic::error("chart-folder", message).at(Span::file(path))
}

pub(crate) fn unreadable(error: &ReadError) -> Box<Diagnostic> {
    Diagnostic::error("unreadable", error.to_string())
}
