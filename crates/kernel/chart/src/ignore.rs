//! `.helmignore`, in Helm's own dialect: no `**`, the first rule that matches decides, and a rule that starts with `!`
//! ignores whatever it does *not* match.

/// The rules of a chart.
pub(crate) struct IgnoreRules(Vec<Rule>);

struct Rule {
    pattern: String,
    shape: Shape,
    negate: bool,
    folders_only: bool,
    scope: Scope,
}

/// What a pattern takes to match. Nearly all are names or endings, and every rule is held against every file.
enum Shape {
    /// It is the text itself.
    Text,
    /// A star and text behind it.
    Ending,
    Glob,
}

#[derive(PartialEq)]
enum Scope {
    /// The pattern has a slash: it is matched against the path from the chart's root.
    Path,
    /// It is matched against the last component.
    Name,
}

impl IgnoreRules {
    /// Reads the rules; Helm's own rule, hidden files in `templates/`, comes after those of the file.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text));
        let mut rules = Vec::new();
        for line in text.lines().chain(["templates/.?*"]) {
            rules.extend(Rule::parse(line)?);
        }
        Ok(Self(rules))
    }

    /// Whether the file or folder at `path` is left out; nothing below an ignored folder is looked at.
    pub(crate) fn ignores(&self, path: &str, folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        for rule in &self.0 {
            let matches = (!rule.folders_only || folder) && rule.matches(path, name);
            if matches != rule.negate {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        matches_glob(line, "abc").map_err(|BadPattern| "syntax error in pattern".to_owned())?;
        let (negate, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (folders_only, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let (scope, pattern) = match rest.strip_prefix('/') {
            Some(rooted) => (Scope::Path, rooted),
            None if rest.contains('/') => (Scope::Path, rest),
            None => (Scope::Name, rest),
        };
        let is_text = |text: &str| !text.contains(['*', '?', '[', '\\']);
        let shape = match pattern.strip_prefix('*') {
            _ if is_text(pattern) => Shape::Text,
            Some(ending) if is_text(ending) => Shape::Ending,
            _ => Shape::Glob,
        };
        Ok(Some(Self { pattern: pattern.to_owned(), shape, negate, folders_only, scope }))
    }

    fn matches(&self, path: &str, name: &str) -> bool {
        let subject = match self.scope {
            Scope::Path => path,
            Scope::Name => name,
        };
        match self.shape {
            Shape::Text => self.pattern == subject,
            // The star stops at a slash.
            Shape::Ending => subject.strip_suffix(&self.pattern[1..]).is_some_and(|start| !start.contains('/')),
            // Most of what a pattern does not match begins with something else.
            Shape::Glob => {
                let plain = self.pattern.find(['*', '?', '[', '\\']).unwrap_or(0);
                subject.starts_with(&self.pattern[..plain]) && matches_glob(&self.pattern, subject).unwrap_or(false)
            }
        }
    }
}

/// The pattern can't be read.
#[derive(Debug, PartialEq)]
pub struct BadPattern;

/// Whether the whole of `name` matches `pattern` by the rules of Go's `path/filepath.Match`: `*` and `?` stop at a
/// slash, `[a-z]` and `[^a-z]` are classes, a backslash quotes.
///
/// A bad pattern is an error only as far as it is looked at, as in Go. Time is linear in the product of the lengths.
pub fn matches_glob(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the present try fails: the last star and the character it has to swallow next.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            while p < pattern.len() && pattern[p] == '*' {
                p += 1;
            }
            star = Some((p, n));
            continue;
        }
        let step = match (pattern.get(p), name.get(n)) {
            (None, None) => return Ok(true),
            (None, Some(_)) => None,
            (Some(_), subject) => match_one(&pattern[p..], subject.copied())?,
        };
        match step {
            Some(length) => {
                p += length;
                n += 1;
            }
            None => match star {
                Some((after, at)) if at < name.len() && name[at] != '/' => {
                    star = Some((after, at + 1));
                    p = after;
                    n = at + 1;
                }
                _ => {
                    // What is left must still be well formed.
                    while p < pattern.len() {
                        p += if pattern[p] == '*' { 1 } else { element_length(&pattern[p..])? };
                    }
                    return Ok(false);
                }
            },
        }
    }
}

/// The length of the pattern's first element if it matches `subject`.
fn match_one(pattern: &[char], subject: Option<char>) -> Result<Option<usize>, BadPattern> {
    let length = element_length(pattern)?;
    let Some(subject) = subject else { return Ok(None) };
    let matches = match pattern[0] {
        '?' => subject != '/',
        '\\' => pattern.get(1) == Some(&subject),
        '[' => {
            let body = &pattern[1..length - 1];
            let (negated, body) = match body.first() {
                Some('^') => (true, &body[1..]),
                _ => (false, body),
            };
            let mut found = false;
            let mut at = 0;
            while at < body.len() {
                let (low, next) = class_character(body, at)?;
                let (high, next) =
                    if body.get(next) == Some(&'-') { class_character(body, next + 1)? } else { (low, next) };
                found |= low <= subject && subject <= high;
                at = next;
            }
            found != negated
        }
        literal => literal == subject,
    };
    Ok(matches.then_some(length))
}

fn class_character(body: &[char], at: usize) -> Result<(char, usize), BadPattern> {
    match body.get(at) {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => body.get(at + 1).map(|&c| (c, at + 2)).ok_or(BadPattern),
        Some(&c) => Ok((c, at + 1)),
    }
}

fn element_length(pattern: &[char]) -> Result<usize, BadPattern> {
    match pattern[0] {
        '\\' => {
            if pattern.len() > 1 {
                Ok(2)
            } else {
                Err(BadPattern)
            }
        }
        '[' => {
            let mut at = if pattern.get(1) == Some(&'^') { 2 } else { 1 };
            let first = at;
            loop {
                match pattern.get(at) {
                    None => return Err(BadPattern),
                    Some(']') if at > first => return Ok(at + 1),
                    Some('\\') => at += 2,
                    Some(_) => at += 1,
                }
            }
        }
        _ => Ok(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_gos_do() {
        // From running filepath.Match.
        let cases = [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a?c", "a/c", Ok(false)),
            ("[a-c]x", "bx", Ok(true)),
            ("[^a-c]x", "bx", Ok(false)),
            ("\\*", "*", Ok(true)),
            ("a[", "a", Err(BadPattern)),
            ("*.yaml", "a.yaml", Ok(true)),
            ("templates/.?*", "templates/.hidden", Ok(true)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("a", "ab", Ok(false)),
            ("", "", Ok(true)),
            ("*x", "xxx", Ok(true)),
        ];
        for (pattern, name, wanted) in cases {
            assert_eq!(matches_glob(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn rules_decide_in_order() {
        let rules =
            IgnoreRules::parse(b"# comment\n*.md\n/root.txt\nfolder/\nsub/*.txt\n").expect("the rules are good");
        let cases = [
            ("README.md", false, true),
            ("a/README.md", false, true),
            ("root.txt", false, true),
            ("a/root.txt", false, false),
            ("folder", true, true),
            ("folder", false, false),
            ("sub/x.txt", false, true),
            ("templates/.x", false, true),
            ("templates/x", false, false),
        ];
        for (path, folder, wanted) in cases {
            assert_eq!(rules.ignores(path, folder), wanted, "{path}");
        }
        let negated = IgnoreRules::parse(b"!keep.txt\n").expect("the rules are good");
        assert!(negated.ignores("other.txt", false));
        assert!(!negated.ignores("keep.txt", false));
        assert!(IgnoreRules::parse(b"a/**\n").is_err());
    }
}
