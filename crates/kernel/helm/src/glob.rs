//! The patterns of `.Files.Glob`, as gobwas/glob reads them with `/` as the separator.

use regex_lite::Regex;

const SPECIAL: [char; 7] = ['*', '?', '{', '}', ',', '[', '\\'];

/// Whether names match the pattern; a pattern that can't be read matches every name, as in Helm.
pub(crate) fn matcher(pattern: &str) -> Box<dyn Fn(&str) -> bool + '_> {
    let (start, rest) = pattern.split_at(pattern.find(SPECIAL).unwrap_or(pattern.len()));
    let end = rest.trim_start_matches('*');
    if end.contains(SPECIAL) {
        let regex = translate(pattern).and_then(|text| Regex::new(&text).ok());
        return Box::new(move |name| {
            regex.as_ref().is_none_or(|regex| name.starts_with(start) && regex.is_match(name))
        });
    }
    // Most patterns are a folder, a star and an ending, which takes no regular expression.
    let stars = rest.len() - end.len();
    Box::new(move |name| {
        let between = name.strip_prefix(start).and_then(|name| name.strip_suffix(end));
        between.is_some_and(|between| stars > 1 || !between.contains('/') && (stars == 1 || between.is_empty()))
    })
}

fn translate(pattern: &str) -> Option<String> {
    let mut out = String::from("^(?s:");
    let mut characters = pattern.chars().peekable();
    let mut open = 0;
    while let Some(c) = characters.next() {
        match c {
            '*' if characters.peek() == Some(&'*') => {
                while characters.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            '[' => {
                out.push('[');
                if characters.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
                let mut body: Vec<char> = Vec::new();
                loop {
                    match characters.next()? {
                        ']' => break,
                        '\\' => body.push(characters.next()?),
                        c => body.push(c),
                    }
                }
                match body.as_slice() {
                    [] => return None,
                    // Only a lone pair is a range; anything else is a list of characters.
                    [low, '-', high] => out.push_str(&format!("{}-{}", escaped(*low), escaped(*high))),
                    list => list.iter().for_each(|c| out.push_str(&escaped(*c))),
                }
                out.push(']');
            }
            '\\' => out.push_str(&escaped(characters.next()?)),
            c => out.push_str(&escaped(c)),
        }
    }
    (open == 0).then(|| out + ")$")
}

fn escaped(c: char) -> String {
    format!("\\x{{{:x}}}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_gobwas_does() {
        let cases = [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "d/a.yaml", false),
            ("**.yaml", "d/a.yaml", true),
            ("d/*", "d/a", true),
            ("d/*", "d/", true),
            ("ab*bc", "abc", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/b", false),
            ("*/x*", "d/xy", true),
            ("d/*", "d/e/a", false),
            ("d/**", "d/e/a", true),
            ("{a,b}.txt", "b.txt", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[abc]x", "cx", true),
            ("?", "/", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[", "anything", true),
            ("**", "x/y", true),
            ("a.b", "axb", false),
        ];
        for (pattern, name, wanted) in cases {
            assert_eq!(matcher(pattern)(name), wanted, "{pattern} {name}");
        }
    }
}
