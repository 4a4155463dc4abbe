//! The kinds of Kubernetes itself, read from `kubernetes.txt`: [`Table`].
//!
//! The file is made by `scripts/kubernetes-schemas`. A line is one fact; at its end may stand for which versions it holds,
//! as `31-34`, where it does not for all:
//!
//! - `V 1.31 1.32 …`: the versions;
//! - `E NAME VALUE|VALUE…`: the values of a type;
//! - `K APIVERSION KIND PLURAL N|C TYPE`: a kind, namespaced or not;
//! - `T TYPE`: the fields of a type follow, or with `*`, it may be anything;
//! - `FIELD SHAPE [!][=KEY,…]`: a field; `!` where it is required, `=` by which keys its items are told apart.
//!
//! Shapes: `s` text, `b` boolean, `i` and `l` integers of 32 and 64 bits, `n` number, `q` quantity, `p` integer or text,
//! `t` time, `x` base64, `*` anything, `eNAME` a value of that type, `rTYPE` a mapping, `a…` a list, `m…` a map.

use crate::KubernetesVersion;
use crate::shape::{Field, List, Range, Shape, Struct, Structs, Text};
use onepane_resource::Scope;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const TABLE: &str = include_str!("kubernetes.txt");

/// The kinds of one version of Kubernetes.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) structs: Structs,
    /// By `apiVersion` and kind.
    pub(crate) kinds: HashMap<(&'static str, &'static str), Row>,
    /// The type of `metadata`.
    pub(crate) metadata: Shape,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) plural: &'static str,
    pub(crate) scope: Scope,
    pub(crate) shape: Shape,
}

/// The second numbers of the versions, the oldest first.
pub(crate) fn minors() -> impl Iterator<Item = u32> {
    let line = TABLE.lines().find_map(|line| line.strip_prefix("V ")).unwrap_or_default();
    line.split(' ').filter_map(|version| version.strip_prefix("1.")?.parse().ok())
}

/// The kinds of a version; read once.
pub(crate) fn table(version: KubernetesVersion) -> Arc<Table> {
    static READ: Mutex<Vec<(KubernetesVersion, Arc<Table>)>> = Mutex::new(Vec::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, table)) = read.iter().find(|(other, _)| *other == version) {
        return table.clone();
    }
    let table = Arc::new(parse(TABLE, version.minor()));
    read.push((version, table.clone()));
    table
}

fn parse(text: &'static str, minor: u32) -> Table {
    let lines: Vec<&'static str> = text.lines().filter_map(|line| in_version(line, minor)).collect();
    let names: HashMap<&str, usize> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("T "))
        .enumerate()
        .map(|(index, name)| (name.trim_end_matches(" *"), index))
        .collect();
    let opaque: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("T ")?.strip_suffix(" *")).collect();
    let mut reader = Reader { names, opaque, values: HashMap::new() };
    let mut structs = Structs::new();
    let mut kinds = HashMap::new();
    for line in lines {
        let words: Vec<&'static str> = line.split(' ').collect();
        match words.as_slice() {
            ["#" | "V", ..] => {}
            ["E", name, ..] => {
                // Values may have spaces in them.
                let values = line.get(name.len() + 3..).unwrap_or_default();
                reader.values.insert(name, values.split('|').map(Into::into).collect());
            }
            ["K", api_version, kind, plural, scope, name] => {
                let scope = if *scope == "N" { Scope::Namespaced } else { Scope::Cluster };
                let shape = reader.named(name);
                kinds.insert((*api_version, *kind), Row { plural, scope, shape });
            }
            ["T", ..] => structs.push(Struct::default()),
            [name, shape, flags @ ..] => {
                let flags = flags.first().copied().unwrap_or_default();
                let required = flags.starts_with('!');
                let keys = flags.trim_start_matches('!').strip_prefix('=');
                let keys = keys.map(|keys| keys.split(',').map(Into::into).collect()).unwrap_or_default();
                let field = Field { shape: reader.shape(shape, keys), required, nullable: true };
                if let Some(last) = structs.last_mut() {
                    last.fields.insert((*name).into(), field);
                }
            }
            [..] => {}
        }
    }
    let metadata = reader.named("meta.v1.ObjectMeta");
    Table { structs, kinds, metadata }
}

/// The line without its range; `None` where it does not hold for this version.
fn in_version(line: &str, minor: u32) -> Option<&str> {
    let Some((rest, range)) = line.rsplit_once(' ') else { return Some(line) };
    let numbers =
        range.split_once('-').and_then(|(since, until)| Some((since.parse::<u32>().ok()?, until.parse::<u32>().ok()?)));
    match numbers {
        Some((since, until)) => (since..=until).contains(&minor).then_some(rest),
        None => Some(line),
    }
}

struct Reader {
    names: HashMap<&'static str, usize>,
    opaque: Vec<&'static str>,
    values: HashMap<&'static str, Vec<Box<str>>>,
}

impl Reader {
    fn named(&self, name: &str) -> Shape {
        match self.names.get(name) {
            Some(index) if !self.opaque.contains(&name) => Shape::Struct(*index),
            _ => Shape::Any,
        }
    }

    fn shape(&self, text: &str, keys: Vec<Box<str>>) -> Shape {
        let open = Range::default();
        let Some(first) = text.chars().next() else { return Shape::Any };
        let rest = &text[first.len_utf8()..];
        match first {
            's' => Shape::Text(Text::default()),
            'e' => {
                let mut values = self.values.get(rest).cloned().unwrap_or_default();
                // An empty one is as good as none: the default takes its place.
                values.push("".into());
                Shape::Text(Text { values, ..Text::default() })
            }
            'b' => Shape::Boolean,
            'i' => Shape::Integer { short: true, range: open },
            'l' => Shape::Integer { short: false, range: open },
            'n' => Shape::Number(open),
            'q' => Shape::Quantity,
            'p' => Shape::IntOrString,
            't' => Shape::Time,
            'x' => Shape::Bytes,
            'r' => self.named(rest),
            'm' => Shape::Map(Box::new(self.shape(rest, Vec::new()))),
            'a' => {
                let items = self.shape(rest, Vec::new());
                Shape::List(Box::new(List { items, keys, is_set: false, length: open }))
            }
            _ => Shape::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        for minor in minors() {
            let table = parse(TABLE, minor);
            assert!(table.kinds.len() > 60, "1.{minor}: {}", table.kinds.len());
            let unknown: Vec<_> = table
                .kinds
                .iter()
                .filter(|(_, row)| !matches!(row.shape, Shape::Struct(_)))
                .map(|(kind, _)| kind)
                .collect();
            assert!(unknown.is_empty(), "1.{minor}: {unknown:?}");
            assert!(matches!(table.metadata, Shape::Struct(_)));
            let fields: usize = table.structs.iter().map(|one| one.fields.len()).sum();
            let is_field = |line: &&str| !["#", "V ", "E ", "K ", "T "].iter().any(|head| line.starts_with(head));
            let lines = TABLE.lines().filter_map(|line| in_version(line, minor)).filter(is_field).count();
            assert_eq!(fields, lines, "1.{minor}");
        }
    }

    #[test]
    fn versions_differ() {
        let kinds = |minor| parse(TABLE, minor).kinds;
        assert!(kinds(31).contains_key(&("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")));
        assert!(!kinds(32).contains_key(&("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")));
        assert_eq!(in_version("a s ! 33-37", 33), Some("a s !"));
        assert_eq!(in_version("a s ! 33-37", 32), None);
        assert_eq!(in_version("a s", 32), Some("a s"));
    }
}
