//! Streams of manifests as Kubernetes' decoder reads them, and as much of each object as the rules ask for.

use onepane_chart::decode::{self, DECODING, Target};
use onepane_value::{Data, JsonStreamError, Value, from_json_stream, from_yaml_as_go};

/// What the rules look at.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// The objects of a stream one by one, up to the first that can't be read; `None` for what says nothing.
///
/// What starts with a brace is read as JSON, value by value. Where that fails early on, it is read as YAML from there,
/// document by document; where that fails too, the error is JSON's.
pub(super) struct Objects<'a> {
    rest: &'a str,
    /// What was taken off the stream.
    offset: usize,
    /// How many objects were read as JSON; `None` once it is read as YAML.
    json: Option<usize>,
    failed: bool,
}

impl<'a> Objects<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        /// How far Kubernetes looks for the brace.
        const LOOKED_AT: usize = 4096;
        let brace = text.find(|c: char| !c.is_whitespace()).filter(|at| text[*at..].starts_with('{'));
        let json = brace.filter(|at| *at < LOOKED_AT).map(|_| 0);
        Self { rest: text, offset: 0, json, failed: false }
    }

    fn read(&mut self) -> Result<Option<Option<Object>>, String> {
        let Some(count) = self.json else { return self.read_yaml() };
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        if self.rest.trim_start_matches(blank).is_empty() {
            return Ok(None);
        }
        let error = match from_json_stream(self.rest.as_bytes()) {
            Ok((value, length)) => match Object::of_json(&value) {
                Ok(object) => {
                    self.take(length);
                    self.json = Some(count + 1);
                    return Ok(Some(object));
                }
                Err(message) => message,
            },
            Err(JsonStreamError::End) => "unexpected EOF".to_owned(),
            Err(JsonStreamError::Syntax(message, _)) if count > 1 => message,
            Err(JsonStreamError::Syntax(message, at)) => format!("json: offset {}: {message}", self.offset + at),
        };
        if count > 1 {
            return Err(error);
        }
        // The rest of the line on which a JSON value ended.
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.take(self.rest[..blanks].find('\n').map_or(blanks, |at| at + 1));
        self.json = None;
        self.read_yaml().map_err(|_| error)
    }

    /// A line that starts with `---` ends a document that has begun, and may hold nothing else but a comment.
    fn read_yaml(&mut self) -> Result<Option<Option<Object>>, String> {
        let mut end = 0;
        for line in self.rest.split_inclusive('\n') {
            if let Some(rest) = line.strip_prefix("---") {
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    return Err(format!("invalid Yaml document separator: {rest}"));
                }
                if end > 0 {
                    let document = &self.rest[..end];
                    self.take(end + line.len());
                    return Object::of_yaml(document).map(Some);
                }
            }
            end += line.len();
        }
        let document = self.rest;
        self.take(end);
        if document.is_empty() { Ok(None) } else { Object::of_yaml(document).map(Some) }
    }

    fn take(&mut self, length: usize) {
        self.rest = &self.rest[length..];
        self.offset += length;
    }
}

impl Iterator for Objects<'_> {
    type Item = Result<Option<Object>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read().transpose();
        self.failed = matches!(read, Some(Err(_)));
        read
    }
}

impl Object {
    fn of_yaml(document: &str) -> Result<Option<Self>, String> {
        Self::read(&from_yaml_as_go(&document.replace("\r\n", "\n"))?, decode::string)
    }

    fn of_json(value: &Value) -> Result<Option<Self>, String> {
        // JSON's numbers don't become texts, as YAML's do.
        let string = |value: &Value, target: Target<'_>| match &value.data {
            Data::Nil | Data::String(_) => decode::string(value, target),
            _ => Err(target.mismatch(value)),
        };
        Self::read(value, string).map_err(|message| message.strip_prefix(DECODING).unwrap_or(&message).to_owned())
    }

    /// `None` for null. The error is Go's text.
    fn read(
        value: &Value,
        string: impl Fn(&Value, Target<'_>) -> Result<Option<String>, String>,
    ) -> Result<Option<Self>, String> {
        let mut object = Self::default();
        let whole = Target { structure: "", field: "", go_type: "rules.k8sYamlStruct" };
        let Some(map) = decode::entries(value, whole)? else { return Ok(None) };
        decode::fields(map, &["apiVersion", "Kind", "Metadata"], |field, value| {
            let target = |go_type| Target { structure: "k8sYamlStruct", field, go_type };
            match field {
                "apiVersion" => object.api_version = string(value, target("string"))?.unwrap_or_default(),
                "Kind" => object.kind = string(value, target("string"))?.unwrap_or_default(),
                _ => {
                    let metadata = decode::entries(value, target("rules.k8sYamlMetadata"))?;
                    let Some(metadata) = metadata else { return Ok(()) };
                    decode::fields(metadata, &["Namespace", "Name"], |field, value| {
                        let path = format!("Metadata.{field}");
                        let target = Target { structure: "k8sYamlMetadata", field: &path, go_type: "string" };
                        let text = string(value, target)?;
                        if field == "Name" {
                            object.name = text.unwrap_or_default();
                        }
                        Ok(())
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(Some(object))
    }
}
