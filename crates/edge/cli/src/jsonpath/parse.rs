//! From text to steps.

use super::{Part, Slice, Step};
use onepane_value::format::{parse_float, parse_int};

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let mut action = Action { text: inside, at: 0, steps: Vec::new() };
        action.read()?;
        rest = &inside[action.at..];
        parts.push(Part::Action(action.steps));
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// The steps of an action that is `text` alone.
fn action(text: &str) -> Result<Vec<Step>, String> {
    match parse(&format!("{{{text}}}"))?.into_iter().next() {
        Some(Part::Action(steps)) => Ok(steps),
        _ => Ok(Vec::new()),
    }
}

/// An action that is being read, up to its `}`.
struct Action<'a> {
    text: &'a str,
    at: usize,
    steps: Vec<Step>,
}

impl<'a> Action<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn read(&mut self) -> Result<(), String> {
        loop {
            let start = self.at;
            if self.rest().starts_with('}') {
                self.at += 1;
                return Ok(());
            }
            if self.rest().starts_with("[?(") {
                self.filter()?;
                continue;
            }
            if self.rest().starts_with("..") {
                self.at += 2;
                if matches!(self.steps.last(), Some(Step::Recursive)) {
                    return Err("invalid multiple recursive descent".to_owned());
                }
                self.steps.push(Step::Recursive);
                if self.peek().is_some_and(is_alphanumeric) {
                    self.field();
                }
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return Err("unclosed action".to_owned()),
                Some(' ' | '@' | '$') => {}
                Some('[') => self.brackets(start)?,
                Some(quote @ ('"' | '\'')) => self.quoted(start, quote)?,
                Some('.') => self.field(),
                Some(c) if c == '+' || c == '-' || c.is_numeric() => {
                    self.at = start;
                    self.number()?;
                }
                Some(c) if is_alphanumeric(c) => {
                    self.at = start;
                    self.word();
                }
                Some(c) => {
                    return Err(format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c)));
                }
            }
        }
    }

    fn word(&mut self) {
        let length = self.rest().find(is_terminator).unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        self.at += length;
        self.steps.push(match word {
            "true" => Step::Bool(true),
            "false" => Step::Bool(false),
            word => Step::Word(word.to_owned()),
        });
    }

    fn number(&mut self) -> Result<(), String> {
        let signed = usize::from(self.rest().starts_with(['+', '-']));
        let digits = &self.rest()[signed..];
        let length = signed + digits.find(|c: char| c != '.' && !c.is_numeric()).unwrap_or(digits.len());
        let number = &self.rest()[..length];
        self.at += length;
        let step = parse_int(number, 10).map(Step::Int).or_else(|_| parse_float(number).map(Step::Float));
        self.steps.push(step.map_err(|_| format!("cannot parse number {number}"))?);
        Ok(())
    }

    /// A field's name up to what ends it; `\` takes the meaning from what follows it.
    fn field(&mut self) {
        let start = self.at;
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.next();
            } else if is_terminator(c) {
                break;
            }
            self.next();
        }
        let name = &self.text[start..self.at];
        self.steps.push(if name == "*" { Step::Wildcard } else { Step::Field(name.replace('\\', "")) });
    }

    fn quoted(&mut self, start: usize, quote: char) -> Result<(), String> {
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated quoted string".to_owned()),
                Some(c) if c == quote && self.before_last() != Some(b'\\') => break,
                Some(_) => {}
            }
        }
        let text = &self.text[start..self.at];
        let unquoted = unquote(&text[1..text.len() - 1], quote);
        let problem = || format!("unquote string {text} error invalid syntax");
        self.steps.push(Step::Text(unquoted.ok_or_else(problem)?));
        Ok(())
    }

    /// The byte before the one that was read last.
    fn before_last(&self) -> Option<u8> {
        self.at.checked_sub(2).and_then(|at| self.text.as_bytes().get(at)).copied()
    }

    fn brackets(&mut self, start: usize) -> Result<(), String> {
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated array".to_owned()),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let inner = &self.text[start + 1..self.at - 1];
        let inner = if inner == "*" { ":" } else { inner };
        if inner.contains(',') {
            let steps = inner.split(',').map(|one| action(&format!("[{}]", one.trim_matches(' '))));
            self.steps.push(Step::Union(steps.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = inner.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).filter(|key| !key.contains('\''));
        match key {
            Some(key) => self.steps.extend(action(&format!(".{key}"))?),
            None => self.steps.push(Step::Slice(slice(inner)?)),
        }
        Ok(())
    }

    fn filter(&mut self) -> Result<(), String> {
        self.at += 3;
        let start = self.at;
        let (mut begun, mut ended, mut quote) = (false, false, '\0');
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated filter".to_owned()),
                Some(c @ ('"' | '\'')) if !begun => (begun, quote) = (true, c),
                Some(c) if c == quote && begun && self.before_last() != Some(b'\\') => ended = true,
                Some(')') if begun == ended => break,
                Some(_) => {}
            }
        }
        let text = &self.text[start..self.at - 1];
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".to_owned());
        }
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let step = match text.find(is_operator).filter(|at| *at > 0) {
            None => Step::Exists(action(text)?),
            Some(at) => {
                let behind = &text[at..];
                let length = behind.find(|c| !is_operator(c)).unwrap_or(behind.len());
                // Something must follow; where nothing does, it is the last sign of the operator.
                let length = if length == behind.len() { length - 1 } else { length };
                match length {
                    0 => Step::Exists(action(text)?),
                    _ => {
                        let (operator, right) = behind.split_at(length);
                        Step::Compare(action(&text[..at])?, operator.to_owned(), action(right)?)
                    }
                }
            }
        };
        self.steps.push(step);
        Ok(())
    }
}

/// `3`, `-1`, `1:3`, `::2`, or nothing, which is the first.
fn slice(text: &str) -> Result<Slice, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| part.strip_prefix('-').unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(format!("invalid array index {text}"));
    }
    let number = |at: usize| match parts.get(at).filter(|part| !part.is_empty()) {
        None => Ok(None),
        Some(part) => parse_int(part, 10).map(Some).map_err(|_| format!("array index {part} is not a number")),
    };
    let start = number(0)?;
    let single = parts.len() == 1;
    let end = if single { Some(start.unwrap_or(0).wrapping_add(1)) } else { number(1)? };
    Ok(Slice { start, end, single, step: number(2)? })
}

/// Go's escapes, in quotes of either kind.
fn unquote(text: &str, quote: char) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == quote {
            return None;
        }
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let byte = match rest.next()? {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            c if c == quote => c as u8,
            'x' => u8::try_from(digits(&mut rest, 2, 16, None)?).ok()?,
            c @ '0'..='7' => u8::try_from(digits(&mut rest, 2, 8, Some(c))?).ok()?,
            c @ ('u' | 'U') => {
                let c = char::from_u32(digits(&mut rest, if c == 'u' { 4 } else { 8 }, 16, None)?)?;
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
                continue;
            }
            _ => return None,
        };
        out.push(byte);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// A number of exactly `count` more digits behind the first one, if there is one.
fn digits(rest: &mut std::str::Chars<'_>, count: usize, radix: u32, first: Option<char>) -> Option<u32> {
    let text: String = first.into_iter().chain(rest.by_ref().take(count)).collect();
    let whole = text.chars().count() == count + usize::from(first.is_some()) && text.chars().all(|c| c.is_digit(radix));
    if whole { u32::from_str_radix(&text, radix).ok() } else { None }
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
