//! The head of a manifest: what sorting it and telling hooks needs, and whether it is YAML at all.

mod skim;

use onepane_chart::Compat;
use onepane_chart::decode::{self, Target};
use onepane_value::{from_yaml, from_yaml_as_go};
use onepane_yaml::{Dialect, EventKind, Events, Properties, Scalar, Style, resolve_plain};

/// `apiVersion`, `kind` and the parts of `metadata` that Helm looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Annotations of Helm's own, `helm.sh/…`.
    pub(crate) annotations: Vec<(String, String)>,
}

impl Head {
    /// Reads the first document of `manifest` to its end. The error is Helm's text, without the file's name.
    pub(crate) fn read(manifest: &[u8], compat: Compat) -> Result<Self, String> {
        let Ok(text) = std::str::from_utf8(manifest) else {
            // go-yaml's reader is the one to say what is wrong with the bytes.
            return Err(from_yaml_as_go(&String::from_utf8_lossy(manifest))
                .err()
                .unwrap_or_else(|| "error converting YAML to JSON: yaml: invalid leading UTF-8 octet".to_owned()));
        };
        match skim::skim(text).or_else(|| scan(text)) {
            Some(head) => Ok(head),
            None => decode_whole(text, compat),
        }
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Where the scan stands: keys of the document, of `metadata`, of `metadata.annotations`, or of what nobody asks for.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Document,
    Metadata,
    Annotations,
    Other,
}

/// A collection that is open: what it is, and whether the next node is a key.
struct Open<'a> {
    level: Level,
    mapping: bool,
    key: Option<&'a str>,
    expects_key: bool,
}

/// Reads the head event by event, without building anything else.
///
/// `None` for whatever is out of the ordinary (aliases, tags, merge keys, other letter case, duplicates, errors): the
/// thorough way decides then.
fn scan(text: &str) -> Option<Head> {
    let mut events = Events::new(text, None).ok()?;
    let mut head = Head::default();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut seen = [false; 5];
    // Keys live as long as their events, whose texts may be owned; only borrowed ones are kept.
    loop {
        let event = events.next().ok()?;
        match event.kind {
            EventKind::DocumentStart => {}
            EventKind::StreamEnd | EventKind::DocumentEnd => return Some(head),
            EventKind::Alias(_) => return None,
            EventKind::SequenceStart { ref properties, .. } | EventKind::MappingStart { ref properties, .. } => {
                if !is_plain(properties) {
                    return None;
                }
                let mapping = matches!(event.kind, EventKind::MappingStart { .. });
                let level = match open.last_mut() {
                    None if mapping => Level::Document,
                    None => return None,
                    Some(parent) if parent.mapping => {
                        if parent.expects_key {
                            return None;
                        }
                        parent.expects_key = true;
                        level_within(parent.level, parent.key, mapping)?
                    }
                    Some(_) => Level::Other,
                };
                open.push(Open { level, mapping, key: None, expects_key: mapping });
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => {
                open.pop();
            }
            EventKind::Scalar(value, style, properties) => {
                if !is_plain(&properties) {
                    return None;
                }
                let plain = style == Style::Plain;
                // Infinities are no JSON.
                if plain && unusual(&value) {
                    return None;
                }
                let parent = match open.last_mut() {
                    Some(parent) => parent,
                    // A document that is nothing has an empty head; any other scalar is an error.
                    None if plain && value.is_empty() => continue,
                    None => return None,
                };
                if !parent.mapping {
                    continue;
                }
                if parent.expects_key {
                    parent.expects_key = false;
                    parent.key = key_of(&value, parent.level, &mut seen)?;
                    if parent.level == Level::Annotations && value.starts_with("helm.sh/") {
                        head.annotations.push((value.into_owned(), String::new()));
                        parent.key = Some("helm.sh");
                    }
                    continue;
                }
                parent.expects_key = true;
                use_of(&mut head, parent.level, parent.key)?.take(&value, plain)?;
            }
        }
    }
}

/// The level of a collection that is the value of a key.
fn level_within(level: Level, key: Option<&str>, mapping: bool) -> Option<Level> {
    match (level, key) {
        (Level::Document, Some("metadata")) if mapping => Some(Level::Metadata),
        (Level::Metadata, Some("annotations")) if mapping => Some(Level::Annotations),
        (Level::Annotations, _) => None,
        (Level::Document, Some("apiVersion" | "kind" | "metadata")) => None,
        (Level::Metadata, Some("name" | "annotations")) => None,
        _ => Some(Level::Other),
    }
}

/// What is done with a scalar that is the value of a key.
enum Use<'h> {
    Nothing,
    /// Kept, unless it is null.
    Text(&'h mut String),
    /// It can only be null.
    Null,
}

fn use_of<'h>(head: &'h mut Head, level: Level, key: Option<&str>) -> Option<Use<'h>> {
    Some(match (level, key) {
        (Level::Document, Some("apiVersion")) => Use::Text(&mut head.api_version),
        (Level::Document, Some("kind")) => Use::Text(&mut head.kind),
        (Level::Metadata, Some("name")) => Use::Text(&mut head.name),
        (Level::Annotations, Some("helm.sh")) => Use::Text(&mut head.annotations.last_mut()?.1),
        (Level::Document, Some("metadata")) | (Level::Metadata, Some("annotations")) => Use::Null,
        _ => Use::Nothing,
    })
}

