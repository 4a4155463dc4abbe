//! Hooks of states and releases: [`Hook`].

use crate::fields::{items, mapping, place, plain_text, text};
use crate::outside::{Outside, ProgramCall};
use crate::release::Release;
use crate::state::State;
use crate::template;
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_value::{Map, Value};
use onepane_world::World;

/// What has happened, or is about to.
#[derive(Clone, Copy, Debug)]
pub struct HookEvent<'e> {
    /// Its name: `presync`.
    pub name: &'e str,
    /// The command that it happens in: `sync`.
    pub command: &'e str,
    /// Why what has happened is a failure.
    pub error: Option<&'e str>,
}

/// A program that a state wants to be run.
#[derive(Clone, Debug)]
pub struct Hook {
    name: String,
    program: String,
    arguments: Vec<String>,
    folder: Utf8PathBuf,
    /// Whether what it prints is shown.
    pub shows_logs: bool,
}

impl Hook {
    /// Runs it, and gives what it printed.
    ///
    /// # Errors
    /// That it failed.
    pub fn run(&self, outside: &dyn Outside) -> std::result::Result<Vec<u8>, String> {
        let (program, arguments, folder) = (&*self.program, &*self.arguments, &*self.folder);
        let call = ProgramCall { program, arguments, variables: &[], input: &[], folder };
        outside.run(&call).map_err(|problem| format!("hook[{}]: command `{program}` failed: {problem}", self.name))
    }
}

impl State {
    /// The hooks of the state, or of one of its releases, that wait for `event`.
    ///
    /// # Errors
    /// For hooks whose templates fail, and for any where `HELMFILE_DISABLE_HOOKS` is set.
    pub fn hooks(
        &self,
        release: Option<&Release>,
        event: HookEvent<'_>,
        world: &dyn World,
        outside: &dyn Outside,
    ) -> Result<Vec<Hook>> {
        let file = FileId::new(&self.path);
        let hooks = items(release.map_or(&self.fields, |release| &release.spec), "hooks", file)?;
        let is_off = |value: String| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True");
        if let Some(hook) = hooks.first().filter(|_| world.env("HELMFILE_DISABLE_HOOKS").is_some_and(is_off)) {
            let message = "HELMFILE_DISABLE_HOOKS is active, hooks are disabled";
            return Err(Diagnostic::error("helmfile-hook", message).at(place(hook, file)));
        }
        let mut waiting = Vec::new();
        for hook in &hooks {
            let Some(map) = hook.as_map() else { continue };
            if items(map, "events", file)?.iter().any(|one| plain_text(one) == event.name) {
                waiting.push(self.hook(hook, map, release, event, world, outside)?);
            }
        }
        Ok(waiting)
    }

    fn hook(
        &self,
        hook: &Value,
        map: &Map,
        release: Option<&Release>,
        event: HookEvent<'_>,
        world: &dyn World,
        outside: &dyn Outside,
    ) -> Result<Hook> {
        let file = FileId::new(&self.path);
        let span = place(hook, file);
        let data = self.data.shallow_copy();
        let error = event.error.map(Value::from).unwrap_or_default();
        data.insert("Event", Map::from_iter([("Name", Value::from(event.name)), ("Error", error)]).into());
        data.insert("HelmfileCommand", event.command.into());
        if let Some(release) = release {
            data.insert("Release", crate::path_template::described(release).into());
        }
        let render = |text: &str| template::render(world, outside, self.folder(), file, 0, text, &data);
        let kubectl = mapping(map, "kubectlApply", file)?;
        let own = text(map, "command").unwrap_or_default();
        let (program, arguments) = if kubectl.is_empty() {
            (own, items(map, "args", file)?.iter().map(plain_text).collect())
        } else {
            let refuse = |problem: &str| Err(Diagnostic::error("helmfile-hook", problem.to_owned()).at(span));
            let (flag, path) = match (text(&kubectl, "filename"), text(&kubectl, "kustomize")) {
                (Some(_), Some(_)) => return refuse("kustomize & filename cannot be used together"),
                (Some(path), None) => ("-f", path),
                (None, Some(path)) => ("-k", path),
                (None, None) => return refuse("either kustomize or filename must be given"),
            };
            ("kubectl".to_owned(), vec!["apply".to_owned(), flag.to_owned(), path])
        };
        let name = text(map, "name").unwrap_or_else(|| program.clone());
        Ok(Hook {
            name,
            program: render(&program)?,
            arguments: arguments.iter().map(|argument: &String| render(argument)).collect::<Result<_>>()?,
            folder: self.folder().to_owned(),
            shows_logs: map.get("showlogs").is_some_and(|value| value.truth()),
        })
    }
}
