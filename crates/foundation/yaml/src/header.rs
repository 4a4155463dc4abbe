//! [`read_header`]: what a manifest says of itself, without a tree.

use crate::resolve::{Dialect, Scalar, resolve_plain};
use crate::syntax::{Event, EventKind, Parser, SyntaxError};
use crate::{MAX_DEPTH, Style};
use std::borrow::Cow;

/// What Helm wants to know of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// `apiVersion`
    pub api_version: Cow<'a, str>,
    /// `kind`
    pub kind: Cow<'a, str>,
    /// `metadata.name`
    pub name: Cow<'a, str>,
    /// `metadata.annotations`, in the order of the text; see [`Header::annotation`].
    pub annotations: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Header<'_> {
    /// An annotation; of several with one key the last.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.iter().rev().find(|(known, _)| known == key).map(|(_, value)| &**value)
    }
}

/// Checks the first document of `text` and gives its header.
///
/// `None` where the document is not plain enough to say so without building it: aliases, merge keys, tags, keys that
/// are no strings, keys that stand twice, numbers that JSON has not, a root that is no mapping. Read it with
/// everything then. The error is one of syntax.
pub fn read_header(text: &str) -> Result<Option<Header<'_>>, Box<SyntaxError>> {
    let text = crate::read::without_byte_order_mark(text);
    let mut parser = Parser::new(text, false)?;
    let mut walk = Walk { header: Header::default(), open: Vec::with_capacity(16), simple: true, root: false };
    loop {
        let event = parser.next()?;
        match event.kind {
            EventKind::DocumentStart => {}
            EventKind::StreamEnd | EventKind::DocumentEnd => break,
            _ => walk.take(event),
        }
    }
    Ok((walk.simple && walk.root).then_some(walk.header))
}

/// Which collection is open.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Metadata,
    Annotations,
    Elsewhere,
}

struct Open<'a> {
    place: Place,
    mapping: bool,
    key: Option<Cow<'a, str>>,
    seen: u8,
}

struct Walk<'a> {
    header: Header<'a>,
    open: Vec<Open<'a>>,
    simple: bool,
    root: bool,
}

impl<'a> Walk<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event.kind {
            EventKind::MappingStart { properties, .. } => self.start(true, properties.tag.is_some()),
            EventKind::SequenceStart { properties, .. } => self.start(false, properties.tag.is_some()),
            EventKind::MappingEnd | EventKind::SequenceEnd => {
                self.open.pop();
                self.end_value();
            }
            EventKind::Scalar(text, style, properties) => {
                self.simple &= properties.tag.is_none();
                self.scalar(text, style == Style::Plain);
            }
            _ => self.simple = false,
        }
    }

    fn start(&mut self, mapping: bool, tagged: bool) {
        let place = match self.open.last() {
            None => Place::Root,
            Some(open) => match (open.place, open.key.as_deref()) {
                // A collection as a key, or where a string belongs.
                (_, None) if open.mapping => {
                    self.simple = false;
                    Place::Elsewhere
                }
                (Place::Root, Some("metadata")) if mapping => Place::Metadata,
                (Place::Metadata, Some("annotations")) if mapping => Place::Annotations,
                (Place::Root, Some("apiVersion" | "kind" | "metadata"))
                | (Place::Metadata, Some("name" | "annotations"))
                | (Place::Annotations, _) => {
                    self.simple = false;
                    Place::Elsewhere
                }
                _ => Place::Elsewhere,
            },
        };
        self.root |= place == Place::Root && mapping;
        self.simple &= !tagged && self.open.len() < MAX_DEPTH;
        self.open.push(Open { place, mapping, key: None, seen: 0 });
    }

    fn end_value(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.key = None;
        }
    }

    fn scalar(&mut self, text: Cow<'a, str>, plain: bool) {
        let Some(open) = self.open.last_mut() else { return };
        let resolved = if plain { kind_of(&text) } else { Scalar::String(Cow::Borrowed("")) };
        if !open.mapping {
            self.simple &= !matches!(resolved, Scalar::Float(value) if !value.is_finite());
            return;
        }
        let Some(key) = open.key.take() else {
            // JSON takes letters of either case for a field's name.
            let field: u8 = match open.place {
                Place::Root | Place::Metadata => match text.to_ascii_lowercase().as_str() {
                    "apiversion" => 1,
                    "kind" => 2,
                    "metadata" => 4,
                    "name" => 8,
                    "annotations" => 16,
                    _ => 0,
                },
                Place::Annotations | Place::Elsewhere => 0,
            };
            let exact = matches!(&*text, "apiVersion" | "kind" | "metadata" | "name" | "annotations");
            self.simple &= matches!(resolved, Scalar::String(_) | Scalar::Int(_) | Scalar::Bool(_));
            self.simple &= !(plain && text == "<<") && open.seen & field == 0 && (field == 0 || exact);
            open.seen |= field;
            open.key = Some(text);
            return;
        };
        self.simple &= !matches!(resolved, Scalar::Float(value) if !value.is_finite());
        let into = match (open.place, &*key) {
            (Place::Root, "apiVersion") => &mut self.header.api_version,
            (Place::Root, "kind") => &mut self.header.kind,
            (Place::Metadata, "name") => &mut self.header.name,
            (Place::Annotations, _) => {
                let text = field_text(&resolved, text, &mut self.simple);
                self.simple &= !matches!(resolve_plain(&key, Dialect::V2), Scalar::Int(_) | Scalar::Bool(_));
                self.header.annotations.push((key, text));
                return;
            }
            (Place::Root, "metadata") | (Place::Metadata, "annotations") => {
                // Nothing is as good as none.
                self.simple &= matches!(resolved, Scalar::Null);
                return;
            }
            _ => return,
        };
        *into = field_text(&resolved, text, &mut self.simple);
    }
}