impl Use<'_> {
    fn take(self, value: &str, plain: bool) -> Option<()> {
        let resolved = || if plain { resolve_plain(value, Dialect::V2) } else { Scalar::String(value.into()) };
        match self {
            Self::Nothing => Some(()),
            Self::Null => (resolved() == Scalar::Null).then_some(()),
            Self::Text(place) => match resolved() {
                Scalar::String(_) => {
                    value.clone_into(place);
                    Some(())
                }
                Scalar::Null => Some(()),
                _ => None,
            },
        }
    }
}

fn is_plain(properties: &Properties<'_>) -> bool {
    properties.tag.is_none() && properties.anchor.is_none()
}

fn unusual(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    digits.starts_with('.') || value == "<<"
}

/// The key as one that the scan knows; `None` where only the thorough way will do, `Some(None)` for any other key.
fn key_of(value: &str, level: Level, seen: &mut [bool; 5]) -> Option<Option<&'static str>> {
    const KEYS: [(&str, Level); 5] = [
        ("apiVersion", Level::Document),
        ("kind", Level::Document),
        ("metadata", Level::Document),
        ("name", Level::Metadata),
        ("annotations", Level::Metadata),
    ];
    for (index, (key, at)) in KEYS.into_iter().enumerate() {
        if at == level && value.eq_ignore_ascii_case(key) {
            if value != key || std::mem::replace(&mut seen[index], true) {
                return None;
            }
            return Some(Some(key));
        }
    }
    Some(None)
}

