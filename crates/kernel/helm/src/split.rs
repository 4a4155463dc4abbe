//! A rendered file cut into manifests, by lines that start with `---`.

use onepane_chart::Compat;
use onepane_value::Text;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The manifests of a rendered file, without the space before each. Blank ones are left out.
///
/// Like Helm, it cuts wherever a line starts with three dashes, whatever follows them, be it inside a block scalar.
pub fn split(text: &Text, compat: Compat) -> Vec<Text> {
    match compat {
        Compat::Helm4 => split_at_lines(text),
        Compat::Helm3 => split_trimmed(text),
    }
}

fn split_at_lines(text: &Text) -> Vec<Text> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = leading_space(bytes);
    let mut at = start;
    let mut push = |range: Range<usize>| {
        let begin = range.start + leading_space(&bytes[range.clone()]);
        if begin < range.end {
            found.push(text.slice(begin..range.end));
        }
    };
    while at < bytes.len() {
        if bytes[at..].starts_with(b"---") {
            push(start..at);
            at += 3;
            at += bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            start = at;
        }
        at += match onepane_bytes::find(b'\n', &bytes[at..]) {
            Some(end) => end + 1,
            None => break,
        };
    }
    push(start..bytes.len());
    found
}

/// Also without the space behind each, and with all the space around dashes taken for one cut.
fn split_trimmed(text: &Text) -> Vec<Text> {
    static CUT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u)(?:^|\s*\n)---\s*").ok());
    let bytes = text.as_bytes();
    let start = leading_space(bytes);
    let end = trimmed_end(bytes).max(start);
    let mut found = Vec::new();
    let mut at = start;
    let cuts = CUT.as_ref().into_iter().flat_map(|cut| cut.find_iter(&bytes[start..end]));
    let cuts = cuts.map(|cut| (start + cut.start(), start + cut.end())).chain([(end, end)]);
    for (cut, next) in cuts {
        if at < cut {
            let begin = at + leading_space(&bytes[at..cut]);
            found.push(text.slice(begin..begin + trimmed_end(&bytes[begin..cut])));
        }
        at = next;
    }
    found
}

/// How long the text is without the Unicode space at its end.
pub fn trimmed_end(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    while end > 0 {
        let tail = &bytes[end.saturating_sub(4)..end];
        let start = tail.iter().rposition(|byte| byte & 0xC0 != 0x80).unwrap_or(0);
        match std::str::from_utf8(&tail[start..]).ok().and_then(|text| text.chars().next()) {
            Some(c) if c.is_whitespace() => end -= c.len_utf8(),
            _ => break,
        }
    }
    end
}

/// How many bytes of Unicode space the text starts with.
pub fn leading_space(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() {
            if !matches!(byte, b'\t'..=b'\r' | b' ') {
                break;
            }
            at += 1;
            continue;
        }
        match first_character(&bytes[at..]) {
            Some(c) if c.is_whitespace() => at += c.len_utf8(),
            _ => break,
        }
    }
    at
}

fn first_character(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    match std::str::from_utf8(head) {
        Ok(text) => text.chars().next(),
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?.chars().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_cut_at_dashes() {
        let cases: &[(&str, &[&str])] = &[
            ("a: 1\n---\nb: 2\n", &["a: 1\n", "b: 2\n"]),
            ("---\n# Source\n---   \n\n  b: 2", &["# Source\n", "b: 2"]),
            ("a\n---b\n----c", &["a\n", "b\n", "-c"]),
            ("  \n---\n \n", &[]),
            ("x ---\n", &["x ---\n"]),
            ("a\n\n\n", &["a\n\n\n"]),
            ("------", &["---"]),
        ];
        for (text, wanted) in cases {
            let manifests = split(&Text::from(*text), Compat::Helm4);
            let manifests: Vec<String> = manifests.iter().map(Text::to_string).collect();
            assert_eq!(manifests, *wanted, "{text:?}");
        }
    }

    #[test]
    fn helm_3_cuts_space_off_and_dashes_only_after_a_break() {
        let cases: &[(&str, &[&str])] = &[
            ("a: 1\n---\nb: 2\n", &["a: 1", "b: 2"]),
            ("---\n# Source\n---   \n\n  b: 2", &["# Source", "b: 2"]),
            ("a\n---b\n----c", &["a", "b", "-c"]),
            ("  \n---\n \n", &[]),
            ("a\n---\n---\nb", &["a", "---\nb"]),
            ("------", &["---"]),
        ];
        for (text, wanted) in cases {
            let manifests = split(&Text::from(*text), Compat::Helm3);
            let manifests: Vec<String> = manifests.iter().map(Text::to_string).collect();
            assert_eq!(manifests, *wanted, "{text:?}");
        }
    }

    #[test]
    fn space_is_unicode_space() {
        assert_eq!(leading_space("\u{A0}\n x\u{3000}".as_bytes()), 4);
        assert_eq!(leading_space(b"  "), 2);
        assert_eq!(leading_space(b"\xA0x"), 0);
    }
}
