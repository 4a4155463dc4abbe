//! Compiled patterns: [`Pattern`], with Go's ways of walking over matches.

use super::syntax::{self, SyntaxError};
use onepane_value::{Text, TextBuilder};
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input, meta};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// A compiled program larger than this is refused: `expression too large`.
const MAX_PROGRAM: usize = 64 << 20;
/// A render uses few patterns again and again; a hostile one that makes new ones all the time must not fill memory.
const CACHED: usize = 256;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    engine: meta::Regex,
    names: Vec<Option<Box<str>>>,
    is_empty: bool,
}

thread_local! {
    static CACHE: RefCell<HashMap<Box<[u8]>, Rc<Pattern>>> = RefCell::default();
}

impl Pattern {
    /// The pattern in `text`; the error is Go's.
    pub fn compile(text: &[u8]) -> Result<Rc<Self>, String> {
        if let Some(pattern) = CACHE.with_borrow(|cache| cache.get(text).cloned()) {
            return Ok(pattern);
        }
        let pattern = Rc::new(Self::compile_uncached(text)?);
        CACHE.with_borrow_mut(|cache| {
            if cache.len() >= CACHED {
                cache.clear();
            }
            cache.insert(text.into(), pattern.clone());
        });
        Ok(pattern)
    }

    fn compile_uncached(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| {
            let rest = String::from_utf8_lossy(&text[error.valid_up_to()..]).into_owned();
            SyntaxError("invalid UTF-8", rest).to_string()
        })?;
        let syntax::Pattern { hir, names } = syntax::read(text).map_err(|error| error.to_string())?;
        let config = meta::Config::new().nfa_size_limit(Some(MAX_PROGRAM)).onepass_size_limit(Some(1 << 20));
        let engine = meta::Builder::new()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|_| SyntaxError("expression too large", text.to_owned()).to_string())?;
        Ok(Self { engine, names, is_empty: text.is_empty() })
    }

    /// The names of its groups, the first of which is the first in parentheses.
    pub fn groups(&self) -> impl Iterator<Item = Option<&str>> {
        self.names.iter().skip(1).map(|name| name.as_deref())
    }

    /// The matches that do not overlap, as Go's `FindAllStringSubmatchIndex` has them, up to `limit`: of each, where it
    /// is and where each group is, which may not have matched.
    pub fn captures(&self, text: &str, limit: usize) -> Vec<Vec<Option<Range<usize>>>> {
        let mut captures = self.engine.create_captures();
        let all = self.find_all(text.as_bytes(), limit);
        all.into_iter()
            .map(|found| {
                let input = Input::new(text).range(found.start..).anchored(Anchored::Yes);
                self.engine.search_captures(&input, &mut captures);
                (0..captures.group_len()).map(|group| captures.get_group(group).map(|span| span.range())).collect()
            })
            .collect()
    }

    /// Whether it matches anywhere.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.engine.is_match(text)
    }

    /// The leftmost match.
    pub(super) fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        self.engine.find(text).map(|found| found.range())
    }

    /// Up to `limit` matches that do not overlap; an empty one right behind another does not count.
    pub(super) fn find_all(&self, text: &[u8], limit: usize) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut at = 0;
        let mut previous_end = None;
        while all.len() < limit && at <= text.len() {
            let Some(found) = self.engine.find(Input::new(text).range(at..)) else { break };
            let found = found.range();
            let mut counts = true;
            if found.end == at {
                counts = !(found.is_empty() && previous_end == Some(found.start));
                at += width(&text[at..]).max(1);
            } else {
                at = found.end;
            }
            previous_end = Some(found.end);
            if counts {
                all.push(found);
            }
        }
        all
    }

    /// The text with each match replaced by what `replacement` adds.
    pub(super) fn replace_all(
        &self,
        text: &Text,
        with_groups: bool,
        mut replacement: impl FnMut(&mut TextBuilder, &Captures),
    ) -> Option<Text> {
        let mut captures = if with_groups {
            self.engine.create_captures()
        } else {
            Captures::matches(self.engine.group_info().clone())
        };
        let mut out = TextBuilder::new();
        let mut copied = 0;
        let mut at = 0;
        while at <= text.len() {
            self.engine.search_captures(&Input::new(text.as_bytes()).range(at..), &mut captures);
            let Some(found) = captures.get_match().map(|found| found.range()) else { break };
            out.push_slice(text, copied..found.start);
            if found.end > copied || found.start == 0 {
                replacement(&mut out, &captures);
            }
            copied = found.end;
            let next = at + width(&text[at..]).max(1);
            at = next.max(found.end);
        }
        if at == 0 {
            return None;
        }
        out.push_slice(text, copied..text.len());
        Some(out.finish())
    }

    /// Adds `template` with its `$1`, `$name` and `${name}` replaced by what the groups matched in `text`.
    pub(super) fn expand(&self, out: &mut TextBuilder, template: &Text, text: &Text, captures: &Captures) {
        let mut at = 0;
        while let Some(dollar) = template[at..].iter().position(|byte| *byte == b'$') {
            let dollar = at + dollar;
            out.push_slice(template, at..dollar);
            at = dollar + 1;
            if template.get(at) == Some(&b'$') {
                out.push_slice(template, dollar..at);
                at += 1;
                continue;
            }
            let Some((name, length)) = variable_name(&template[at..]) else {
                out.push_slice(template, dollar..at);
                continue;
            };
            at += length;
            let group = match group_number(name) {
                Some(number) => captures.get_group(number),
                None => self
                    .names
                    .iter()
                    .enumerate()
                    .filter(|(_, known)| known.as_deref() == Some(name))
                    .find_map(|(index, _)| captures.get_group(index)),
            };
            if let Some(span) = group {
                out.push_slice(text, span.range());
            }
        }
        out.push_slice(template, at..template.len());
    }

    /// The pieces of `text` between matches, at most `limit` of them; all where it is negative.
    pub(super) fn split(&self, text: &Text, limit: i64) -> Option<Vec<Text>> {
        if limit == 0 {
            return None;
        }
        if !self.is_empty && text.is_empty() {
            return Some(vec![text.clone()]);
        }
        let limit = usize::try_from(limit).ok();
        let mut pieces = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.find_all(text, limit.unwrap_or(usize::MAX)) {
            if limit.is_some_and(|limit| pieces.len() == limit - 1) {
                break;
            }
            end = found.start;
            if found.end != 0 {
                pieces.push(text.slice(begin..end));
            }
            begin = found.end;
        }
        if end != text.len() {
            pieces.push(text.slice(begin..text.len()));
        }
        Some(pieces)
    }
}

/// The length of the character in front; 1 for a byte that belongs to none, 0 at the end.
fn width(text: &[u8]) -> usize {
    let length = match text.first() {
        None => return 0,
        Some(0..=0x7f) => return 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => return 1,
    };
    match text.get(..length).map(std::str::from_utf8) {
        Some(Ok(_)) => length,
        _ => 1,
    }
}

/// The name in front of `text`, which follows a `$`, and how long it is with its braces: as long as letters, digits
/// and underscores go on.
fn variable_name(text: &[u8]) -> Option<(&str, usize)> {
    let braced = text.first() == Some(&b'{');
    let start = usize::from(braced);
    let text = text.get(start..)?;
    let valid = match std::str::from_utf8(text) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).ok()?,
    };
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric());
    let length = valid.find(|c| !is_name(c)).unwrap_or(valid.len());
    let name = valid.get(..length).filter(|name| !name.is_empty())?;
    if braced && text.get(length) != Some(&b'}') {
        return None;
    }
    Some((name, length + 2 * start))
}

/// `12` but not `012`: the latter is a name.
fn group_number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    // No pattern has so many groups, and Go takes so long a number for a name, which none has.
    is_number.then(|| name.parse().unwrap_or(usize::MAX))
}
