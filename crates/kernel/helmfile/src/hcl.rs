//! Values in HCL: attributes in blocks `values`, which may use one another as `hv.NAME`, and those in the block `locals`
//! of their own file as `local.NAME`.
//!
//! The text is read by `hcl-edit`; what its expressions are worth is decided here, with cty's types, since Helmfile's
//! values are those that cty computes: `evaluation` is where to start, `functions` has what can be called.

mod conversion;
mod evaluation;
mod functions;
mod names;
mod number;
mod templates;
#[cfg(test)]
mod tests;
mod value;

use camino::{Utf8Path, Utf8PathBuf};
use evaluation::{Problem, Scope, evaluate};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_value::{List, Map, Value};
use onepane_world::World;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use value::{Data, Type, Value as Cty};

/// More attributes than this are not meant.
const MOST: usize = 10_000;

/// A file as it was read.
struct Source {
    file: FileId,
    text: String,
    body: Body,
}

/// An attribute that is to be evaluated.
#[derive(Clone, Copy)]
struct Definition<'a> {
    expression: &'a Expression,
    source: &'a Source,
    /// Which file it is of.
    file: usize,
}

/// All attributes of one name, in the order of the files.
type Definitions<'a> = BTreeMap<&'a str, Vec<Definition<'a>>>;

/// The values in files, each named at a place. Of an attribute that is there more than once, mappings are joined, and of
/// anything else the last one counts.
pub(crate) fn values(world: &dyn World, files: &[(Utf8PathBuf, Span)]) -> Result<Map> {
    let sources: Vec<Source> =
        files.iter().map(|(path, span)| Source::read(world, path, *span)).collect::<Result<_>>()?;
    let steps = Cell::new(0);
    let mut locals = Vec::new();
    let mut definitions = Definitions::new();
    for (file, source) in sources.iter().enumerate() {
        let (own, blocks) = source.blocks()?;
        let mut local = Definitions::new();
        source.define(own, file, &mut local)?;
        let local = evaluated(&local, "local", &steps, |_| None)?;
        locals.push(Cty::object(local.into_iter().map(|(name, value)| (name.into(), value))));
        for block in blocks {
            source.define(Some(block), file, &mut definitions)?;
        }
    }
    let all = evaluated(&definitions, "hv", &steps, |file| locals.get(file).cloned())?;
    let place = |name: &str| definitions.get(name).and_then(|all| all.last().copied());
    let map = Map::new();
    for (name, value) in &all {
        let Some(definition) = place(name) else { continue };
        let span = definition.source.span(evaluation::start(definition.expression));
        let origin = Origin::at(Step::ValuesFile, span);
        let value = plain(value, &origin)
            .ok_or_else(|| refused(span, format!("`{name}`: a number does not fit into 64 bits")))?;
        map.insert(name.as_str(), value);
    }
    Ok(map)
}

fn refused(span: Span, message: impl std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error("helmfile-values", format!("HCL: {message}")).at(span)
}

