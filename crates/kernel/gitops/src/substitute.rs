//! Variables in manifests, as Flux replaces them after a build: [`substitute`].
//!
//! Flux has a fork of drone's envsubst, whose surprises are kept: `:-`, `:=`, `:?`, `:+` and `=` all give the default
//! where the variable is empty, `-` alone is an error, and `$$` is a dollar. `tests/substitute.tsv` holds answers of it.

use std::collections::BTreeMap;

/// Defaults may hold variables, whose defaults may hold variables: this deep.
const DEEPEST: usize = 32;

/// The text with its variables replaced; one that is not there is empty.
///
/// # Errors
/// For what is no variable, with as much of it as tells which is meant.
pub fn substitute(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("$$") {
            out.push('$');
            rest = behind;
        } else if rest.starts_with("${") {
            let (value, behind) = variable(&rest[2..], variables, 0).map_err(|why| {
                let shown: String = rest.lines().next().unwrap_or_default().chars().take(40).collect();
                format!("{why} in `{shown}`")
            })?;
            out.push_str(&value);
            rest = behind;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What the variable behind `${` gives, and what follows its brace.
fn variable<'t>(
    text: &'t str,
    variables: &BTreeMap<String, String>,
    depth: usize,
) -> Result<(String, &'t str), &'static str> {
    if depth > DEEPEST {
        return Err("defaults are nested too deep");
    }
    let (is_length, text) = text.strip_prefix('#').map_or((false, text), |rest| (true, rest));
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err("unable to parse variable name");
    }
    let value = variables.get(name).cloned().unwrap_or_default();
    if let Some(behind) = rest.strip_prefix('}') {
        return Ok((if is_length { value.len().to_string() } else { value }, behind));
    }
    if is_length {
        return Err("missing closing brace");
    }
    for operator in [":-", ":=", ":?", ":+", "="] {
        if let Some(rest) = rest.strip_prefix(operator) {
            let (default, behind) = argument(rest, &['}'], variables, depth)?;
            return Ok((if value.is_empty() { default } else { value }, &behind[1..]));
        }
    }
    let (changed, behind) = if let Some(rest) = rest.strip_prefix(':') {
        let (offset, rest) = argument(rest, &[':', '}'], variables, depth)?;
        let (length, rest) = match rest.strip_prefix(':') {
            Some(rest) => {
                let (length, rest) = argument(rest, &['}'], variables, depth)?;
                (Some(length), rest)
            }
            None => (None, rest),
        };
        (part(&value, &offset, length.as_deref()), rest)
    } else if let Some(rest) = rest.strip_prefix("^^") {
        (value.to_uppercase(), rest)
    } else if let Some(rest) = rest.strip_prefix(",,") {
        (value.to_lowercase(), rest)
    } else if let Some(rest) = rest.strip_prefix('^') {
        (first(&value, |letter| letter.to_uppercase().collect()), rest)
    } else if let Some(rest) = rest.strip_prefix(',') {
        (first(&value, |letter| letter.to_lowercase().collect()), rest)
    } else if let Some(rest) = rest.strip_prefix('/') {
        let (how, rest) = match rest.chars().next() {
            Some(how @ ('/' | '#' | '%')) => (how, &rest[1..]),
            _ => (' ', rest),
        };
        let (from, rest) = argument(rest, &['/', '}'], variables, depth)?;
        let rest = rest.strip_prefix('/').ok_or("bad substitution")?;
        let (to, rest) = argument(rest, &['}'], variables, depth)?;
        (replaced(&value, how, &from, &to), rest)
    } else if let Some(mark) = rest.chars().next().filter(|mark| matches!(mark, '#' | '%')) {
        let doubled = rest[1..].starts_with(mark);
        let (pattern, rest) = argument(&rest[1 + usize::from(doubled)..], &['}'], variables, depth)?;
        (without(&value, mark, doubled, &pattern), rest)
    } else {
        return Err("missing closing brace");
    };
    Ok((changed, behind.strip_prefix('}').ok_or("missing closing brace")?))
}

/// A text up to one of `ends`, its variables replaced, and the rest from there.
fn argument<'t>(
    text: &'t str,
    ends: &[char],
    variables: &BTreeMap<String, String>,
    depth: usize,
) -> Result<(String, &'t str), &'static str> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let Some(next) = rest.chars().next() else { return Err("missing closing brace") };
        if ends.contains(&next) {
            return Ok((out, rest));
        }
        if let Some(behind) = rest.strip_prefix("${") {
            let (value, behind) = variable(behind, variables, depth + 1)?;
            out.push_str(&value);
            rest = behind;
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
}

fn part(value: &str, offset: &str, length: Option<&str>) -> String {
    let Ok(offset) = offset.trim().parse::<usize>() else { return value.to_owned() };
    let Some(from) = value.get(offset..) else { return String::new() };
    match length.map(|length| length.trim().parse::<usize>()) {
        Some(Ok(length)) => from.get(..length).unwrap_or(from).to_owned(),
        _ => from.to_owned(),
    }
}

fn first(value: &str, change: impl Fn(char) -> String) -> String {
    let mut letters = value.chars();
    letters.next().map_or_else(String::new, |letter| change(letter) + letters.as_str())
}

fn replaced(value: &str, how: char, from: &str, to: &str) -> String {
    let behind = |rest: Option<&str>| rest.map(str::to_owned);
    match how {
        '/' => value.replace(from, to),
        '#' => behind(value.strip_prefix(from)).map_or_else(|| value.to_owned(), |rest| format!("{to}{rest}")),
        '%' => behind(value.strip_suffix(from)).map_or_else(|| value.to_owned(), |rest| format!("{rest}{to}")),
        _ => value.replacen(from, to, 1),
    }
}

/// The value without the shortest or longest start (`#`) or end (`%`) that is like the pattern.
fn without(value: &str, mark: char, longest: bool, pattern: &str) -> String {
    let mut cuts: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
    // From the shortest piece to the longest.
    if mark == '%' {
        cuts.reverse();
    }
    if longest {
        cuts.reverse();
    }
    let piece = |cut: &usize| if mark == '#' { &value[..*cut] } else { &value[*cut..] };
    match cuts.iter().find(|cut| is_like(piece(cut), pattern)) {
        Some(cut) if mark == '#' => value[*cut..].to_owned(),
        Some(cut) => value[..*cut].to_owned(),
        None => value.to_owned(),
    }
}

/// `*` and `?`, without going back more than once.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some('*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => match star {
                Some((place, from)) => {
                    star = Some((place, from + 1));
                    (in_pattern, at) = (place + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|letter| *letter == '*')
}
