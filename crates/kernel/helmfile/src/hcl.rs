//! Values in HCL: attributes in blocks `values`, which may use one another as `hv.NAME`, and those in the blocks `locals`
//! of their own file as `local.NAME`.

mod functions;

use camino::{Utf8Path, Utf8PathBuf};
use hcl::eval::{Context, Evaluate};
use hcl::{Body, Expression, Value as Hcl};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_value::{List, Map, Value};
use onepane_world::World;

/// More attributes than this are not meant.
const MOST: usize = 10_000;

/// An attribute that is to be evaluated.
struct Attribute {
    name: String,
    expression: Expression,
    /// Which file it is of.
    file: usize,
}

/// The values in files, each named at a place. Of an attribute that is there more than once, mappings are joined, and of
/// anything else the last one counts.
pub(crate) fn values(world: &dyn World, files: &[(Utf8PathBuf, Span)]) -> Result<Map> {
    let mut locals: Vec<hcl::Map<String, Hcl>> = Vec::new();
    let mut attributes: Vec<Attribute> = Vec::new();
    for (file, (path, span)) in files.iter().enumerate() {
        let body = read(world, path, *span)?;
        let of = |block: &str| {
            let blocks = body.blocks().filter(|one| one.identifier() == block).collect::<Vec<_>>();
            let attributes = blocks.into_iter().flat_map(|block| block.body().attributes());
            attributes
                .map(|one| Attribute { name: one.key().to_owned(), expression: one.expr().clone(), file })
                .collect::<Vec<_>>()
        };
        let own = evaluated(of("locals"), "local", path, |_| hcl::Map::new())?;
        locals.push(own);
        attributes.extend(of("values"));
    }
    let Some((first, _)) = files.first() else { return Ok(Map::new()) };
    let all = evaluated(attributes, "hv", first, |file| {
        hcl::Map::from_iter([("local".to_owned(), Hcl::Object(locals.get(file).cloned().unwrap_or_default()))])
    })?;
    let origin = Origin::at(Step::ValuesFile, Span::file(first));
    Ok(all.into_iter().map(|(name, value)| (name, converted(value, &origin))).collect())
}

fn read(world: &dyn World, path: &Utf8Path, span: Span) -> Result<Body> {
    let bytes = world.read(path).map_err(|error| Diagnostic::error("helmfile-values", error.to_string()).at(span))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Diagnostic::error("helmfile-values", format!("`{path}` is not UTF-8")).at(span))?;
    hcl::parse(text).map_err(|error| {
        let (line, column) = match &error {
            hcl::Error::Parse(error) => (error.location().line(), error.location().column()),
            _ => (1, 1),
        };
        let place = Span::new(FileId::new(path), line as u32, column as u32);
        Diagnostic::error("helmfile-values", format!("HCL: {}", first_line(&error.to_string()))).at(place)
    })
}

/// The last line that says something: what is wrong, behind the excerpt.
fn first_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// Evaluates attributes, each as soon as those that it uses are: as `NAME.…` they see one another, and what `beside` says
/// of their file.
fn evaluated(
    attributes: Vec<Attribute>,
    name: &str,
    path: &Utf8Path,
    beside: impl Fn(usize) -> hcl::Map<String, Hcl>,
) -> Result<hcl::Map<String, Hcl>> {
    let refuse = |message: String| Diagnostic::error("helmfile-values", format!("HCL: {message}")).at(Span::file(path));
    if attributes.len() > MOST {
        return Err(refuse(format!("there are more than {MOST} values")));
    }
    // All of one name are evaluated together, so that none is used before it is whole.
    let mut waiting: hcl::Map<String, Vec<Attribute>> = hcl::Map::new();
    for attribute in attributes {
        waiting.entry(attribute.name.clone()).or_default().push(attribute);
    }
    let mut done: hcl::Map<String, Hcl> = hcl::Map::new();
    while !waiting.is_empty() {
        let open: Vec<String> = waiting.keys().cloned().collect();
        let is_ready = |all: &[Attribute]| all.iter().all(|one| !uses(&one.expression, name, &open));
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, all)| is_ready(all));
        if ready.is_empty() {
            return Err(refuse(format!("the variables {} need one another, or what is not there", open.join(", "))));
        }
        let mut next = hcl::Map::new();
        for (key, all) in ready {
            let mut whole = Hcl::Null;
            for attribute in all {
                let mut context = Context::new();
                functions::declare(&mut context);
                for (key, value) in beside(attribute.file) {
                    context.declare_var(hcl::Identifier::sanitized(&key), value);
                }
                context.declare_var(hcl::Identifier::sanitized(name), Hcl::Object(done.clone()));
                let value = attribute.expression.evaluate(&context);
                let value =
                    value.map_err(|error| refuse(format!("error when trying to evaluate variable {key}: {error}")))?;
                whole = merged(whole, value);
            }
            next.insert(key, whole);
        }
        done.extend(next);
        waiting = rest.into_iter().collect();
    }
    Ok(done)
}

/// Whether an expression uses one of the names as `ROOT.NAME`.
fn uses(expression: &Expression, root: &str, names: &[String]) -> bool {
    // What is written of it tells: an identifier, a dot, a name.
    let text = hcl::format::to_string(expression).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(&format!("{root}.")).any(|(at, mark)| {
        let starts = !text[..at].ends_with(is_word) && !text[..at].ends_with('.');
        let rest = &text[at + mark.len()..];
        let name = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        starts && names.iter().any(|one| one == name)
    })
}

fn merged(below: Hcl, above: Hcl) -> Hcl {
    match (below, above) {
        (below, Hcl::Null) => below,
        (Hcl::Object(mut below), Hcl::Object(above)) => {
            for (key, value) in above {
                let value = match below.shift_remove(&key) {
                    Some(before) => merged(before, value),
                    None => value,
                };
                below.insert(key, value);
            }
            Hcl::Object(below)
        }
        (_, above) => above,
    }
}

fn converted(value: Hcl, origin: &Origin) -> Value {
    let value = match value {
        Hcl::Null => Value::default(),
        Hcl::Bool(value) => value.into(),
        Hcl::Number(number) => Value::float(number.as_f64().unwrap_or_default()),
        Hcl::String(text) => text.into(),
        Hcl::Array(items) => items.into_iter().map(|item| converted(item, origin)).collect::<List>().into(),
        Hcl::Object(entries) => {
            Map::from_iter(entries.into_iter().map(|(key, value)| (key, converted(value, origin)))).into()
        }
    };
    value.with_origin(origin.clone())
}
