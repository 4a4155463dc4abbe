//! State and values files that are templates: [`render`].

use crate::outside::{Outside, ProgramCall};
use crate::{functions, references, secrets};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_template::{Host, MissingKey, Options, Templates};
use onepane_value::{Map, Text, Value};
use onepane_world::{Entry, EntryKind, ReadError, World};
use std::sync::Arc;

/// Renders a part of a file, which starts behind `first_line` lines, on `data`. Files that it reads are relative to
/// `folder`. A key that is not there is an error, as in Helmfile.
pub(crate) fn render(
    world: &dyn World,
    outside: &dyn Outside,
    folder: &Utf8Path,
    file: FileId,
    first_line: usize,
    text: &str,
    data: &Map,
) -> Result<String> {
    let rendered = render_text(world, outside, folder, file, first_line, text, data)?;
    if let Some(secret_lines) = outside.secret_lines() {
        secrets::lines(&rendered).into_iter().for_each(|line| secret_lines.note(file, line));
    }
    Ok(rendered.to_string())
}

/// [`render`] without a note of the lines that hold secrets, which the text knows itself.
pub(crate) fn render_text(
    world: &dyn World,
    outside: &dyn Outside,
    folder: &Utf8Path,
    file: FileId,
    first_line: usize,
    text: &str,
    data: &Map,
) -> Result<Text> {
    let follows = outside.secret_lines().is_some();
    let options = Options {
        missing_key: MissingKey::Error,
        set_name: "stringTemplate",
        origins: follows,
        secrets: follows,
        ..Options::default()
    };
    let mut templates = Templates::new(&functions::TABLE, options);
    let name = file.path().as_str();
    let padded = "\n".repeat(first_line) + text;
    shared(world, folder, &mut templates)?;
    let rendered = templates
        .parse(name, Some(file), &padded)
        .and_then(|()| {
            let within = Within { outside, world, folder };
            let world = Rebased { world, folder: folder.to_owned() };
            templates.execute(name, &Value::from(data.clone()), &world, &within)
        })
        .map_err(|error| error.into_diagnostic("helmfile-template"))?;
    Ok(rendered)
}

/// Adds the templates that those of a folder may include: its files `_*.tpl`.
fn shared(world: &dyn World, folder: &Utf8Path, templates: &mut Templates) -> Result<()> {
    for entry in world.list(folder).unwrap_or_default() {
        if entry.name.starts_with('_') && entry.name.ends_with(".tpl") && entry.kind == EntryKind::File {
            let path = folder.join(&entry.name);
            let bytes = world.read(&path).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
            let parsed = templates.parse(path.as_str(), Some(FileId::new(&path)), &String::from_utf8_lossy(&bytes));
            parsed.map_err(|error| error.into_diagnostic("helmfile-template"))?;
        }
    }
    Ok(())
}

/// What is outside, for programs that run in a folder.
struct Within<'a> {
    outside: &'a dyn Outside,
    world: &'a dyn World,
    folder: &'a Utf8Path,
}

impl Host for Within<'_> {
    fn run(
        &self,
        program: &str,
        arguments: &[String],
        variables: &[(String, String)],
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        self.outside.run(&ProgramCall { program, arguments, variables, input, folder: self.folder })
    }

    fn secret(&self, reference: &str) -> Result<Value, String> {
        references::look_up(self.outside, self.world, self.folder, reference)
    }
}

/// A world whose relative paths start at a folder of another.
struct Rebased<'w> {
    world: &'w dyn World,
    folder: Utf8PathBuf,
}

impl World for Rebased<'_> {
    onepane_world::answers_of!(world: now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.world.read(&self.folder.join(path))
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.world.list(&self.folder.join(path))
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.world.kind(&self.folder.join(path))
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        self.world.canonical(&self.folder.join(path))
    }
}
