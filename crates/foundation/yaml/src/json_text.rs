//! Strings on their way through JSON.

use std::borrow::Cow;

/// What becomes of a string that sigs.k8s.io/yaml writes as JSON and reads as YAML: nearly always itself. The reader
/// takes NEL for a line break and folds it, and refuses control characters that JSON does not escape.
///
/// The error is go-yaml's text.
pub fn string_through_json(text: &str) -> Result<Cow<'_, str>, &'static str> {
    // DEL, or the first bytes of C1 controls and of non-characters.
    if text.bytes().all(|byte| byte < 0x7F || !matches!(byte, 0x7F | 0xC2 | 0xEF)) {
        return Ok(Cow::Borrowed(text));
    }
    let refused = |character| matches!(character, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.chars().any(refused) {
        return Err("yaml: control characters are not allowed");
    }
    if !text.contains('\u{85}') {
        return Ok(Cow::Borrowed(text));
    }
    // Blanks around a break go, one break makes a space, more make one line feed less than there are. Tabs and line
    // feeds of the text itself are escapes in JSON and stay.
    let mut folded = String::with_capacity(text.len());
    let mut parts = text.split('\u{85}').peekable();
    let mut first = true;
    let mut breaks = 0;
    while let Some(part) = parts.next() {
        let start = if first { part } else { part.trim_start_matches(' ') };
        let last = parts.peek().is_none();
        let part = if last { start } else { start.trim_end_matches(' ') };
        if !first {
            breaks += 1;
            if !part.is_empty() || last {
                match breaks {
                    1 => folded.push(' '),
                    more => (1..more).for_each(|_| folded.push('\n')),
                }
                breaks = 0;
            }
        }
        folded.push_str(part);
        first = false;
    }
    Ok(Cow::Owned(folded))
}

/// [`string_through_json`] for a key, which may be no longer than 1024 characters in its quotes and must stay on its
/// line.
pub fn key_through_json(key: &str) -> Result<Cow<'_, str>, &'static str> {
    if key.len() > 160 && json_width(key) > 1022 {
        return Err("yaml: did not find expected ',' or '}'");
    }
    if key.contains('\u{85}') {
        return Err("yaml: line 1: did not find expected ',' or '}'");
    }
    string_through_json(key)
}

/// How many characters a string takes within its quotes.
fn json_width(text: &str) -> usize {
    text.chars()
        .map(|character| match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\x08' | '\x0C' => 2,
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
            _ => 1,
        })
        .sum()
}
