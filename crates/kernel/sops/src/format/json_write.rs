//! Trees to JSON, as encoding/json prints them indented.

use crate::failure::refused;
use crate::number::format_json;
use crate::value::{Entry, Value, pairs};
use onepane_diagnostics::Result;

/// Writes a mapping; comments have no place in JSON. `indent` is a number of blanks, or a tab.
pub(super) fn write(branch: &[Entry], indent: Option<usize>) -> Result<Vec<u8>> {
    let indent = indent.map_or_else(|| "\t".to_owned(), |blanks| " ".repeat(blanks.min(64)));
    let mut writer = Writer { text: String::new(), indent, depth: 0 };
    writer.mapping(branch)?;
    writer.text.push('\n');
    Ok(writer.text.into_bytes())
}

struct Writer {
    text: String,
    indent: String,
    depth: usize,
}

impl Writer {
    fn mapping(&mut self, branch: &[Entry]) -> Result<()> {
        self.collection('{', '}', pairs(branch), |writer, pair| {
            writer.string(pair.key.as_bytes());
            writer.text.push_str(": ");
            writer.value(&pair.value)
        })
    }

    fn value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Null | Value::Comment(_) => self.text.push_str("null"),
            Value::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => self.text.push_str(&value.to_string()),
            Value::Float(value) => match format_json(*value) {
                Some(text) => self.text.push_str(&text),
                None => return Err(refused("JSON has no number for infinity or what is not a number")),
            },
            Value::Text(text) => self.string(text.reveal()),
            Value::Time(time) => self.string(time.as_bytes()),
            Value::List(items) => {
                let items = items.iter().filter(|item| !matches!(item, Value::Comment(_)));
                self.collection('[', ']', items, Self::value)?;
            }
            Value::Branch(branch) => self.mapping(branch)?,
        }
        Ok(())
    }

    fn collection<T>(
        &mut self,
        open: char,
        close: char,
        entries: impl Iterator<Item = T>,
        write: impl Fn(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        self.text.push(open);
        self.depth += 1;
        let mut empty = true;
        for entry in entries {
            if !std::mem::replace(&mut empty, false) {
                self.text.push(',');
            }
            self.line();
            write(self, entry)?;
        }
        self.depth -= 1;
        if !empty {
            self.line();
        }
        self.text.push(close);
        Ok(())
    }

    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth {
            self.text.push_str(&self.indent);
        }
    }

    /// Go escapes what would mean something in HTML, too, and each byte that is no UTF-8 becomes the escape of U+FFFD.
    fn string(&mut self, bytes: &[u8]) {
        self.text.push('"');
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|character| self.character(character));
            chunk.invalid().iter().for_each(|_| self.text.push_str("\\ufffd"));
        }
        self.text.push('"');
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            '\u{8}' => self.text.push_str("\\b"),
            '\u{C}' => self.text.push_str("\\f"),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                self.text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => self.text.push(character),
        }
    }
}
