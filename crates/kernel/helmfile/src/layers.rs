//! A state file read part by part, with the bases it lies on: [`Reader`].

use crate::environment::{Around, Environment};
use crate::fields::{items, mapping, place};
use crate::outside::Outside;
use crate::remote::{self, RemoteSource};
use crate::{merge, tables, template, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, closest};
use onepane_value::Map;
use onepane_world::World;

/// Reads the files of one state.
pub(crate) struct Reader<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) outside: &'a dyn Outside,
    /// Of the state file; paths in its bases are relative to it too.
    pub(crate) folder: &'a Utf8Path,
    /// The environment's name.
    pub(crate) environment: &'a str,
    /// What a state above hands down.
    pub(crate) inherited: Option<&'a Environment>,
    /// What is said from outside, over everything.
    pub(crate) over: Option<&'a Environment>,
    /// `--namespace`
    pub(crate) namespace: &'a str,
}

/// What a file says, its parts and bases merged.
pub(crate) struct Layer {
    pub(crate) fields: Map,
    pub(crate) environment: Environment,
}

/// The environment that exists without being declared.
const DEFAULT: &str = "default";

/// The code of the error for an environment that a state does not know: to be passed over among others.
pub(crate) const UNDEFINED: &str = "helmfile-environment";

impl Reader<'_> {
    /// Reads a state file.
    pub(crate) fn read(&self, path: &Utf8Path) -> Result<Layer> {
        let layer = self.read_file(path, self.inherited, self.over, Role::State)?;
        let environments = mapping(&layer.fields, "environments", FileId::new(path))?;
        let is_given = self.inherited.is_some() || self.over.is_some();
        if environments.is_empty() && !is_given && self.environment != DEFAULT {
            return Err(self.undefined(path, &environments));
        }
        Ok(layer)
    }

    fn undefined(&self, path: &Utf8Path, environments: &Map) -> Box<Diagnostic> {
        let message = format!("environment `{}` is not defined in `{path}`", self.environment);
        let error = Diagnostic::error(UNDEFINED, message).at(Span::file(path));
        let names: Vec<String> = environments.keys().iter().map(ToString::to_string).collect();
        match closest(self.environment, names.iter().map(String::as_str)) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None if names.is_empty() => error,
            None => error.hint(format!("it knows {}", names.join(", "))),
        }
    }

    /// Reads a file, given the environment as it is before.
    fn read_file(
        &self,
        path: &Utf8Path,
        before: Option<&Environment>,
        over: Option<&Environment>,
        role: Role,
    ) -> Result<Layer> {
        let bytes = self.world.read(path).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Diagnostic::error("helmfile-read", format!("`{path}` is not UTF-8")).at(Span::file(path)))?;
        let text = text.replace("\r\n", "\n");
        let file = FileId::new(path);
        check_order(path, &text)?;
        let around = Around { world: self.world, outside: self.outside, folder: self.folder, file };
        let mut environment = before.cloned();
        let mut whole: Option<Map> = None;
        for (first_line, part) in parts(&text) {
            let context = match (&environment, over) {
                (Some(environment), over) => Some(environment.under(over)),
                (None, over) => over.cloned(),
            };
            let mut part = self.read_part(path, first_line, part, context.as_ref())?;
            let bases = items(&part, "bases", file)?;
            if role == Role::Base && !bases.is_empty() {
                let message = "a base can't have `bases` of its own";
                return Err(Diagnostic::error("helmfile-bases", message).at(place(&bases[0], file)));
            }
            let mut below: Option<Map> = None;
            for base in &bases {
                let span = place(base, file);
                let name = crate::fields::plain_text(base);
                let base = match RemoteSource::parse(&name) {
                    Some(source) => remote::fetch(self.outside, &source, "states", span)?,
                    None => onepane_world::normalize(&self.folder.join(&name)),
                };
                let layer = self.read_file(&base, context.as_ref(), None, Role::Base).map_err(|error| {
                    let error = if error.primary.is_none() { error.at(span) } else { error };
                    error.trace(format!("in the base `{name}`"), Some(span))
                })?;
                below = Some(below.map_or_else(|| layer.fields.clone(), |below| merge::layer(&below, &layer.fields)));
            }
            if let Some(below) = below {
                part = merge::layer(&below, &part);
            }
            environment = Some(Environment::after(context.as_ref(), self.environment, &part, &around)?);
            let merged = whole.map_or_else(|| part.clone(), |whole| merge::part(&whole, &part));
            let environments = mapping(&merged, "environments", file)?;
            let is_defined = environments.is_empty() || environments.contains(self.environment);
            if role == Role::State && self.environment != DEFAULT && !is_defined {
                return Err(self.undefined(path, &environments));
            }
            whole = Some(merged);
        }
        let environment = environment.unwrap_or_else(|| Environment::new(self.environment));
        Ok(Layer { fields: whole.unwrap_or_default(), environment })
    }

    /// One part: a template first where the file is one, then documents on top of one another.
    fn read_part(
        &self,
        path: &Utf8Path,
        first_line: usize,
        part: &str,
        environment: Option<&Environment>,
    ) -> Result<Map> {
        let file = FileId::new(path);
        let renders_all = self.world.env("HELMFILE_RENDER_YAML").is_some_and(|value| value == "true");
        let text = if path.extension() == Some("gotmpl") || renders_all {
            let blank = Environment::new(self.environment);
            let data = environment.unwrap_or(&blank).data(self.namespace);
            template::render(self.world, self.outside, self.folder, file, first_line, part, &data)?
        } else {
            // Empty lines in place of the parts before keep the places right.
            "\n".repeat(first_line) + part
        };
        let documents = yaml::parts(&text, &tables::STATE, file)?;
        Ok(documents.iter().fold(Map::new(), |merged, fields| merge::layer(&merged, fields)))
    }
}

/// Refuses what Helmfile refuses to read: environments and releases in one part, or in the wrong order.
fn check_order(path: &Utf8Path, text: &str) -> Result<()> {
    let refuse = |message: String, line: u32| {
        Err(Diagnostic::error("helmfile-order", message).at(Span::new(FileId::new(path), line, 1)))
    };
    let (mut in_part, mut has_keys, mut releases) = (None, false, false);
    let mut seen: Vec<&str> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim_end();
        if content.strip_prefix("---").is_some_and(|rest| rest.trim_matches(' ').is_empty()) {
            has_keys = true;
            in_part = None;
            continue;
        }
        let Some((key, _)) = content.split_once(':') else { continue };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        has_keys = true;
        if releases && matches!(key, "bases" | "environments") {
            return refuse(format!("top-level config key {key} must be defined before releases in {path}"), line);
        }
        releases |= key == "releases";
        // Only where a key stands for the first time counts.
        if matches!(key, "environments" | "releases") && !seen.contains(&key) {
            seen.push(key);
            if in_part.is_some() {
                let message = "environments and releases cannot be defined within the same YAML part. Use --- to \
                               extract the environments into a dedicated part";
                return refuse(message.to_owned(), line);
            }
            in_part = Some(key);
        }
    }
    if has_keys { Ok(()) } else { refuse(format!("no top-level config keys are found in {path}"), 1) }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    State,
    Base,
}

/// The parts of a state file, each with the number of lines before it. A line `---` parts them, but not the first
/// line and not the last: those are YAML's business.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut first_line = 0;
    text.split("\n---\n")
        .map(|part| {
            let before = first_line;
            first_line += part.matches('\n').count() + 2;
            (before, part)
        })
        .collect()
}