/// Reads everything and takes the head out of it, with all of Go's conversions and errors.
fn decode_whole(text: &str, compat: Compat) -> Result<Head, String> {
    let value = match from_yaml(text, None) {
        Ok(value) => value,
        Err(error) => return Err(from_yaml_as_go(text).err().unwrap_or(error.message)),
    };
    let mut head = Head::default();
    let go_type = match compat {
        Compat::Helm4 => "util.SimpleHead",
        Compat::Helm3 => "releaseutil.SimpleHead",
    };
    let whole = Target { structure: "", field: "", go_type };
    let Some(map) = decode::entries(&value, whole)? else { return Ok(head) };
    const METADATA: &str = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \
                            \"json:\\\"annotations\\\"\" }";
    decode::fields(map, &["apiVersion", "kind", "metadata"], |field, value| {
        let target = |go_type| Target { structure: "SimpleHead", field, go_type };
        match field {
            "apiVersion" => head.api_version = decode::string(value, target("string"))?.unwrap_or_default(),
            "kind" => head.kind = decode::string(value, target("string"))?.unwrap_or_default(),
            _ => {
                let Some(metadata) = decode::entries(value, target(METADATA))? else { return Ok(()) };
                decode::fields(metadata, &["name", "annotations"], |field, value| {
                    let path = format!("metadata.{field}");
                    let target = |go_type| Target { structure: "", field: &path, go_type };
                    if field == "name" {
                        head.name = decode::string(value, target("string"))?.unwrap_or_default();
                        return Ok(());
                    }
                    let Some(map) = decode::entries(value, target("map[string]string"))? else { return Ok(()) };
                    map.try_for_each(|key, value| {
                        let value = decode::string(value, target("string"))?.unwrap_or_default();
                        if key.starts_with(b"helm.sh/") {
                            head.annotations.push((key.to_string(), value));
                        }
                        Ok(())
                    })
                })?;
            }
        }
        Ok(())
    })?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: &str = "# c\napiVersion: v1\nkind: Pod\nmetadata:\n  name: \"x\"\n  labels: {name: y, kind: z}\n  \
                            annotations:\n    a: b\n    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"5\"\nspec:\n  \
                            - metadata: {name: inner}\n";

    #[test]
    fn the_quick_way_and_the_thorough_one_agree() {
        for text in [ORDINARY, "", "# only a comment\n", "kind: A\nmetadata:\n", "a: {b: [c]}\n"] {
            let quick = scan(text).unwrap_or_else(|| panic!("{text:?} is ordinary"));
            assert_eq!(quick, decode_whole(text, Compat::Helm4).expect(text), "{text:?}");
        }
        let head = scan(ORDINARY).expect("it is ordinary");
        assert_eq!((head.kind.as_str(), head.name.as_str()), ("Pod", "x"));
        assert_eq!(head.annotation("helm.sh/hook-weight"), Some("5"));
    }

    /// What is taken line by line, among it each thing that may end a block, a scalar or a sequence.
    const BY_LINE: &str = "# c\napiVersion: v1\nkind: Pod # c\nmetadata:\n  name: \"x\"\n  labels:\n    'a.b/c': \"d\\\"e\" # c\n\
                           \n    e: 'it''s'\n  annotations:\n    a: b\n    \"helm.sh/hook\": pre-install\n    helm.sh/hook-weight: \"5\"\n\
                           spec:\n  empty: {}\n  none: [] # c\n  null: ~\n  nothing:\n  items:\n  - a: 1\n    b:\n    - --flag=x:y#z\n    - x\n  \
                           - |\n    text:\n\n      more\n  - 'q'\n  -\n    c: d\n  last: >-\n    folded\n\n    # text\n    text\n  # c\n  \
                           deeper:\n      - e: f\n        g:\n          h: \"i\"\n      - -1\ndata:\n  key: |-\n    {{ a: [b\n";

    #[test]
    fn what_is_read_by_line_is_what_the_events_say() {
        assert_eq!(skim::skim(BY_LINE), scan(BY_LINE));
        assert!(skim::skim(BY_LINE).is_some());
        let mut taken = 0;
        let mut check = |text: &str| {
            if let Some(head) = skim::skim(text) {
                taken += 1;
                assert_eq!(Some(head), scan(text), "{text}");
            }
        };
        for at in 0..BY_LINE.len() {
            let (before, from) = BY_LINE.split_at(at);
            let behind = &from[1..];
            check(before);
            check(&format!("{before}{behind}"));
            for other in [
                " ", "  ", "\n", ":", ": ", "-", "- ", "#", " #", "\"", "'", "|", "{", "]", "a", "5", ".", "&", "*",
                "!", "\\", "~", "%",
            ] {
                check(&format!("{before}{other}{from}"));
                check(&format!("{before}{other}{behind}"));
            }
        }
        assert!(taken > 1000, "{taken}");
    }

    #[test]
    fn the_unusual_is_read_thoroughly() {
        let cases = [
            ("Kind: A\n", "A"),
            ("kind: 5\n", "5"),
            ("kind: yes\n", "true"),
            ("kind: A\nkind: B\n", "B"),
            ("x: &a B\nkind: *a\n", "B"),
            ("kind: !!str A\n", "A"),
            ("<<: {kind: A}\n", "A"),
        ];
        for (text, kind) in cases {
            assert_eq!(scan(text), None, "{text:?}");
            assert_eq!(Head::read(text.as_bytes(), Compat::Helm4).expect(text).kind, kind, "{text:?}");
        }
    }

    #[test]
    fn errors_are_helms() {
        let decoding = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ";
        let cases = [
            ("- a\n", "array into Go value of type util.SimpleHead"),
            ("text\n", "string into Go value of type util.SimpleHead"),
            ("kind: [a]\n", "array into Go struct field SimpleHead.kind of type string"),
            ("metadata: {name: [a]}\n", "array into Go struct field .metadata.name of type string"),
            ("metadata: {annotations: {a: [b]}}\n", "array into Go struct field .metadata.annotations of type string"),
        ];
        for (text, wanted) in cases {
            assert_eq!(Head::read(text.as_bytes(), Compat::Helm4), Err(format!("{decoding}{wanted}")), "{text:?}");
        }
        let error = Head::read(b"a: b: c\n", Compat::Helm4).expect_err("it is no YAML");
        assert_eq!(error, "error converting YAML to JSON: yaml: mapping values are not allowed in this context");
    }
}
