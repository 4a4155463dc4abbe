//! Tables in CSV, as Go's encoding/csv reads them.
//!
//! Our own reader and no library: quotes that stand where they must not are errors there, with their line, and lines
//! without anything are no rows; what libraries offer takes them as they come.

use super::super::value::{Type, Value, normal};
use super::{Fault, Function, Outcome, TEXT, fixed, list, text};
use std::rc::Rc;

pub(super) const FUNCTIONS: &[Function] = &[fixed("csvdecode", &[TEXT], decode)];

/// A list of objects, whose names are in the first row.
fn decode(arguments: &[Value]) -> Outcome {
    let mut rows = Rows { rest: text(arguments, 0)?, line: 0 };
    let names = rows.next()?.ok_or("there is no line with the names of the columns")?;
    let names: Vec<Rc<str>> = names.iter().map(|name| normal(name)).collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(format!("two columns are named {name:?}").into());
        }
    }
    let of = Type::Object(Rc::new(names.iter().map(|name| (name.clone(), Type::String)).collect()));
    let mut objects = Vec::new();
    loop {
        let line = rows.line + 1;
        let Some(row) = rows.next()? else { break };
        if row.len() != names.len() {
            let message = format!("line {line} or behind it: {} fields for {} columns", row.len(), names.len());
            return Err(message.into());
        }
        objects.push(Value::object(names.iter().cloned().zip(row.into_iter().map(Value::from))));
    }
    list(&of, objects)
}

struct Rows<'a> {
    rest: &'a str,
    /// The number of the last line that was read.
    line: usize,
}

impl Rows<'_> {
    /// A line with its end, which is a newline where it was a carriage return and one.
    fn read_line(&mut self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let length = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += 1;
        Some(match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", line.strip_suffix('\r').unwrap_or(line)),
            None => line.strip_suffix('\r').unwrap_or(line).to_owned(),
        })
    }

    fn next(&mut self) -> Result<Option<Vec<String>>, Fault> {
        let mut line = loop {
            match self.read_line() {
                None => return Ok(None),
                Some(line) if line == "\n" => {}
                Some(line) => break line,
            }
        };
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let Some(quoted) = line[at..].strip_prefix('"') else {
                let rest = line[at..].strip_suffix('\n').unwrap_or(&line[at..]);
                let end = rest.find(',');
                let field = &rest[..end.unwrap_or(rest.len())];
                if field.contains('"') {
                    return Err(format!("line {}: a quote in a field that has none around it", self.line).into());
                }
                fields.push(field.to_owned());
                match end {
                    Some(end) => at += end + 1,
                    None => return Ok(Some(fields)),
                }
                continue;
            };
            at = line.len() - quoted.len();
            let mut field = String::new();
            loop {
                let rest = &line[at..];
                let Some(end) = rest.find('"') else {
                    field.push_str(rest);
                    let unclosed = format!("line {}: a quote has no partner", self.line);
                    line = self.read_line().ok_or(unclosed)?;
                    at = 0;
                    continue;
                };
                field.push_str(&rest[..end]);
                at += end + 1;
                match line.as_bytes().get(at) {
                    Some(b'"') => {
                        field.push('"');
                        at += 1;
                    }
                    Some(b',') => {
                        at += 1;
                        fields.push(field);
                        break;
                    }
                    None | Some(b'\n') => {
                        fields.push(field);
                        return Ok(Some(fields));
                    }
                    Some(_) => {
                        return Err(format!("line {}: text behind the quote that ends a field", self.line).into());
                    }
                }
            }
        }
    }
}