impl Source {
    fn read(world: &dyn World, path: &Utf8Path, span: Span) -> Result<Self> {
        let bytes =
            world.read(path).map_err(|error| Diagnostic::error("helmfile-values", error.to_string()).at(span))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Diagnostic::error("helmfile-values", format!("`{path}` is not UTF-8")).at(span))?;
        let file = FileId::new(path);
        let text = without_empty_heredocs(text);
        let body = text.parse::<Body>().map_err(|error| {
            let location = error.location();
            refused(Span::new(file, location.line() as u32, location.column() as u32), error.message())
        })?;
        Ok(Self { file, text, body })
    }

    /// The block `locals`, and the blocks `values`.
    fn blocks(&self) -> Result<(Option<&Block>, Vec<&Block>)> {
        let (mut locals, mut values) = (None, Vec::new());
        for structure in self.body.iter() {
            let at = structure.span().map_or(0, |span| span.start);
            let block = match structure {
                Structure::Block(block) => block,
                Structure::Attribute(attribute) => {
                    let message =
                        format!("`{}` stands in a block `values` or `locals`", attribute.key.value().as_str());
                    return Err(self.refused(at, message));
                }
            };
            let name = block.ident.value().as_str();
            if !block.labels.is_empty() {
                return Err(self.refused(at, format!("a block `{name}` has no labels")));
            }
            match name {
                "values" => values.push(block),
                "locals" if locals.is_some() => {
                    return Err(self.refused(at, "a file has one block `locals` only"));
                }
                "locals" => locals = Some(block),
                _ => return Err(self.refused(at, format!("`{name}` is no block: `values` and `locals` are"))),
            }
        }
        Ok((locals, values))
    }

    /// Adds the attributes of a block.
    fn define<'a>(&'a self, block: Option<&'a Block>, file: usize, to: &mut Definitions<'a>) -> Result<()> {
        for structure in block.iter().flat_map(|block| block.body.iter()) {
            let attribute: &Attribute = match structure {
                Structure::Attribute(attribute) => attribute,
                Structure::Block(block) => {
                    let at = structure.span().map_or(0, |span| span.start);
                    let name = block.ident.value().as_str();
                    return Err(self.refused(at, format!("a block `{name}` can't stand within another one")));
                }
            };
            let definition = Definition { expression: &attribute.value, source: self, file };
            to.entry(attribute.key.value().as_str()).or_default().push(definition);
        }
        Ok(())
    }

    fn refused(&self, at: usize, message: impl std::fmt::Display) -> Box<Diagnostic> {
        refused(self.span(at), message)
    }

    fn span(&self, at: usize) -> Span {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Span::new(self.file, line as u32, column as u32)
    }
}

/// The text with `""` for heredocs without lines, in whose place spaces keep all others: the parser looks for the end of
/// one behind its first line only.
fn without_empty_heredocs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // What ends the heredoc that a line is in.
    let mut within: Option<&str> = None;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        if let Some(end) = within {
            within = Some(end).filter(|end| line.trim() != *end);
            continue;
        }
        let Some((before, start)) = line.trim_end().rsplit_once("<<") else { continue };
        let end = start.strip_prefix('-').unwrap_or(start);
        let is_name = !end.is_empty() && end.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if !is_name || before.trim_start().starts_with(['#', '/']) {
            continue;
        }
        within = Some(end);
        if let Some(last) = lines.next_if(|next| next.trim() == end) {
            within = None;
            out.truncate(out.len() - line.len() + before.len());
            out.push_str("\"\"");
            let rest = &line[before.len() + 2..];
            for part in [rest, last] {
                out.extend(part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            }
        }
    }
    out
}

/// Evaluates attributes, each as soon as those that it uses are: as `ROOT.…` they see one another, and as `local` what
/// there is for their file.
fn evaluated(
    definitions: &Definitions<'_>,
    root: &str,
    steps: &Cell<u64>,
    local: impl Fn(usize) -> Option<Cty>,
) -> Result<BTreeMap<String, Cty>> {
    let apart = (root == "hv").then_some("local");
    let mut done: BTreeMap<String, Cty> = BTreeMap::new();
    for name in order(definitions, root, apart)? {
        let mut whole: Option<Cty> = None;
        for definition in &definitions[name] {
            let fault = |problem: Problem| {
                let message = format!("`{name}`: {}", problem.message);
                definition.source.refused(problem.at, message)
            };
            // Others can't be told from those that are not there.
            let used = names::used(definition.expression, &definition.source.text, apart).map_err(fault)?;
            let seen = used.into_iter().filter_map(|used| Some((used.as_str().into(), done.get(&used)?.clone())));
            let seen = Cty::object(seen);
            let mut variables = vec![(root, seen)];
            variables.extend(local(definition.file).map(|local| ("local", local)));
            let scope = Scope::new(&definition.source.text, variables, steps);
            let value = evaluate(definition.expression, &scope).map_err(fault)?;
            whole = Some(match whole {
                None => value,
                Some(below) => merged(&below, &value).ok_or_else(|| {
                    let at = evaluation::start(definition.expression);
                    definition.source.refused(at, format!("`{name}`: the maps are of different types"))
                })?,
            });
        }
        done.extend(whole.map(|whole| (name.to_owned(), whole)));
    }
    Ok(done)
}

