//! A release as the state file has it, made plain: what it inherits is filled in, its templates are resolved.

use crate::fields::{items, mapping, place, plain_text, text};
use crate::outside::Outside;
use crate::{merge, template, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span};
use onepane_value::{Data, List, Map, MapType, Value, to_yaml};
use onepane_world::World;

/// Templates that inherit one another, one inside the other.
const DEEPEST_INHERITANCE: usize = 100;
/// A field may refer to one that refers to another: so often the release is resolved anew, at most.
const MOST_ROUNDS: usize = 6;

/// What releases are made plain within.
pub(crate) struct Templates<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) outside: &'a dyn Outside,
    pub(crate) folder: &'a Utf8Path,
    pub(crate) file: FileId,
    /// `templates` of the state.
    pub(crate) templates: &'a Map,
    /// `defaultInherit` of the state.
    pub(crate) inherited_by_all: Vec<String>,
    /// What templates see besides `.Release`.
    pub(crate) data: &'a Map,
}

/// The names in `defaultInherit`, which is one or a list.
pub(crate) fn default_inherit(fields: &Map) -> Vec<String> {
    let names = match fields.get("defaultInherit") {
        Some(Value { data: Data::List(list), .. }) => list.iter().map(plain_text).collect(),
        Some(value) if value.truth() => vec![plain_text(&value)],
        _ => Vec::new(),
    };
    names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

impl Templates<'_> {
    /// The release with what it inherits, from all templates that are meant for it.
    pub(crate) fn inherit(&self, release: &Map) -> Result<Map> {
        let own = inherits(release, self.file)?;
        let is_named = |name: &String| own.iter().any(|inherit| inherit.template == *name);
        let by_default = self.inherited_by_all.iter().filter(|name| !is_named(name));
        let span = place(&release.get("name").unwrap_or_default(), self.file);
        let by_default = by_default.map(|name| Inherit { template: name.clone(), except: Vec::new(), span });
        let mut all: Vec<Inherit> = by_default.collect();
        all.extend(own);
        self.filled(release, &all, &mut Vec::new())
    }

    fn filled(&self, release: &Map, inherited: &[Inherit], path: &mut Vec<String>) -> Result<Map> {
        let mut merged = Map::new();
        for inherit in inherited {
            let name = &inherit.template;
            let error = |message: String| Diagnostic::error("helmfile-inherit", message).at(inherit.span);
            if path.contains(name) || path.len() > DEEPEST_INHERITANCE {
                return Err(error(format!("cyclic inheritance detected: {}->{name}", path.join("->"))));
            }
            let template = self.templates.get(name);
            let Some(template) = template.as_ref().and_then(Value::as_map) else {
                return Err(error(format!("there is no release template `{name}` to inherit")));
            };
            path.push(name.clone());
            let template = self.filled(template, &inherits(template, self.file)?, path)?;
            path.pop();
            for field in &inherit.except {
                const EXCEPTED: [&str; 7] =
                    ["labels", "values", "valuesTemplate", "setTemplate", "set", "setString", "secrets"];
                if !EXCEPTED.contains(&field.as_str()) {
                    return Err(error(format!("`{field}` is not allowed in `except` of `inherit`")));
                }
                template.remove(field);
            }
            merged = merge::fill(&merged, &template);
        }
        let merged = merge::fill(&merged, release);
        merged.remove("inherit");
        Ok(merged)
    }

    /// The release with the templates in its fields resolved, which see the release as it comes out of that.
    pub(crate) fn resolve(&self, release: &Map) -> Result<Map> {
        let mut previous = release.shallow_copy();
        for _ in 0..MOST_ROUNDS {
            let next = self.resolve_once(release, &self.data(&previous))?;
            if Value::from(next.clone()).deep_equal(&previous.into()) {
                return Ok(next);
            }
            previous = next;
        }
        let name = release.get("name").unwrap_or_default();
        let message = format!("recursive references in the release `{}` can't be resolved", plain_text(&name));
        Err(Diagnostic::error("helmfile-template", message).at(place(&name, self.file)))
    }

    fn data(&self, release: &Map) -> Map {
        data(self.data, release)
    }

    fn resolve_once(&self, release: &Map, data: &Map) -> Result<Map> {
        let out = release.shallow_copy();
        let render = |value: &Value| self.render(value, data);
        const TEXTS: [&str; 8] = [
            "name",
            "chart",
            "namespace",
            "version",
            "installedTemplate",
            "conditionTemplate",
            "waitTemplate",
            "verifyTemplate",
        ];
        for key in TEXTS {
            if let Some(value) = release.get(key).filter(|value| value.as_text().is_some()) {
                let rendered = plain_text(&render(&value)?).trim().to_owned();
                out.insert(key, Value::from(rendered).with_origin(value.origin));
            }
        }
        let labels = Map::new();
        for (key, value) in mapping(release, "labels", self.file)?.entries() {
            labels.insert(key, render(&plain_text(&value).into())?.with_origin(value.origin));
        }
        out.insert("labels", labels.into());
        let mut values = Vec::new();
        for value in items(release, "valuesTemplate", self.file)? {
            values.push(if value.as_map().is_some() { self.render_map(&value, data)? } else { render(&value)? });
        }
        for value in items(release, "values", self.file)? {
            values.push(render(&value)?);
        }
        out.insert("values", values.into_iter().collect::<List>().into());
        let mut set = Vec::new();
        for entry in items(release, "setTemplate", self.file)? {
            set.push(self.render_entry(&entry, data)?);
        }
        set.extend(items(release, "set", self.file)?);
        out.insert("set", set.into_iter().collect::<List>().into());
        for key in ["needs", "secrets", "postRendererArgs"] {
            let list = items(release, key, self.file)?;
            if !list.is_empty() {
                let rendered: Value = list.iter().map(render).collect::<Result<List>>()?.into();
                let origin = release.get(key).unwrap_or_default().origin;
                out.insert(key, rendered.with_origin(origin));
            }
        }
        for key in ["valuesTemplate", "setTemplate"] {
            out.remove(key);
        }
        Ok(out)
    }

    /// A string that is a template, rendered; anything else as it is.
    fn render(&self, value: &Value, data: &Map) -> Result<Value> {
        let Some(text) = value.as_text().filter(|text| text.windows(2).any(|two| two == b"{{")) else {
            return Ok(value.clone());
        };
        let place = place(value, self.file);
        let first_line = place.line.saturating_sub(1) as usize;
        let rendered =
            template::render_text(self.world, self.outside, self.folder, place.file, first_line, &text.to_str(), data)?;
        if let Some(lines) = self.outside.secret_lines().filter(|_| rendered.secret().is_some()) {
            // What it renders to stands where the template does.
            lines.note(place.file, place.line);
        }
        let rendered = rendered.to_string();
        // The lines in front were only there to keep the places right.
        let rendered = rendered.get(first_line..).unwrap_or_default().to_owned();
        Ok(Value::from(rendered).with_origin(value.origin.clone()))
    }

    /// A mapping whose keys and values may be templates: it is rendered as a text.
    fn render_map(&self, value: &Value, data: &Map) -> Result<Value> {
        let span = place(value, self.file);
        let wrong = |error: String| Diagnostic::error("helmfile-template", error).at(span);
        let text = Value::from(to_yaml(value).map_err(wrong)?.without_origin());
        let rendered = self.render(&text, data)?;
        if rendered.deep_equal(&text) {
            return Ok(value.clone());
        }
        let documents = yaml::documents(&plain_text(&rendered), span.file).map_err(|error| wrong(error.message))?;
        let read = documents.into_iter().next().unwrap_or_default();
        Ok(placed(&read, &value.origin))
    }

    fn render_entry(&self, entry: &Value, data: &Map) -> Result<Value> {
        let Some(map) = entry.as_map() else { return Ok(entry.clone()) };
        let out = map.shallow_copy();
        for key in ["name", "value", "file"] {
            if let Some(value) = map.get(key) {
                out.insert(key, self.render(&value, data)?);
            }
        }
        if let Some(Value { data: Data::List(values), origin }) = map.get("values") {
            let values = values.iter().map(|value| self.render(value, data)).collect::<Result<List>>()?;
            out.insert("values", Value::from(values).with_origin(origin));
        }
        Ok(Value::from(out).with_origin(entry.origin.clone()))
    }
}

