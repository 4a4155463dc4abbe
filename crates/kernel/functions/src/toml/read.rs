//! A value out of TOML, with the types and most of the errors of BurntSushi's decoder.
//!
//! TOML 1.1: line breaks and a last comma in inline tables, `\e` and `\x41`, times without seconds.

mod scalar;
mod tree;

use onepane_value::{List, Value};
use tree::{Path, Tree};

/// How deep arrays and inline tables may be nested, and how many parts a key may have.
const DEPTH: usize = 200;

/// Reads a document; the error is the decoder's text.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader { text, at: 0, line: 1, tree: Tree::default(), table: Vec::new(), key: Vec::new() };
    match reader.document() {
        Ok(()) => Ok(reader.tree.into_value()),
        Err(message) => {
            let key: Vec<String> = reader.table.iter().chain(&reader.key).map(|part| shown_part(part)).collect();
            let last = if key.is_empty() { String::new() } else { format!(" (last key \"{}\")", key.join(".")) };
            // At the end of the text, a line that has not begun does not count.
            let unbegun = reader.peek().is_none() && text.ends_with('\n');
            Err(format!("toml: line {}{last}: {message}", reader.line - usize::from(unbegun)))
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    tree: Tree,
    /// The table that lines go into.
    table: Path,
    /// The key that is being read, below the table.
    key: Path,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<(), String> {
        loop {
            self.skip_blank_lines()?;
            match self.peek() {
                None => return Ok(()),
                Some('[') => self.header()?,
                Some(_) => {
                    self.assignment(0)?;
                    self.key.clear();
                }
            }
            self.skip_spaces();
            match self.peek() {
                None | Some('\n') => {}
                Some('\r') if self.rest().starts_with("\r\n") => {}
                Some('#') => self.comment()?,
                Some(other) => {
                    return Err(format!(
                        "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                        rune(Some(other))
                    ));
                }
            }
        }
    }

    /// `[table]` or `[[table]]`
    fn header(&mut self) -> Result<(), String> {
        self.bump();
        let array = self.eat('[');
        self.table.clear();
        let mut path = Path::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(']') => return Err("unexpected end of table name (table names cannot be empty)".into()),
                Some('.') => return Err("unexpected table separator (table names cannot be empty)".into()),
                _ => {}
            }
            match self.key_part()? {
                Some(part) => push_part(&mut path, part)?,
                None => return Err(self.table_end()),
            }
            self.skip_spaces();
            if self.eat('.') {
                continue;
            }
            if !self.eat(']') {
                return Err(self.table_end());
            }
            break;
        }
        if array && !self.eat(']') {
            let found = rune(self.bump());
            return Err(format!("expected end of table array name delimiter ']', but got {found} instead"));
        }
        if array {
            self.tree.add_to_array(&path)?
        } else {
            self.tree.open(&path)?
        }
        self.table = path;
        Ok(())
    }

    fn table_end(&mut self) -> String {
        let found = rune(self.bump());
        format!("expected '.' or ']' to end table name, but got {found} instead")
    }

    /// `key = value` in the present table.
    fn assignment(&mut self, depth: usize) -> Result<(), String> {
        match self.peek() {
            Some('=') | None => return Err("unexpected '=': key name appears blank".into()),
            Some('.') => return Err("unexpected '.': keys cannot start with a '.'".into()),
            Some(_) => {}
        }
        let outer = self.key.len();
        let mut path = Path::new();
        loop {
            match self.key_part()? {
                Some(part) => push_part(&mut path, part)?,
                None => match self.peek() {
                    Some(found @ ('=' | '.')) => return Err(format!("unexpected '{found}'")),
                    _ => return Err(self.key_end()),
                },
            }
            self.skip_spaces();
            if self.eat('.') {
                self.skip_spaces();
                continue;
            }
            if !self.eat('=') {
                return Err(self.key_end());
            }
            break;
        }
        if outer + path.len() > DEPTH {
            return Err("the key has too many parts".into());
        }
        self.key.extend(path);
        self.skip_spaces();
        if self.peek() == Some('{') {
            return self.inline_table(depth + 1);
        }
        let value = self.value(depth + 1)?;
        let full: Path = self.table.iter().chain(&self.key).cloned().collect();
        self.tree.insert(&full, value)
    }

    fn key_end(&self) -> String {
        match self.peek() {
            None => "unexpected EOF; expected key separator '='".into(),
            found => format!("expected '.' or '=', but got {} instead", rune(found)),
        }
    }

    /// A bare or quoted part of a key; none where neither stands there.
    fn key_part(&mut self) -> Result<Option<String>, String> {
        match self.peek() {
            Some('"') => self.basic_string().map(Some),
            Some('\'') => self.literal_string().map(Some),
            _ => {
                let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
                let rest = self.rest();
                let end = rest.find(|letter| !bare(letter)).unwrap_or(rest.len());
                let part = (end > 0).then(|| rest[..end].to_owned());
                self.at += end;
                Ok(part)
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEPTH {
            return Err("arrays and inline tables are nested too deeply".into());
        }
        match self.peek() {
            None => Err("unexpected EOF; expected value".into()),
            Some('[') => self.array(depth),
            Some('{') => {
                // A table in an array: it has a tree of its own.
                let outer = std::mem::take(&mut self.tree);
                let (table, key) = (std::mem::take(&mut self.table), std::mem::take(&mut self.key));
                self.inline_table(depth)?;
                (self.table, self.key) = (table, key);
                Ok(std::mem::replace(&mut self.tree, outer).into_value())
            }
            Some('"') if self.rest().starts_with("\"\"\"") => self.long_basic_string().map(Value::from),
            Some('"') => self.basic_string().map(Value::from),
            Some('\'') if self.rest().starts_with("'''") => self.long_literal_string().map(Value::from),
            Some('\'') => self.literal_string().map(Value::from),
            Some('.') => Err("floats must start with a digit, not '.'".into()),
            Some('+' | '-' | '0'..='9') => self.number_or_date(),
            Some(letter) if letter.is_alphabetic() => self.boolean(),
            Some(other) => Err(format!("expected value but found {} instead", rune(Some(other)))),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.bump();
        let mut items = Vec::new();
        loop {
            self.skip_blank_lines()?;
            match self.peek() {
                Some(']') => break,
                Some(',') => return Err("unexpected comma".into()),
                _ => {}
            }
            items.push(self.value(depth + 1)?);
            self.skip_blank_lines()?;
            if self.eat(',') {
                continue;
            }
            if self.peek() != Some(']') {
                let found = rune_or_end(self.peek());
                return Err(format!("expected a comma (',') or array terminator (']'), but got {found}"));
            }
        }
        self.bump();
        Ok(List::new(items).into())
    }

    /// `{…}` as the value of the present key.
    fn inline_table(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("arrays and inline tables are nested too deeply".into());
        }
        self.bump();
        let full: Path = self.table.iter().chain(&self.key).cloned().collect();
        self.tree.open_inline(&full)?;
        let outer = self.key.len();
        loop {
            self.skip_blank_lines()?;
            match self.peek() {
                Some('}') => break,
                Some(',') => return Err("unexpected comma".into()),
                _ => {}
            }
            self.assignment(depth)?;
            self.skip_blank_lines()?;
            if self.peek() != Some(',') && self.peek() != Some('}') {
                let found = rune_or_end(self.peek());
                return Err(format!("expected a comma or an inline table terminator '}}', but got {found} instead"));
            }
            self.eat(',');
            self.key.truncate(outer);
        }
        self.key.truncate(outer);
        self.bump();
        Ok(())
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    /// Spaces, line breaks and comments.
    fn skip_blank_lines(&mut self) -> Result<(), String> {
        loop {
            self.skip_spaces();
            match self.peek() {
                Some('\n') => {
                    self.bump();
                }
                Some('\r') if self.rest().starts_with("\r\n") => self.at += 1,
                Some('#') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        while let Some(letter) = self.peek().filter(|letter| *letter != '\n') {
            if letter == '\r' && self.rest().starts_with("\r\n") {
                return Ok(());
            }
            check_control(letter)?;
            self.bump();
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }
}

fn push_part(path: &mut Path, part: String) -> Result<(), String> {
    if path.len() == DEPTH {
        return Err("the key has too many parts".into());
    }
    path.push(part);
    Ok(())
}

fn check_control(letter: char) -> Result<(), String> {
    match letter {
        '\t' | '\n' => Ok(()),
        '\0'..='\x1F' | '\x7F' => {
            Err(format!("TOML files cannot contain control characters: '0x{:02x}'", u32::from(letter)))
        }
        _ => Ok(()),
    }
}

/// A character as Go's `%q`; the end of the text is NUL.
fn rune(letter: Option<char>) -> String {
    match letter.unwrap_or('\0') {
        '\n' => r"'\n'".into(),
        '\t' => r"'\t'".into(),
        '\r' => r"'\r'".into(),
        '\\' => r"'\\'".into(),
        '\'' => r"'\''".into(),
        control @ ('\0'..='\x1F' | '\x7F') => format!("'\\x{:02x}'", u32::from(control)),
        letter => format!("'{letter}'"),
    }
}

fn rune_or_end(letter: Option<char>) -> String {
    if letter.is_none() { "end of file".into() } else { rune(letter) }
}

/// A part of a key in an error.
fn shown_part(part: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !part.is_empty() && part.chars().all(bare) { part.to_owned() } else { format!("\\\"{part}\\\"") }
}