/// The names in an order in which each comes behind what it uses.
fn order<'a>(definitions: &Definitions<'a>, root: &str, apart: Option<&str>) -> Result<Vec<&'a str>> {
    if let Some(first) = definitions.values().flatten().next()
        && definitions.values().map(Vec::len).sum::<usize>() > MOST
    {
        return Err(refused(Span::new(first.source.file, 1, 1), format!("there are more than {MOST} values")));
    }
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, all) in definitions {
        let used = uses.entry(*name).or_default();
        for definition in all {
            let own = names::used(definition.expression, &definition.source.text, apart)
                .map_err(|problem| definition.source.refused(problem.at, format!("`{name}`: {}", problem.message)))?;
            if let Some(missing) = own.iter().find(|used| !definitions.contains_key(used.as_str())) {
                let at = evaluation::start(definition.expression);
                let message = format!("`{name}` uses `{root}.{missing}`, which is not there");
                return Err(definition.source.refused(at, message));
            }
            used.extend(own);
        }
    }
    let mut users: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut missing: BTreeMap<&'a str, usize> = BTreeMap::new();
    for name in definitions.keys() {
        missing.insert(name, uses[name].len());
        for used in &uses[name] {
            users.entry(used).or_default().push(name);
        }
    }
    let mut order: Vec<&str> = missing.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut next = 0;
    while let Some(name) = order.get(next) {
        for user in users.get(name).into_iter().flatten() {
            if let Some(count) = missing.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    order.push(user);
                }
            }
        }
        next += 1;
    }
    if let Some(first) = missing.iter().find(|(_, count)| **count > 0).map(|(name, _)| *name) {
        let done: BTreeSet<&str> = order.into_iter().collect();
        let chain = circle(&uses, first, &done);
        let definition = definitions[chain[0]][0];
        let message = format!("values use one another in a circle: {}", chain.join(" -> "));
        return Err(definition.source.refused(evaluation::start(definition.expression), message));
    }
    Ok(order)
}

/// A way from a name to itself, along what is used and not done.
fn circle<'a>(uses: &'a BTreeMap<&str, BTreeSet<String>>, from: &'a str, done: &BTreeSet<&str>) -> Vec<&'a str> {
    let mut way: Vec<&str> = vec![from];
    loop {
        let last = way[way.len() - 1];
        // What is left uses something that is left.
        let Some(next) = uses[last].iter().find(|used| !done.contains(used.as_str())) else { return way };
        if let Some(start) = way.iter().position(|name| *name == next.as_str()) {
            way.drain(..start);
            way.push(next);
            return way;
        }
        way.push(next);
    }
}

/// Objects are joined with objects and maps with maps; otherwise what is above counts, but for null.
fn merged(below: &Cty, above: &Cty) -> Option<Cty> {
    let joins = matches!((&below.kind, &above.kind), (Type::Object(_), Type::Object(_)) | (Type::Map(_), Type::Map(_)));
    if above.is_null() {
        return Some(below.clone());
    }
    if below.is_null() || !joins {
        return Some(above.clone());
    }
    let mut entries: BTreeMap<Rc<str>, Cty> = below.entries().collect();
    for (name, value) in above.entries() {
        let value = match entries.get(&name) {
            Some(before) => merged(before, &value)?,
            None => value,
        };
        entries.insert(name, value);
    }
    match &above.kind {
        Type::Map(of) => Cty::map(of, entries),
        _ => Some(Cty::object(entries)),
    }
}

/// As a value of ours; nothing where a number is too large. All numbers are floats, as they come through JSON there.
fn plain(value: &Cty, origin: &Origin) -> Option<Value> {
    let plainly: Value = match &value.data {
        Data::Null => Value::default(),
        Data::Bool(value) => (*value).into(),
        Data::Number(number) => Value::float(number.to_f64()?),
        Data::String(text) => (**text).into(),
        Data::Sequence(_) => value
            .items()
            .map(|item| plain(&item, origin))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .collect::<List>()
            .into(),
        Data::Mapping(_) => {
            let map = Map::new();
            for (name, entry) in value.entries() {
                map.insert(&*name, plain(&entry, origin)?);
            }
            map.into()
        }
    };
    Some(plainly.with_origin(origin.clone()))
}