/// What templates of a release see: `.Release` beside what the state's see.
pub(crate) fn data(state: &Map, release: &Map) -> Map {
    let of = |key: &str| Value::from(text(release, key).unwrap_or_default());
    let labels = Map::of(MapType::String);
    if let Some(Value { data: Data::Map(own), .. }) = release.get("labels") {
        own.for_each(|key, value| {
            labels.insert(key.clone(), plain_text(value).into());
        });
    }
    let described = Map::from_iter([
        ("Name", of("name")),
        ("Namespace", of("namespace")),
        ("Chart", of("chart")),
        ("ChartVersion", of("version")),
        ("KubeContext", of("kubeContext")),
        ("Labels", labels.into()),
    ]);
    let data = state.shallow_copy();
    data.insert("Release", described.into());
    data
}

/// The value with one place for all of it: the text that it was read from is in no file.
fn placed(value: &Value, origin: &Origin) -> Value {
    let data = match &value.data {
        Data::List(list) => Data::List(list.iter().map(|item| placed(item, origin)).collect()),
        Data::Map(map) => {
            Data::Map(map.entries().into_iter().map(|(key, value)| (key, placed(&value, origin))).collect())
        }
        other => other.clone(),
    };
    Value::from(data).with_origin(origin.clone())
}

/// An entry of `inherit`.
struct Inherit {
    template: String,
    except: Vec<String>,
    span: Span,
}

fn inherits(release: &Map, file: FileId) -> Result<Vec<Inherit>> {
    let entries = match release.get("inherit") {
        // Before v0.151 there was one and no list of them.
        Some(one @ Value { data: Data::Map(_), .. }) => vec![one],
        _ => items(release, "inherit", file)?,
    };
    let entries = entries.iter().map(|entry| {
        let span = place(entry, file);
        let Some(map) = entry.as_map() else {
            return Err(Diagnostic::error("helmfile-field", "`inherit` takes mappings with a `template`").at(span));
        };
        let except = items(map, "except", file)?.iter().map(plain_text).collect();
        Ok(Inherit { template: text(map, "template").unwrap_or_default(), except, span })
    });
    let entries: Vec<Inherit> = entries.collect::<Result<_>>()?;
    Ok(entries.into_iter().filter(|inherit| !inherit.template.is_empty()).collect())
}
