//! `.Files`: the files of a chart that are no templates.

use crate::capabilities::no_arguments;
use crate::glob::matcher;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_chart::File;
use onepane_diagnostics::{Origin, Step};
use onepane_value::{ElementType, Kind, List, Map, MapType, Object, Text, Value, to_yaml};
use std::any::Any;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// `engine.files`: a map of byte slices with methods.
pub(crate) struct ChartFiles {
    files: BTreeMap<Rc<str>, Rc<ChartFile>>,
    tracked: bool,
}

/// A file, and its text once that was asked for.
struct ChartFile {
    file: File,
    text: OnceCell<Text>,
}

impl ChartFile {
    fn new(file: &File) -> Self {
        Self { file: file.clone(), text: OnceCell::new() }
    }
}

impl std::fmt::Debug for ChartFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

impl ChartFiles {
    pub(crate) fn new(files: &[File], tracked: bool) -> Self {
        let files = files.iter().map(|file| (file.name.clone(), Rc::new(ChartFile::new(file)))).collect();
        Self { files, tracked }
    }

    fn text(&self, ChartFile { file, text }: &ChartFile) -> Text {
        let read = || {
            let text = Text::from(file.bytes());
            if self.tracked { text.with_origin(&Origin::at(Step::Source, file.place())) } else { text }
        };
        text.get_or_init(read).clone()
    }

    fn bytes(&self, file: Option<&ChartFile>) -> Value {
        List::bytes(file.map(|file| self.text(file)).unwrap_or_default()).into()
    }

    /// `name: contents` for all files, names without folders, as YAML without the last line break.
    fn as_yaml(&self, contents: impl Fn(&ChartFile) -> Value) -> Value {
        let map = Map::of(MapType::String);
        for (name, file) in &self.files {
            map.insert(base_name(name), contents(file));
        }
        // What can't be written is an empty string, as with `toYaml`.
        let yaml = to_yaml(&map.into()).unwrap_or_default();
        let end = yaml.len() - usize::from(yaml.ends_with(b"\n"));
        Value::string(yaml.slice(0..end))
    }

    fn lines(&self, file: Option<&ChartFile>) -> List {
        let Some(file) = file.filter(|file| !file.file.bytes().is_empty()) else {
            return List::of(ElementType::String, []);
        };
        let text = self.text(file);
        let end = text.len() - usize::from(text.ends_with(b"\n"));
        let mut lines = Vec::new();
        let mut start = 0;
        for (at, byte) in text[..end].iter().enumerate() {
            if *byte == b'\n' {
                lines.push(Value::string(text.slice(start..at)));
                start = at + 1;
            }
        }
        lines.push(Value::string(text.slice(start..end)));
        List::of(ElementType::String, lines)
    }
}

/// Go's `path.Base`.
fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Object for ChartFiles {
    fn type_name(&self) -> Cow<'static, str> {
        "engine.files".into()
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn field(&self, name: &str) -> Option<Value> {
        // A missing key of a Go map is the zero value of its type, an empty slice.
        Some(self.bytes(self.files.get(name).map(Rc::as_ref)))
    }

    fn has_method(&self, name: &str) -> bool {
        matches!(name, "Get" | "GetBytes" | "Glob" | "AsConfig" | "AsSecrets" | "Lines")
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        match name {
            "AsConfig" => {
                no_arguments(name, arguments)?;
                return Ok(self.as_yaml(|file| Value::string(self.text(file))));
            }
            "AsSecrets" => {
                no_arguments(name, arguments)?;
                return Ok(self.as_yaml(|file| Value::string(STANDARD.encode(file.file.bytes()))));
            }
            _ => {}
        }
        let argument = match arguments {
            [argument] => argument
                .as_text()
                .ok_or_else(|| format!("wrong type for value; expected string; got {}", argument.type_name()))?,
            _ => return Err(format!("wrong number of args for {name}: want 1 got {}", arguments.len())),
        };
        let text = argument.to_str();
        let file = self.files.get(&*text).map(Rc::as_ref);
        Ok(match name {
            "Get" => Value::string(file.map(|file| self.text(file)).unwrap_or_default()),
            "GetBytes" => self.bytes(file),
            "Lines" => self.lines(file).into(),
            _ => {
                let matches = matcher(&text);
                let files = self.files.iter().filter(|(name, _)| matches(name));
                let files = files.map(|(name, file)| (name.clone(), file.clone())).collect();
                Value::object(Self { files, tracked: self.tracked })
            }
        })
    }

    fn plain(&self) -> Value {
        self.files.iter().map(|(name, file)| (&**name, self.bytes(Some(file)))).collect::<Map>().into()
    }

    fn truth(&self) -> bool {
        !self.files.is_empty()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    fn files() -> ChartFiles {
        let file = |name: &str, text: &str| File::new(name, FileId::new(name), text.as_bytes().into());
        ChartFiles::new(&[file("conf/a.txt", "one\ntwo\n"), file("b.txt", ""), file("c.md", "x")], false)
    }

    #[test]
    fn methods_answer_as_helms() {
        let files = files();
        let call = |name: &str, argument: &str| files.call(name, &[argument.into()]).expect(name);
        assert_eq!(call("Get", "conf/a.txt").as_text().expect("a string"), &"one\ntwo\n");
        assert_eq!(call("Get", "absent").as_text().expect("a string"), &"");
        let lines = call("Lines", "conf/a.txt");
        let lines: Vec<String> =
            lines.as_list().expect("a list").iter().map(|line| format!("{:?}", line.data)).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(call("Lines", "b.txt").as_list().expect("a list").len(), 0);
        let globbed = call("Glob", "**.txt");
        assert!(globbed.truth());
        assert!(!call("Glob", "*.nothing").truth());
        assert!(files.call("Get", &[]).is_err());
    }
}