/// What a plain scalar is, without the text of a string.
fn kind_of(text: &str) -> Scalar<'static> {
    match resolve_plain(text, Dialect::V2) {
        Scalar::Null => Scalar::Null,
        Scalar::Bool(value) => Scalar::Bool(value),
        Scalar::Int(value) => Scalar::Int(value),
        Scalar::Uint(value) => Scalar::Uint(value),
        Scalar::Float(value) => Scalar::Float(value),
        Scalar::String(_) | Scalar::Timestamp(_) | Scalar::Binary(_) => Scalar::String(Cow::Borrowed("")),
    }
}

/// A scalar as a field of type string takes it; `simple` is false where it does not.
fn field_text<'a>(resolved: &Scalar<'_>, text: Cow<'a, str>, simple: &mut bool) -> Cow<'a, str> {
    match resolved {
        Scalar::Null => Cow::Borrowed(""),
        Scalar::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Scalar::Int(value) => Cow::Owned(value.to_string()),
        Scalar::Uint(value) => Cow::Owned(value.to_string()),
        Scalar::Float(_) => {
            *simple = false;
            text
        }
        Scalar::String(_) | Scalar::Timestamp(_) | Scalar::Binary(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_manifests_give_their_header() {
        let text =
            "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations: {a: b, m: 1, t: yes}\n  name: \"x\"\nspec: {}\n";
        let header = read_header(text).expect("it is YAML").expect("it is plain");
        assert_eq!((&*header.api_version, &*header.kind, &*header.name), ("v1", "Pod", "x"));
        let annotations: Vec<_> = header.annotations.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(annotations, [("a", "b"), ("m", "1"), ("t", "true")]);
    }

    #[test]
    fn whatever_is_not_plain_is_left_to_a_full_reading() {
        for text in [
            "",
            "- a\n",
            "text\n",
            "kind: &a X\nother: *a\n",
            "kind: [X]\n",
            "kind: X\nkind: Y\n",
            "Kind: X\n",
            "kind: !!str X\n",
            "<<: {kind: X}\n",
            "metadata: 5\n",
            "x: .inf\n",
            "~: x\n",
        ] {
            assert_eq!(read_header(text).expect("it is YAML"), None, "{text:?}");
        }
        assert!(read_header("kind: [\n").is_err());
    }
}
